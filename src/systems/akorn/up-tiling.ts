import { resizeBicubic } from "../../data/bicubic.js";
import { check } from "../../util/errors.js";

export interface UpTiling {
  /** Side of the images the network takes. */
  readonly size: number;
  /** Side of a patch: of an image's cell in the feature map. */
  readonly patch: number;
  /** r: shifted copies along each axis. 1 is no up-tiling. */
  readonly factor: number;
}

/** Throws {@link StriateError} unless the copies can be shifted by whole pixels. */
export function checkUpTiling({ size, patch, factor }: UpTiling): void {
  check(
    [size, patch, factor].every((value) => Number.isInteger(value) && value > 0) && patch % factor === 0,
    () => `up-tiling: expected a factor that divides the patch of ${patch} pixels, got ${factor}`,
  );
  check(
    size % patch === 0,
    () => `up-tiling: images of ${size} x ${size} are not whole patches of ${patch} pixels`,
  );
}

/**
 * The shifted copies of up-tiling (Miyato et al. 2025, appendix; Locatello et al. 2020 tile likewise): images
 * `[batch, channels, S, S]` are enlarged to S + patch - s by bicubic interpolation, s = patch / r, and cut at (s i, s j). Copy
 * r i + j is `[batch, channels, S, S]`.
 *
 * @throws StriateError for images of another size, or a factor that does not divide the patch.
 */
export function shiftedCopies(images: Float32Array, tiling: UpTiling): Float32Array[] {
  checkUpTiling(tiling);
  const { size, patch, factor } = tiling;
  const plane = size * size;
  check(
    images.length > 0 && images.length % plane === 0,
    () => `up-tiling: expected images of ${size} x ${size}, got ${images.length} numbers`,
  );
  if (factor === 1) return [images];
  const stride = patch / factor;
  const side = size + patch - stride;
  const enlarged = resizeBicubic(images, [size, size], [side, side]);
  const planes = images.length / plane;
  return Array.from({ length: factor * factor }, (_, copy) => {
    const [top, left] = [stride * Math.floor(copy / factor), stride * (copy % factor)];
    const out = new Float32Array(images.length);
    for (let p = 0; p < planes; p++) {
      for (let y = 0; y < size; y++) {
        const from = (p * side + top + y) * side + left;
        out.set(enlarged.subarray(from, from + size), p * plane + y * size);
      }
    }
    return out;
  });
}

/**
 * Joins the feature vectors of the copies: `maps[r i + j]` is `[batch, h, w, C]`, the result `[batch, h r, w r, C]` with the
 * vector of copy (i, j) at (y, x) in (r y + i, r x + j).
 */
export function interleave(
  maps: readonly Float32Array[],
  [batch, height, width, channels]: readonly [number, number, number, number],
): Float32Array {
  const factor = Math.sqrt(maps.length);
  check(
    Number.isInteger(factor) && maps.every((map) => map.length === batch * height * width * channels),
    () => `up-tiling: expected r^2 maps of [${batch}, ${height}, ${width}, ${channels}], got ${maps.length}`,
  );
  const [rows, columns] = [height * factor, width * factor];
  const out = new Float32Array(batch * rows * columns * channels);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const map = maps[(y % factor) * factor + (x % factor)]!;
        const from = ((n * height + Math.floor(y / factor)) * width + Math.floor(x / factor)) * channels;
        out.set(map.subarray(from, from + channels), ((n * rows + y) * columns + x) * channels);
      }
    }
  }
  return out;
}
