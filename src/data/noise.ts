import { checkAtLeast, checkBetween, checkLength } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import { Random, type RandomLabel } from "../util/random.js";

/** A corruption of images with values in [0, 1]. */
export type PixelNoise =
  /** Adds normally distributed noise of mean 0 and this variance, then clips to [0, 1]. */
  | { readonly kind: "gaussian"; readonly variance: number }
  /** Sets each value to 1 with probability `amount / 2`, and to 0 with the same probability. */
  | { readonly kind: "saltAndPepper"; readonly amount: number };

/** Options that determine the noise of a batch. */
export interface PixelNoiseOptions {
  readonly seed: RandomLabel;
  /** Number of values in one image, including its channels. */
  readonly sampleSize: number;
  /**
   * The images' positions in their data set. The noise depends only on the random seed and this position, so
   * an image gets the same noise in every batch and for every model. Default 0, 1, 2, ...
   */
  readonly indices?: ArrayLike<number>;
}

/**
 * The noise for comparisons of models, the same for every model. Its variance is the one that the authors
 * used for KomplexNet.
 */
export const DEFAULT_NOISE: PixelNoise = { kind: "gaussian", variance: 0.1 };

/**
 * The noise that the authors' test code applies to each model. The noise differs between models, so the
 * comparison is not fair; use it only to reproduce the authors' protocol. In their code, the salt-and-pepper
 * amounts are a commented-out alternative.
 */
export const REFERENCE_NOISE = {
  feedforward: {
    digits: gaussian(0.1),
    colouredBackground: gaussian(0.05),
    saltAndPepper: saltAndPepper(0.05),
  },
  feedback: { digits: gaussian(0.1), colouredBackground: gaussian(0.01), saltAndPepper: saltAndPepper(0.05) },
  baseline: { digits: gaussian(0.05), colouredBackground: gaussian(0.05), saltAndPepper: saltAndPepper(0.1) },
} as const;

/** Corrupts images in place and returns them. Throws {@link StriateError} for invalid amounts or sizes. */
export function addPixelNoise(
  pictures: Float32Array,
  corruption: PixelNoise,
  options: PixelNoiseOptions,
): Float32Array {
  const { seed, sampleSize, indices } = options;
  const count = pictures.length / sampleSize;
  check(
    Number.isInteger(sampleSize) && sampleSize > 0 && Number.isInteger(count),
    () => `noise: expected whole images of ${sampleSize} numbers, got ${pictures.length}`,
  );
  if (indices !== undefined) checkLength("noise: indices", indices, count);
  checkAmount(corruption);
  const draws = new Float32Array(sampleSize);
  for (let n = 0; n < count; n++) {
    const picture = pictures.subarray(n * sampleSize, (n + 1) * sampleSize);
    const random = Random.derive(seed, "noise", corruption.kind, indices?.[n] ?? n);
    if (corruption.kind === "gaussian") {
      random.fillNormal(draws, 0, Math.sqrt(corruption.variance));
      for (let i = 0; i < sampleSize; i++) picture[i] = Math.min(1, Math.max(0, picture[i]! + draws[i]!));
    } else {
      random.fillUniform(draws);
      const { amount } = corruption;
      for (let i = 0; i < sampleSize; i++) {
        const draw = draws[i]!;
        if (draw < amount) picture[i] = draw < amount / 2 ? 1 : 0;
      }
    }
  }
  return pictures;
}

function gaussian(variance: number): PixelNoise {
  return { kind: "gaussian", variance };
}

function saltAndPepper(amount: number): PixelNoise {
  return { kind: "saltAndPepper", amount };
}

function checkAmount(corruption: PixelNoise): void {
  switch (corruption.kind) {
    case "gaussian":
      checkAtLeast("gaussian noise: variance", corruption.variance, 0);
      return;
    case "saltAndPepper":
      checkBetween("salt-and-pepper noise: amount", corruption.amount, 0, 1);
      return;
    default:
      throw new StriateError(
        `noise: expected "gaussian" or "saltAndPepper", got ${JSON.stringify(corruption)}`,
      );
  }
}
