import { SCALES } from "../../experiments/options.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { preprocessing } from "../options/preprocessing.js";
import { device, threads } from "../options/shared.js";
import { choice, file, folder, positive, text, whole } from "../options/values.js";
import { command } from "./command.js";

const options = {
  scale: standard(choice("scale", SCALES), "laptop", "how much of the paper's experiment is run"),
  out: optional(folder, "where the run is written", "a new folder in runs/"),
  seed: standard(whole(), 1, "first random seed"),
  seeds: optional(positive(), "number of random seeds, counted up from the first", "depends on the scale"),
  device,
  threads,
  resume: flag("continue the run in --out, or else the newest run of this experiment and scale"),
  force: flag("start over; the run in --out is renamed, not deleted"),
  cells: optional(
    text("pattern"),
    "run only the parts of the experiment (cells) whose names match, such as 'digits2/*' (a pattern without a match prints the names)",
    "all",
  ),
  dataSet: optional(text("names"), "comma-separated names of data sets (an unknown name prints the list)"),
  data: optional(text("path"), "folder or file of a published data set"),
  models: optional(text("names"), "comma-separated names of networks (an unknown name prints the list)"),
  upTiling: optional(
    positive("factor"),
    "shifted copies of each image along each axis, for finer feature maps",
  ),
  model: optional(file, "an .onnx classifier of CIFAR-10, to use instead of training one"),
  preprocessing,
};

export type RunOptions = Parsed<typeof options>;

export const runCommand = command({
  name: "run",
  summary: "run an experiment: train networks, test them, and write a report",
  argument: { name: "experiment", help: "name of the experiment", completes: "experiment" },
  options,
  examples: [
    {
      line: "striate run overlapping-digits",
      does: "trains KomplexNet and its baselines in about ten minutes",
    },
    { line: "striate run sudoku --scale smoke", does: "checks in half a minute that all parts work" },
    { line: "striate run sudoku --resume", does: "continues the newest run of an experiment" },
  ],
  async more() {
    const { describeExperiments } = await import("../experiments.js");
    return describeExperiments();
  },
  run: async (given, { argument, words, streams }) => {
    const { runExperiment } = await import("../run.js");
    return runExperiment(argument, given, { streams, words });
  },
});
