import { checkAtLeast, checkLength } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";

/** Options of `mixBatch`. At least one of the two is above 0. */
export interface MixOptions {
  /** alpha of mixup (Zhang et al. 2018, arXiv:1710.09412); 0 (the default) for none. */
  readonly mixup?: number;
  /** alpha of CutMix (Yun et al. 2019, arXiv:1905.04899); 0 (the default) for none. */
  readonly cutmix?: number;
}

/**
 * Mixes the images of a batch in pairs, in place, and gives the mixed labels. Image i is mixed with image batch - 1 - i.
 * The share lambda of image i is drawn once for the batch from Beta(alpha, alpha). Mixup averages the pixels with the
 * weights lambda and 1 - lambda. CutMix pastes a random box of the other image, of share 1 - lambda of the area before
 * it is cut off at the borders; lambda is then set to the share that is really left. If both are given, each batch draws
 * one of them with equal probability.
 *
 * @param images values [batch, channels, height, width], in `shape`
 * @param labels classes, [batch]
 * @param targets receives the mixed labels, [batch, classes]
 * @throws StriateError if neither alpha is above 0, or the lengths do not fit
 */
export function mixBatch(
  images: Float32Array,
  labels: Float32Array,
  targets: Float32Array,
  options: MixOptions & { readonly shape: readonly [channels: number, height: number, width: number] },
  random: Random,
): void {
  const { mixup = 0, cutmix = 0, shape } = options;
  checkAtLeast("mixup", mixup, 0);
  checkAtLeast("CutMix", cutmix, 0);
  check(mixup + cutmix > 0, () => "mixing: expected an alpha of mixup or CutMix above 0, got none");
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const batch = labels.length;
  checkLength("mixing: images", images, batch * size);
  const classes = targets.length / batch;
  const cuts = mixup === 0 || (cutmix > 0 && random.uniform() < 0.5);
  const lambda = beta(cuts ? cutmix : mixup, random);
  const left = cuts
    ? pasteBoxes(images, { batch, channels, height, width }, lambda, random)
    : average(images, batch, size, lambda);
  targets.fill(0);
  for (let i = 0; i < batch; i++) {
    targets[i * classes + labels[i]!]! += left;
    targets[i * classes + labels[batch - 1 - i]!]! += 1 - left;
  }
}

function average(images: Float32Array, batch: number, size: number, lambda: number): number {
  for (let i = 0, j = batch - 1; i < j; i++, j--) {
    for (let k = 0; k < size; k++) {
      const [a, b] = [images[i * size + k]!, images[j * size + k]!];
      images[i * size + k] = lambda * a + (1 - lambda) * b;
      images[j * size + k] = lambda * b + (1 - lambda) * a;
    }
  }
  return lambda;
}

/** Exchanges a box between the images of each pair. Returns the share of the area outside the box. */
function pasteBoxes(
  images: Float32Array,
  { batch, channels, height, width }: { batch: number; channels: number; height: number; width: number },
  lambda: number,
  random: Random,
): number {
  const side = Math.sqrt(1 - lambda);
  const [x, y] = [random.integer(0, width), random.integer(0, height)];
  const span = (centre: number, length: number, whole: number) => [
    Math.max(0, centre - Math.trunc(length / 2)),
    Math.min(whole, centre + Math.trunc(length / 2)),
  ];
  const [from, to] = span(x, Math.trunc(side * width), width) as [number, number];
  const [top, bottom] = span(y, Math.trunc(side * height), height) as [number, number];
  for (let i = 0, j = batch - 1; i < j; i++, j--)
    for (let c = 0; c < channels; c++)
      for (let row = top; row < bottom; row++) {
        const [a, b] = [i, j].map((n) => ((n * channels + c) * height + row) * width) as [number, number];
        const cut = images.slice(a + from, a + to);
        images.copyWithin(a + from, b + from, b + to);
        images.set(cut, b + from);
      }
  return 1 - ((to - from) * (bottom - top)) / (width * height);
}

/** A draw from Beta(alpha, alpha), as a ratio of two gamma draws. */
function beta(alpha: number, random: Random): number {
  const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
  return a + b === 0 ? 0.5 : a / (a + b);
}

/** A draw from the gamma distribution with scale 1 (Marsaglia & Tsang 2000); shapes below 1 are raised by their rule. */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = random.normal();
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * z * z + d * (1 - v + Math.log(v))) return d * v;
  }
}
