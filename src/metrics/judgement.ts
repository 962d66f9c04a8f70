import { checkAtLeast, checkEveryFinite, checkLength, checkSome } from "../util/check.js";
import { NORMAL_QUANTILE, summarise, tQuantile } from "./statistics.js";

/** Whether measured differences support a claim. */
export type VerdictStatus = "holds" | "reversed" | "undecided";

/** What paired differences over seeds say about the claim that the true difference is positive. */
export interface Judgement {
  /**
   * "holds" if the whole 95 % interval is above 0, "reversed" if it is below 0. A single seed leaves every claim
   * undecided, because it cannot show how much seeds differ.
   */
  readonly status: VerdictStatus;
  /** Number of seeds. */
  readonly seeds: number;
  /** Mean difference over seeds. */
  readonly mean: number;
  /**
   * Half of the 95 % interval of the mean. For a single seed it holds the error over images only, and is NaN without
   * one.
   */
  readonly margin: number;
  /**
   * For an undecided claim, the number of seeds that would decide it if mean and spread stayed as they are. Absent if
   * the claim is decided, for a single seed, and if no number of seeds would do.
   */
  readonly seedsNeeded?: number;
}

const MOST_SEEDS = 1000;

/**
 * Judges a claim by paired differences, one for each random seed, such as the accuracy of one network minus that of
 * another that was trained with the same seed. The 95 % interval has two parts, added as squares: Student's t interval
 * over the seeds, with one degree of freedom less than there are seeds, and 1.96 times `imageError`.
 *
 * Differences that are independent for another reason can take the place of seeds: {@link pairedDifference} judges those
 * of images.
 *
 * @param differences one for each seed
 * @param imageError a standard error of the mean difference that more seeds do not reduce, because all seeds are tested
 *   on the same images, in the unit of the differences. Default 0. It counts twice what seeds and images vary together,
 *   so the interval is rather too wide than too narrow.
 * @throws StriateError if there are no differences, or a value is not finite
 * @example
 * ```ts
 * import { metrics } from "striate";
 *
 * const { status, mean, margin } = metrics.judgeDifferences([0.05, 0.07, 0.06]);
 * console.log(status, mean.toFixed(3), margin.toFixed(3)); // holds 0.060 0.025
 * ```
 */
export function judgeDifferences(differences: readonly number[], imageError = 0): Judgement {
  checkSome("judgement", differences.length, "difference");
  checkEveryFinite("judgement", differences);
  checkAtLeast("judgement: error over images", imageError, 0);
  const { count: seeds, mean, standardDeviation } = summarise(differences);
  const overImages = NORMAL_QUANTILE * imageError;
  if (seeds === 1) return { status: "undecided", seeds, mean, margin: imageError === 0 ? NaN : overImages };
  const marginOf = (n: number): number =>
    Math.hypot(tQuantile(n - 1) * (standardDeviation / Math.sqrt(n)), overImages);
  const margin = marginOf(seeds);
  if (Math.abs(mean) > margin) return { status: mean > 0 ? "holds" : "reversed", seeds, mean, margin };
  let needed = seeds + 1;
  while (needed <= MOST_SEEDS && Math.abs(mean) <= marginOf(needed)) needed++;
  return {
    status: "undecided",
    seeds,
    mean,
    margin,
    ...(needed <= MOST_SEEDS && { seedsNeeded: needed }),
  };
}

/**
 * The standard error of the mean difference over images: the images of all seeds are the same, so the differences of an
 * image are first averaged over seeds.
 *
 * @param perSeed for each seed, the differences of all images, such as right (1) or wrong (0) of one network minus that
 *   of another
 * @throws StriateError unless all seeds have the same number of images, at least two
 */
export function errorOverImages(perSeed: readonly ArrayLike<number>[]): number {
  checkSome("error over images", perSeed.length, "seed");
  const images = perSeed[0]!.length;
  checkAtLeast("error over images: number of images", images, 2);
  for (const one of perSeed) checkLength("error over images", one, images);
  const mean = Array.from({ length: images }, (_, i) =>
    perSeed.reduce((sum, one) => sum + one[i]! / perSeed.length, 0),
  );
  return summarise(mean).standardError;
}
