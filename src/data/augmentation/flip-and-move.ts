import { check } from "../../util/errors.js";
import type { Random } from "../../util/random.js";

/**
 * The usual augmentation of small images, in place. The image is mirrored with probability 1/2, then shifted
 * by up to `reach` pixels along each axis, with all shifts equally likely. This is the same as a random crop
 * after padding by `reach`. Pixels from outside the image are 0, which is the mean colour of normalised
 * images.
 *
 * @param image planes [channels, height, width]
 */
export function flipAndMove(
  image: Float32Array,
  [channels, height, width]: readonly [number, number, number],
  reach: number,
  random: Random,
): void {
  check(
    image.length === channels * height * width,
    () =>
      `augmentation: expected ${channels} x ${height} x ${width} numbers for an image, got ${image.length}`,
  );
  const mirrored = random.uniform() < 0.5;
  const down = random.integer(-reach, reach + 1);
  const right = random.integer(-reach, reach + 1);
  const source = Float32Array.from(image);
  image.fill(0);
  for (let row = 0; row < channels * height; row++) {
    const y = (row % height) - down;
    if (y < 0 || y >= height) continue;
    const [to, from] = [row * width, (row - down) * width];
    for (let x = 0; x < width; x++) {
      const at = x - right;
      if (at >= 0 && at < width) image[to + x] = source[from + (mirrored ? width - 1 - at : at)]!;
    }
  }
}
