import { CONSTANT_SETS } from "../../robustness/corruptions/constants.js";
import { corruptionList, severityOptions } from "../options/corruptions.js";
import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { choice, file, folder, positive, whole } from "../options/values.js";
import { command } from "./command.js";

const options = {
  all: flag("all 19 corruptions"),
  corruptions: optional(corruptionList, "corruptions to draw: comma-separated names, or benchmark (15)"),
  ...severityOptions,
  size: standard(
    choice("size", CONSTANT_SETS.map(String), "pixels"),
    "224",
    "side in pixels to which the image is resized and cropped; the constants published for this size are used",
  ),
  seed: standard(whole(), 0, "random seed"),
  frost: optional(folder, "photographs of frost to use instead of textures that Striate draws"),
  cell: standard(positive("pixels"), 112, "side of each image on the sheet"),
  out: optional(file, "file for the sheet", "IMAGE-corruptions.png"),
  each: optional(folder, "also write every corrupted image to a file of its own in this folder"),
};

export type CorruptCommandOptions = Parsed<typeof options>;

export const corruptCommand = command({
  name: "corrupt",
  summary: "show common corruptions of an image on a contact sheet (PNG)",
  argument: { name: "image", help: "a JPEG, PNG, WebP, GIF, TIFF or AVIF file", completes: "file" },
  options,
  examples: [
    { line: "striate corrupt photo.jpg --all", does: "draws all 19 corruptions at five severities" },
    {
      line: "striate corrupt photo.jpg --corruptions fog,motion_blur --severities 1,3,5 --size 64",
      does: "draws two corruptions at three severities, with the constants for 64 pixels",
    },
  ],
  run: async (given, { argument, streams }) => {
    const { corruptPicture } = await import("../corrupt.js");
    await corruptPicture(argument, given, streams);
  },
});
