import { join } from "node:path";
import { existsSync } from "node:fs";
import type { TrainingParts } from "../../data/sets/training-parts-node.js";
import { openOnnx } from "../../graph/onnx/read/open-node.js";
import { pgdAttack } from "../../robustness/attacks/index.js";
import { defaultReencode } from "../../robustness/corruptions/index.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { onnxNetwork } from "../../robustness/onnx-network.js";
import { input } from "../../graph/index.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { byKind } from "../cell-work.js";
import type { CellOptions } from "../cells.js";
import { cellFolder, cellKey } from "../cells.js";
import { measureNetwork } from "../measured-network.js";
import { addFeedback } from "./feedback.js";
import { openNetwork } from "./networks.js";
import type { StudyCell, StudyFeedbackCell, StudyTestCell, StudyTrainCell } from "./plan.js";
import { studyCellName } from "./plan.js";
import type { StudyResult } from "./results.js";
import { descriptionOf, trainNetwork } from "./train-network.js";

/** The data that all cells share. */
export interface StudyData {
  readonly parts: TrainingParts;
}

type StudyOptions = CellOptions & StudyData;

/** Trains a network, adds feedback to one, or measures one. Returns undefined if the cell was stopped. */
export const runStudyCell = byKind<StudyCell, StudyResult, StudyOptions>({
  train: runTrain,
  feedback: runFeedback,
  test: runTest,
});

/** The file with the network of a cell. */
export function networkFile(cells: string, cell: StudyTrainCell | StudyFeedbackCell): string {
  return join(cellFolder(cells, cell), cell.kind === "train" ? "model.onnx" : "predified.onnx");
}

/** Options of a training run inside a cell. */
function runOptions(options: StudyOptions, part: string) {
  return {
    ...sessionOptionsOf(options),
    // Cells run side by side, so each has one thread for its images.
    loaders: 1,
    signal: options.signal,
    onWarning: options.onWarning,
    onProgress: (event: Parameters<CellOptions["onProgress"]>[1]) => {
      options.onProgress(part, event);
    },
  };
}

async function runTrain(cell: StudyTrainCell, options: StudyOptions) {
  const { parts, cells } = options;
  const { seed, recipe, trains } = cell;
  const { classes } = parts.train;
  const network = await openNetwork(cell.network, classes, seed);
  const folder = join(cellFolder(cells, cell), "run");
  const found = await trainNetwork(network, parts, {
    ...runOptions(options, "training"),
    recipe,
    seed,
    trains,
    folder,
    resume: existsSync(folder),
    config: { cell: cellKey(cell) },
  });
  if (found === undefined) return undefined;
  const { about, metadata } = descriptionOf(network, classes);
  await found.run.export(networkFile(cells, cell), about, metadata);
  return {
    validation: found.validation,
    parameters: found.parameters,
    trained: found.trained,
    imagesPerSecond: found.run.imagesPerSecond,
    choices: network.choices,
    skipped: found.skipped.length,
  };
}

async function runFeedback(cell: StudyFeedbackCell, options: StudyOptions) {
  const { parts, cells } = options;
  const { seed, start, feedback } = cell;
  const folder = join(cellFolder(cells, cell), "run");
  const made = await addFeedback(networkFile(cells, start), parts, {
    ...runOptions(options, "feedback"),
    ...feedback,
    recipe: start.recipe,
    seed,
    folder,
    resume: existsSync(folder),
    out: networkFile(cells, cell),
  });
  return made === undefined ? undefined : {};
}

/** Number of noise draws over which the gradient of a network with noise is averaged. */
const DRAWS = 4;

async function runTest(cell: StudyTestCell, options: StudyOptions) {
  const { parts, cells } = options;
  const { test, seed, start, variant } = cell;
  const file = await openOnnx(networkFile(cells, start));
  const network = onnxNetwork(file, { name: variant });
  const { noise = {} } = network.trace(input("images", ["batch", ...network.imageShape]));
  const eot = Object.keys(noise).length > 0 ? DRAWS : 1;
  const conditions = test.corruptions.flatMap((name) =>
    test.severities.map((severity) => ({ name, severity })),
  );
  const attack = pgdAttack({ steps: test.attackSteps, eot });
  const { count } = parts.test;
  const found = await measureNetwork(
    {
      network,
      source: parts.test,
      images: Math.min(test.images, count),
      conditions,
      corruption: { constants: test.constants, reencode: defaultReencode(test.constants) },
      attacked: test.epsilons.length === 0 ? 0 : Math.min(test.attackImages, count),
      attacks: test.epsilons.length === 0 ? [] : [{ name: attack.name, norm: "Linf", attacks: [attack] }],
      epsilons: test.epsilons,
      seed,
      cell: studyCellName(cell),
      key: cellKey(start),
      folder: cellFolder(cells, cell),
    },
    options,
  );
  if (found === undefined) return undefined;
  return {
    card: found.card,
    outcomes: found.outcomesNamed(({ plan, epsilon }) => `${plan.toUpperCase()}, ε ${showEpsilon(epsilon)}`),
  };
}
