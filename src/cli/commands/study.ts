import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { radii } from "../options/attacks.js";
import { corruptionList, severityList } from "../options/corruptions.js";
import { preprocessingOptions } from "../options/preprocessing.js";
import { device, threads } from "../options/shared.js";
import { folder, positive, text, whole } from "../options/values.js";
import { command } from "./command.js";
import { additionOptions, dataOptions, networkOptions, recipeOptions } from "./train.js";

const options = {
  ...dataOptions,
  ...networkOptions,
  variants: standard(
    text("list"),
    "plain,v1,kuramoto,predify",
    "comma-separated additions to compare with the plain network: v1, evnet, kuramoto, predify, or several joined by +, such as v1+predify",
  ),
  seeds: standard(positive(), 3, "number of random seeds, counted up from the first"),
  seed: standard(whole(), 1, "first random seed"),
  ...recipeOptions,
  ...additionOptions,
  pcoders: standard(positive(), 3, "number of PCoders for predify"),
  timesteps: standard(positive(), 4, "the timestep at which predified networks are measured"),
  feedbackEpochs: standard(positive(), 5, "passes over the training images to train the decoders"),
  corruptions: optional(
    corruptionList,
    "corruptions: all (19), benchmark (15), or comma-separated names",
    "benchmark",
  ),
  severities: standard(severityList, [1, 3, 5], "severities", "1,3,5"),
  eps: optional(radii, "radii of the attack (PGD, Linf) for pixels between 0 and 1", "1/255,2/255"),
  attackSteps: standard(positive(), 20, "steps of the attack"),
  images: standard(positive(), 1000, "number of test images to measure, drawn at random"),
  attackImages: standard(whole(), 200, "number of test images to attack"),
  out: optional(folder, "where the study is written", "a new folder in runs/"),
  resume: flag("continue the study in --out, or else the newest one of this network"),
  force: flag("start over; the study in --out is renamed, not deleted"),
  cells: optional(text("pattern"), "run only the parts whose names match, such as 'v1/*'", "all"),
  device,
  threads,
  ...preprocessingOptions,
};

export type StudyOptions = Parsed<typeof options>;

export const studyCommand = command({
  name: "study",
  summary:
    "find out whether V1, oscillators or predictive feedback make a network on your own images more robust",
  options,
  readsOptionsFile: true,
  examples: [
    {
      line: "striate study --data photos/ --model resnet18 --variants plain,v1,kuramoto,predify --seeds 3",
      does: "trains the network with each addition, measures all, and compares them on one page",
    },
  ],
  run: async (values, { words, streams }) => {
    const { runStudy } = await import("../study/study.js");
    return runStudy(values, { words, streams });
  },
});
