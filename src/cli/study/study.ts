import { basename } from "node:path";
import { fingerprintOf, trainingParts } from "../../data/sets/training-parts-node.js";
import { studyExperiment } from "../../experiments/own-images/experiment.js";
import { openNetwork } from "../../experiments/own-images/networks.js";
import type { StudyPlan } from "../../experiments/own-images/plan.js";
import { parseVariants } from "../../experiments/own-images/plan.js";
import { chosenParameters } from "../../experiments/own-images/train-network.js";
import { BENCHMARK_CORRUPTIONS, nearestConstants } from "../../robustness/corruptions/index.js";
import { commandLine } from "../../util/command-words.js";
import { check } from "../../util/errors.js";
import type { Invocation } from "../commands/command.js";
import type { StudyOptions } from "../commands/study.js";
import { checkReportPackages } from "../needed-packages.js";
import { statedPreprocessing } from "../options/preprocessing.js";
import { runTheExperiment } from "../run.js";
import { plainNetwork, recipeOf, trainedNames } from "../train/settings.js";

/** Runs a study and prints its results. Returns the exit status. */
export async function runStudy(
  options: StudyOptions,
  { streams, words }: Pick<Invocation, "streams" | "words">,
): Promise<number> {
  const { data, seed, device, threads, resume } = options;
  check(
    data !== undefined,
    () => "expected --data with a folder of images or the name of a data set, got none",
  );
  checkReportPackages(device, "sharp");
  const settings = plainNetwork(options, statedPreprocessing(options));
  const parts = await trainingParts(data, { validation: options.validation, seed });
  // The plain network is opened before anything is trained, so that a mistake in an option ends the study at once.
  const network = await openNetwork(settings, parts.train.classes, seed);
  const trains = trainedNames(options.trains);
  chosenParameters(network, trains);
  const [, height, width] = network.imageShape;
  const plan: StudyPlan = {
    variants: parseVariants(options.variants),
    network: settings,
    v1: {
      variant: "biol",
      cells: options.v1Cells,
      ...(options.v1Noise && { noise: true }),
      ...(options.visualDegrees !== undefined && { visualDegrees: options.visualDegrees }),
    },
    kuramoto: { steps: options.kuramotoSteps },
    recipe: recipeOf(options, network.pretrained),
    trains,
    feedback: {
      pcoders: options.pcoders,
      timesteps: options.timesteps,
      epochs: options.feedbackEpochs,
    },
    test: {
      images: options.images,
      corruptions: options.corruptions ?? BENCHMARK_CORRUPTIONS,
      severities: options.severities,
      constants: nearestConstants(Math.min(height, width)),
      attackImages: options.attackImages,
      epsilons: options.attackImages === 0 ? [] : (options.eps ?? [1 / 255, 2 / 255]),
      attackSteps: options.attackSteps,
    },
    data: fingerprintOf(parts),
  };
  const command = commandLine(words.filter((word) => word !== "--resume" && word !== "--force"));
  const experiment = studyExperiment({ plan, parts, dataName: basename(data), command });
  return runTheExperiment(
    experiment,
    {
      title: `study of ${network.name}`,
      summary: `${plan.variants.join(", ")} on ${parts.train.count} training and ${parts.test.count} test images`,
      folder: `study-${network.name}`,
      seeds: Array.from({ length: options.seeds }, (_, i) => seed + i),
      scale: "laptop",
      device,
      threads,
      resume,
      force: options.force,
      ...(options.out !== undefined && { out: options.out }),
      ...(options.cells !== undefined && { cells: options.cells }),
    },
    { streams, words },
  );
}
