import { command } from "./command.js";

export const summaryCommand = command({
  name: "summary",
  summary: "list a model's layers with shapes, parameters, bytes and multiply-adds",
  argument: {
    name: "model",
    help: "an .onnx file, or the name of a built-in model (an unknown name prints the list)",
    completes: "file",
  },
  options: {},
  examples: [
    { line: "striate summary model.onnx", does: "lists the layers of a file" },
    { line: "striate summary komplexnet", does: "lists the layers of a built-in model" },
  ],
  run: async (_options, { argument, streams }) => {
    const { printSummary } = await import("../summary.js");
    await printSummary(argument, streams);
  },
});
