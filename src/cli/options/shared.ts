import { DEVICES } from "../../runtime/runtime.js";
import { optional, standard } from "./option.js";
import { choice, file, imageSize, positive, text } from "./values.js";

/*
 * Options that several commands take.
 */

/** Where ONNX Runtime computes. */
export const device = standard(choice("device", DEVICES), "cpu", "where ONNX Runtime computes");

export const threads = optional(positive(), "threads inside one operator", "one for each core");

export const externalData = {
  kind: "flag",
  help: "write the weights to a file beside the network, named after it with .data added; without this option, only networks above 2 GB are written this way",
} as const;

/** Which labelled images, and what their classes are. */
export const labelledImages = {
  split: optional(text("name"), "part of the data set", "its test or validation part"),
  classes: optional(
    file,
    "names or WordNet ids of the classes in the order of the network's outputs (text or JSON), or imagenet",
  ),
};

/** What a classifier takes and gives, for files that leave it open. */
export const classifierPorts = {
  size: optional(
    imageSize,
    "size of the network's images, if the file leaves it open: 224, or height and width such as 160x224",
  ),
  output: optional(text("name"), "name of the output with the scores, if the network has several"),
};
