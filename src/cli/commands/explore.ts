import { EXPLORER_VIEWS } from "../../experiments/explorer-views.js";
import { optional, standard } from "../options/option.js";
import { choice, port } from "../options/values.js";
import { command } from "./command.js";

export const exploreCommand = command({
  name: "explore",
  summary: "serve the explorer, a page with live networks, to the browsers of this machine",
  argument: {
    name: "model",
    help: "an .onnx file of a classifier, which the view of Predify opens",
    completes: "file",
    optional: true,
  },
  options: {
    port: standard(port, 4173, "port to serve it at; 0 stands for any free port"),
    view: optional(choice("view", EXPLORER_VIEWS), "the view whose address is printed", "the first view"),
  },
  examples: [
    { line: "striate explore", does: "serves it at http://127.0.0.1:4173/ until Ctrl-C" },
    { line: "striate explore --view sudoku", does: "prints the address of the view of Sudoku" },
    {
      line: "striate explore model.onnx",
      does: "opens the network in the view of Predify, which adds feedback to it",
    },
    { line: "striate explore --port 0", does: "serves it at any free port" },
  ],
  run: async (options, { argument, streams }) => {
    const { explore } = await import("../explore.js");
    await explore({ ...options, ...(argument !== "" && { model: argument }) }, streams);
    return undefined;
  },
});
