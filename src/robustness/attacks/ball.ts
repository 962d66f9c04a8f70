import { StriateError, check } from "../../util/errors.js";
import type { ImageBatch } from "../classifier.js";

/**
 * How the size of a perturbation is measured: by its largest absolute value ("Linf") or by its Euclidean
 * length ("L2").
 */
export type Norm = "Linf" | "L2";

/** Copies the images at the given positions. */
export function pickImages(images: ImageBatch, indices: readonly number[]): ImageBatch {
  const size = images.data.length / images.count;
  const data = new Float32Array(indices.length * size);
  indices.forEach((from, to) => {
    data.set(images.data.subarray(from * size, (from + 1) * size), to * size);
  });
  return { count: indices.length, data };
}

/** Writes images back to the positions from which {@link pickImages} took them. */
export function putImages(target: Float32Array, indices: readonly number[], images: ImageBatch): void {
  const size = images.data.length / images.count;
  indices.forEach((to, from) => {
    target.set(images.data.subarray(from * size, (from + 1) * size), to * size);
  });
}

/** Copies the values at the given positions. */
export function pickWhole(values: Int32Array, indices: readonly number[]): Int32Array {
  return Int32Array.from(indices, (i) => values[i]!);
}

/** The length of each image's perturbation: the largest |a - b|, or sqrt(sum (a - b)^2), in float64. */
export function distances(a: Float32Array, b: Float32Array, count: number, norm: Norm): Float64Array {
  const size = a.length / count;
  const result = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let total = 0;
    for (let i = row * size; i < (row + 1) * size; i++) {
      const difference = a[i]! - b[i]!;
      if (norm === "L2") total += difference * difference;
      else if (Math.abs(difference) > total) total = Math.abs(difference);
    }
    result[row] = norm === "L2" ? Math.sqrt(total) : total;
  }
  return result;
}

/** The rounding error that float32 arithmetic may add to a radius. */
const ROUNDING = 2e-6;

/**
 * Checks that adversarial images lie within the ball around the clean ones, and in [0, 1].
 *
 * @throws StriateError if one does not; the message names the attack and the first such image.
 */
export function checkInBall(
  attack: string,
  adversarial: ImageBatch,
  clean: ImageBatch,
  norm: Norm,
  epsilon: number,
): void {
  const outside = adversarial.data.findIndex((value) => !(value >= 0 && value <= 1));
  const size = clean.data.length / clean.count;
  if (outside >= 0) {
    throw new StriateError(
      `${attack}: image ${Math.floor(outside / size)} has the value ${adversarial.data[outside]!}, outside [0, 1]`,
    );
  }
  const lengths = distances(adversarial.data, clean.data, clean.count, norm);
  const far = lengths.findIndex((length) => !(length <= epsilon * (1 + ROUNDING) + ROUNDING));
  check(
    far < 0,
    () =>
      `${attack}: image ${far} is ${lengths[far]!} (${norm}) away from the clean image, more than ${epsilon}`,
  );
}

/** Throws {@link StriateError} for a radius that is out of range for images in [0, 1]. */
export function checkEpsilon(epsilon: number, norm: Norm, size: number): void {
  const most = norm === "Linf" ? 1 : Math.sqrt(size);
  check(
    epsilon > 0 && epsilon <= most,
    () =>
      `epsilon: expected more than 0 and at most ${most} (${norm}, images in [0, 1]), got ${epsilon}` +
      (epsilon > most && epsilon <= 255 * most ? `; did you mean ${epsilon}/255?` : ""),
  );
}

/** Throws {@link StriateError} for images with values outside [0, 1], for which radii are not defined. */
export function checkImages(images: ImageBatch): void {
  const bad = images.data.findIndex((value) => !(value >= 0 && value <= 1));
  check(bad < 0, () => `images to attack: expected values in [0, 1], got ${images.data[bad]!}`);
}
