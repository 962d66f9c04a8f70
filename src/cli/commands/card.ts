import type { Parsed } from "../options/option.js";
import { flag, optional, mandatory } from "../options/option.js";
import { radii } from "../options/attacks.js";
import { choice, file, text } from "../options/values.js";
import { command } from "./command.js";

/** The formats of cards. */
export const CARD_FORMATS = ["huggingface", "robustbench", "croissant"] as const;

const options = {
  format: mandatory(
    choice("format", CARD_FORMATS),
    "what to write: huggingface (README.md of a model, from the folder of a training run), robustbench (an entry of the " +
      "leaderboard, from a result card) or croissant (metadata of a data set, from a folder of images)",
  ),
  name: optional(text("name"), "name of the model or the data set", "that of the network or the folder"),
  license: optional(
    text("license"),
    "license: an id of the hub such as mit, or for croissant also an address",
  ),
  dataset: optional(
    text("id"),
    "the data set by its id on the Hugging Face hub, or RobustBench's name for it, such as cifar10",
  ),
  robustness: optional(file, "huggingface: a result card of striate robustness, whose scores are added"),
  eps: optional(radii, "robustbench: the radius of AutoAttack, if the card has several"),
  title: optional(text("text"), "robustbench: title of the paper"),
  authors: optional(text("names"), "robustbench: its authors; croissant: who made the data set"),
  venue: optional(text("text"), "robustbench: where the paper was published"),
  architecture: optional(text("name"), "robustbench: the architecture, such as WideResNet-28-10"),
  additionalData: flag("robustbench: the network was trained with more data than the data set's"),
  link: optional(text("url"), "robustbench: address of the paper; croissant: of the data set"),
  description: optional(text("text"), "croissant: what the data set is"),
  out: optional(
    file,
    "where it is written",
    "README.md in the run, model_info/DATASET/THREAT/NAME.json, or croissant.json in the folder",
  ),
  force: flag("replace a file that exists"),
};

export type CardOptions = Parsed<typeof options>;

export const cardCommand = command({
  name: "card",
  summary: "describe a network or a data set in the formats of Hugging Face, RobustBench and Croissant",
  argument: {
    name: "source",
    help: "the folder of a training run, a result card (.json) or a folder of images",
    completes: "file",
  },
  options,
  examples: [
    {
      line: "striate card runs/pets --format huggingface --license mit --robustness pets.json",
      does: "writes runs/pets/README.md with results that the hub reads",
    },
    {
      line: "striate card wrn.json --format robustbench --dataset cifar10 --architecture WideResNet-28-10",
      does: "writes model_info/cifar10/Linf/wrn.json",
    },
    {
      line: "striate card photos/ --format croissant --license https://creativecommons.org/licenses/by/4.0/",
      does: "writes photos/croissant.json",
    },
  ],
  run: async (values, { argument, streams }) => {
    const { writeCard } = await import("../card/card.js");
    await writeCard(argument, values, streams);
  },
});
