import { checkEveryWhole } from "../util/check.js";
import { check } from "../util/errors.js";
import { adjustedRandIndex } from "./clustering.js";

/**
 * Computes the adjusted Rand index of the foreground (FG-ARI; Greff et al. 2019) between a true and a found
 * segmentation. Only pixels of objects count, which have a true label above 0. Background pixels (label 0)
 * and ignored pixels (label -1) are left out. The index is 1 if the segmentation is perfect or there is no
 * object, and 0 if there is a single object and it was split. Permuting the labels of the found segments does
 * not change it.
 *
 * @throws StriateError if the segmentations differ in size or a label is not a whole number.
 */
export function foregroundAri(truth: ArrayLike<number>, found: ArrayLike<number>): number {
  checkSegmentations(truth, found);
  const pixels: number[] = [];
  for (let i = 0; i < truth.length; i++) if (truth[i]! > 0) pixels.push(i);
  if (pixels.length === 0) return 1;
  return adjustedRandIndex(
    renumbered(pixels.map((i) => truth[i]!)),
    renumbered(pixels.map((i) => found[i]!)),
  );
}

/**
 * Computes the mean best overlap (MBO; Uijlings et al. 2013). For each true object, it takes the found
 * segment with the largest intersection over union, and averages these values over objects. Ignored pixels
 * (true label -1) are left out, but background pixels are not. Returns undefined if there is no object.
 * Throws the same errors as {@link foregroundAri}.
 */
export function meanBestOverlap(truth: ArrayLike<number>, found: ArrayLike<number>): number | undefined {
  checkSegmentations(truth, found);
  const inTruth = new Map<number, number>();
  const inFound = new Map<number, number>();
  const inBoth = new Map<number, Map<number, number>>();
  const countUp = (counts: Map<number, number>, label: number) =>
    counts.set(label, (counts.get(label) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    const [object, segment] = [truth[i]!, found[i]!];
    if (object < 0) continue;
    countUp(inFound, segment);
    if (object === 0) continue;
    countUp(inTruth, object);
    let both = inBoth.get(object);
    if (both === undefined) inBoth.set(object, (both = new Map<number, number>()));
    countUp(both, segment);
  }
  if (inTruth.size === 0) return undefined;
  let sum = 0;
  for (const [object, both] of inBoth) {
    let best = 0;
    for (const [segment, intersection] of both) {
      const union = inTruth.get(object)! + inFound.get(segment)! - intersection;
      best = Math.max(best, intersection / (union + 1e-9));
    }
    sum += best;
  }
  return sum / inTruth.size;
}

export interface SegmentationScores {
  /** One value per image; see {@link foregroundAri}. */
  readonly foregroundAri: Float64Array;
  /** One value per image, NaN if the image has no object; see {@link meanBestOverlap}. */
  readonly bestOverlap: Float64Array;
  readonly meanForegroundAri: number;
  /** Mean over the images that have objects; NaN if there is none. */
  readonly meanBestOverlap: number;
}

/**
 * Scores found segmentations against the true ones, both of shape `[images, pixels]`. Perfect scores are 1;
 * papers report scores times 100.
 *
 * @throws StriateError if the data are not whole images, and in the cases in which {@link foregroundAri}
 * does.
 */
export function segmentationScores(
  truth: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> },
  found: ArrayLike<number> & { subarray(from: number, to: number): ArrayLike<number> },
  pixels: number,
): SegmentationScores {
  const images = truth.length / pixels;
  check(
    Number.isInteger(images) && images > 0 && found.length === truth.length,
    () =>
      `segmentation: expected whole images of ${pixels} pixels, got ${truth.length} true and ${found.length} found labels`,
  );
  const fgAri = new Float64Array(images);
  const overlap = new Float64Array(images);
  for (let n = 0; n < images; n++) {
    const part = [n * pixels, (n + 1) * pixels] as const;
    fgAri[n] = foregroundAri(truth.subarray(...part), found.subarray(...part));
    overlap[n] = meanBestOverlap(truth.subarray(...part), found.subarray(...part)) ?? NaN;
  }
  return {
    foregroundAri: fgAri,
    bestOverlap: overlap,
    meanForegroundAri: mean(fgAri),
    meanBestOverlap: mean(overlap.filter((value) => !Number.isNaN(value))),
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function renumbered(labels: readonly number[]): number[] {
  const numbers = new Map<number, number>();
  return labels.map((label) => {
    const known = numbers.get(label) ?? numbers.size;
    numbers.set(label, known);
    return known;
  });
}

function checkSegmentations(truth: ArrayLike<number>, found: ArrayLike<number>): void {
  check(
    truth.length === found.length && truth.length > 0,
    () =>
      `segmentation: expected masks of one size, got ${truth.length} true and ${found.length} found pixels`,
  );
  checkEveryWhole("segmentation: true labels", truth, { from: -Infinity });
  checkEveryWhole("segmentation: found labels", found, { from: -Infinity });
}
