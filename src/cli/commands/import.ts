import type { Parsed } from "../options/option.js";
import { flag, optional, mandatory } from "../options/option.js";
import { externalData } from "../options/shared.js";
import { file, text } from "../options/values.js";
import { command } from "./command.js";

const options = {
  into: mandatory(file, "an .onnx file of the same network"),
  prefix: optional(
    text("text"),
    "prefix of the names in the checkpoint, such as 'ema.module.'",
    "found by comparing names",
  ),
  partial: flag("accept a checkpoint that lacks some weights; the network keeps its own values for them"),
  out: optional(file, "file for the network with the weights", "the checkpoint's name with .onnx"),
  externalData,
};

export type ImportOptions = Parsed<typeof options>;

export const importCommand = command({
  name: "import",
  summary:
    "put the weights of a checkpoint (.pth, .pt, .safetensors) into an ONNX network, by name and shape",
  argument: { name: "weights", help: "the checkpoint", completes: "file" },
  options,
  examples: [
    {
      line: "striate import resnet18.pth --into resnet18.onnx --out trained.onnx",
      does: "writes the network with the weights of the checkpoint",
    },
  ],
  run: async (given, { argument, streams }) => {
    const { importCheckpoint } = await import("../import.js");
    await importCheckpoint(argument, given, streams);
  },
});
