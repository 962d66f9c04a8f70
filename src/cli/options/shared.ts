import { DEVICES } from "../../runtime/runtime.js";
import { optional, standard } from "./option.js";
import { choice, file, imageSize, positive, text } from "./values.js";

/*
 * Options that several commands share.
 */

/** Options for the device and threads that ONNX Runtime uses. */
export const device = standard(choice("device", DEVICES), "cpu", "where ONNX Runtime computes");

export const threads = optional(positive(), "number of threads per operator", "one per core");

export const externalData = {
  kind: "flag",
  help: "write the weights to a separate file beside the network, with .data added to the name; networks above 2 GB are always written this way",
} as const;

/** Options for the labelled images and their classes. */
export const labelledImages = {
  split: optional(text("name"), "part of the data set", "the test or validation part"),
  classes: optional(
    file,
    "names or WordNet ids of the classes in the order of the network's outputs (text or JSON), or imagenet",
  ),
};

/** Options for the image size and the output of a classifier, for files that leave them open. */
export const classifierPorts = {
  size: optional(
    imageSize,
    "image size if the file leaves it open, such as 224, or 160x224 for height and width",
  ),
  output: optional(text("name"), "name of the output with the scores, if the network has several outputs"),
};
