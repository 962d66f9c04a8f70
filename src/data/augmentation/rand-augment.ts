import type { Random } from "../../util/random.js";
import { checkWhole } from "../../util/check.js";
import type { RgbImage } from "../images/rgb-image.js";
import type { Operation } from "./operations.js";
import { operationsWith } from "./operations.js";

/** Number of strengths of an operation, from 0 to 30. */
const STRENGTHS = 31;

/** Options of `randAugment`. */
export interface RandAugmentOptions {
  /** N, the number of operations that are applied one after another. Default 2. */
  readonly operations?: number;
  /** M, the strength of all operations, from 0 to 30. Default 9. */
  readonly strength?: number;
}

const IDENTITY: Operation = { strongest: () => 0, apply: (image) => image };
const CHOICES = [IDENTITY, ...operationsWith({ translation: 150 / 331, bits: 8 })];

/**
 * RandAugment (Cubuk et al. 2020, arXiv:1909.13719): N operations, each drawn at random from fourteen, all of the same
 * strength M. The operations are the identity and the 13 of AugMix, with the ranges that torchvision has for
 * RandAugment.
 *
 * @throws StriateError for a strength outside 0 to 30
 */
export function randAugment(image: RgbImage, random: Random, options: RandAugmentOptions = {}): RgbImage {
  const { operations = 2, strength = 9 } = options;
  checkWhole("RandAugment: operations", operations);
  checkWhole("RandAugment: strength", strength, { from: 0, to: STRENGTHS - 1 });
  let changed = image;
  for (let i = 0; i < operations; i++) {
    const operation = CHOICES[random.integer(0, CHOICES.length)]!;
    const magnitude = (operation.strongest(image) * strength) / (STRENGTHS - 1);
    const sign = operation.signed === true && random.uniform() < 0.5 ? -1 : 1;
    changed = operation.apply(changed, sign * magnitude);
  }
  return changed;
}
