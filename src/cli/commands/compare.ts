import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { file, text } from "../options/values.js";
import { command } from "./command.js";
import { LABELLED, measureOptions } from "./robustness.js";

const options = {
  data: optional(
    text("data"),
    `${LABELLED}; required for network files, and for pictures of the images on which the networks differ`,
  ),
  ...measureOptions,
  out: standard(
    file,
    "comparison.html",
    "the page; its numbers, and the result cards of network files, are written beside it",
  ),
  force: flag("measure network files again if they were measured with other settings"),
};

export type CompareOptions = Parsed<typeof options>;

export const compareCommand = command({
  name: "compare",
  summary: "compare networks on the same images, from .onnx files, training runs or result cards",
  argument: {
    name: "networks",
    help:
      "result cards of striate robustness (.json), networks (.onnx) and folders of striate train; networks are measured as the " +
      "first card says, or as the options say if there is no card; the first network is compared with all others",
    completes: "file",
    several: true,
  },
  options,
  examples: [
    {
      line: "striate compare plain.json v1.json --out v1-against-plain.html",
      does: "shows paired differences with intervals, and the images on which the networks differ",
    },
    {
      line: "striate compare runs/plain v1.onnx --data photos/ --corruptions benchmark --severities 1,3",
      does: "measures both networks on the same images, and shows pictures of those on which they differ",
    },
  ],
  run: async (values, { all, given, streams, words }) => {
    const { compareNetworks } = await import("../compare/compare.js");
    return compareNetworks(values, { all, given, streams, words });
  },
});
