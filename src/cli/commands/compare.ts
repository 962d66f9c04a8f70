import type { Parsed } from "../options/option.js";
import { standard } from "../options/option.js";
import { file } from "../options/values.js";
import { command } from "./command.js";

const options = {
  out: standard(file, "comparison.html", "the page; its numbers are written beside it as JSON"),
};

export type CompareOptions = Parsed<typeof options>;

export const compareCommand = command({
  name: "compare",
  summary: "compare networks on the same images, from the result cards of striate robustness",
  argument: {
    name: "cards",
    help: "result cards (.json); the first is compared with all others",
    completes: "file",
    several: true,
  },
  options,
  examples: [
    {
      line: "striate compare plain.json v1.json --out v1-against-plain.html",
      does: "shows paired differences with intervals, and the images on which the networks differ",
    },
  ],
  run: async (values, { all, streams, words }) => {
    const { compareCards } = await import("../compare/compare.js");
    return compareCards(values, { all, streams, words });
  },
});
