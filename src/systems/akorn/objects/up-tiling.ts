import { bicubicResize } from "../../../data/images/bicubic.js";
import type { Size } from "../../../nn/layers/convolution.js";
import { checkLength } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Grid } from "../layer/grid.js";
import { gridOf, showSize } from "../layer/grid.js";

/** The sizes that define up-tiling. Each is [height, width], or one number for both. */
export interface UpTiling {
  /** Size in pixels of the images that the network takes. */
  readonly size: Size;
  /** Size in pixels of a patch, which is one cell of the feature map. */
  readonly patch: Size;
  /** r, the number of shifted copies along each axis. 1 means no up-tiling. */
  readonly factor: Size;
}

/**
 * Throws `StriateError` unless the images are whole patches and the copies can be shifted by whole pixels.
 */
export function checkUpTiling({ size, patch, factor }: UpTiling): void {
  const [[height, width], patches, factors] = [gridOf(size), gridOf(patch), gridOf(factor)];
  check(
    [height, width, ...patches, ...factors].every((value) => Number.isInteger(value) && value > 0) &&
      [0, 1].every((axis) => Number.isInteger(patches[axis]! / factors[axis]!)),
    () =>
      `up-tiling: expected a factor that divides the patch of ${showSize(patch)} pixels, got ${showSize(factor)}`,
  );
  check(
    height % patches[0] === 0 && width % patches[1] === 0,
    () =>
      `up-tiling: expected images of whole patches of ${showSize(patch)} pixels, got ${height} x ${width}`,
  );
}

/**
 * Makes the shifted copies of up-tiling (Miyato et al. 2025, appendix, after Locatello et al. 2020). Images
 * `[batch, channels, H, W]` are enlarged by patch - s pixels along each axis with bicubic interpolation,
 * where s = patch / r. Copy (i, j) is the part `[batch, channels, H, W]` that starts at row s i and column s
 * j. Its index is r i + j, where r is the number of copies along the width.
 *
 * @throws StriateError if the images do not have the size given in `tiling`, or if the factor does not divide
 * the patch.
 */
export function shiftedCopies(images: Float32Array, tiling: UpTiling): Float32Array[] {
  checkUpTiling(tiling);
  const [height, width] = gridOf(tiling.size);
  const [patches, factors] = [gridOf(tiling.patch), gridOf(tiling.factor)];
  const plane = height * width;
  check(
    images.length > 0 && images.length % plane === 0,
    () => `up-tiling: expected images of ${height} x ${width}, got ${images.length} numbers`,
  );
  const copies = factors[0] * factors[1];
  if (copies === 1) return [images];
  const [down, right] = [patches[0] / factors[0], patches[1] / factors[1]];
  const [rows, columns] = [height + patches[0] - down, width + patches[1] - right];
  const enlarged = bicubicResize(images, [height, width], [rows, columns]);
  const planes = images.length / plane;
  return Array.from({ length: copies }, (_, copy) => {
    const [top, left] = [down * Math.floor(copy / factors[1]), right * (copy % factors[1])];
    const out = new Float32Array(images.length);
    for (let p = 0; p < planes; p++) {
      for (let y = 0; y < height; y++) {
        const from = (p * rows + top + y) * columns + left;
        out.set(enlarged.subarray(from, from + width), p * plane + y * width);
      }
    }
    return out;
  });
}

/**
 * Rearranges maps `[batch, channels, h, w]` as the feature vectors `[batch, h, w, channels]` that
 * {@link interleave} takes.
 *
 * @throws StriateError if the number of values does not fit the shape
 * @example
 * ```ts
 * import { channelsLast } from "striate/akorn";
 *
 * console.log(channelsLast(Float32Array.of(1, 2, 3, 4), [1, 2, 1, 2]).join()); // 1,3,2,4
 * ```
 */
export function channelsLast(
  maps: Float32Array,
  [batch, channels, height, width]: readonly [number, number, number, number],
): Float32Array {
  const plane = height * width;
  checkLength("feature maps", maps, batch * channels * plane);
  const out = new Float32Array(maps.length);
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < plane; i++)
        out[(n * plane + i) * channels + c] = maps[(n * channels + c) * plane + i]!;
  return out;
}

/**
 * Interleaves the feature vectors of the shifted copies. There are r x q copies; copy (i, j) is `maps[q i +
 * j]` and has the shape `[batch, h, w, C]`. The result has the shape `[batch, h r, w q, C]`. Its vector at
 * position (r y + i, q x + j) is the vector of copy (i, j) at (y, x).
 *
 * @param factor [r, q], or one number for both. Default: the square root of the number of maps
 * @throws StriateError if the number of maps or the size of a map does not match
 */
export function interleave(
  maps: readonly Float32Array[],
  [batch, height, width, channels]: readonly [number, number, number, number],
  factor: Size = Math.sqrt(maps.length),
): Float32Array {
  const [down, across]: Grid = gridOf(factor);
  check(
    Number.isInteger(down) &&
      maps.length === down * across &&
      maps.every((map) => map.length === batch * height * width * channels),
    () => {
      const count = typeof factor === "number" ? "r^2" : `${down} x ${across}`;
      return `up-tiling: expected ${count} maps of [${batch}, ${height}, ${width}, ${channels}], got ${maps.length}`;
    },
  );
  const [rows, columns] = [height * down, width * across];
  const out = new Float32Array(batch * rows * columns * channels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const map = maps[(y % down) * across + (x % across)]!;
        const from = ((n * height + Math.floor(y / down)) * width + Math.floor(x / across)) * channels;
        out.set(map.subarray(from, from + channels), ((n * rows + y) * columns + x) * channels);
      }
    }
  }
  return out;
}
