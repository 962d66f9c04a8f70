import { checkEveryWhole, checkSizes, checkSome } from "../../util/check.js";
import { check } from "../../util/errors.js";

/** Grey digit images with their labels, as in MNIST. */
export interface DigitImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** The images, `[count, height, width]`: 0 is background, 255 is ink. */
  readonly images: Uint8Array;
  /** The digits in the images, `[count]`, from 0 to 9. */
  readonly labels: Uint8Array;
}

/**
 * Combines images and labels of digits after checking their sizes and values; `name` names the set in errors. Throws
 * `StriateError`.
 */
export function digitImages(
  name: string,
  images: Uint8Array,
  labels: Uint8Array,
  height: number,
  width: number,
): DigitImages {
  checkSizes(name, { height, width });
  const count = labels.length;
  checkSome(name, count, "image");
  check(
    images.length === count * height * width,
    () =>
      `${name}: expected ${count} images of ${height}x${width} for ${count} labels, ` +
      `got ${images.length / (height * width)}`,
  );
  checkEveryWhole(`${name}: labels`, labels, { from: 0, to: 9 });
  return { count, height, width, images, labels };
}
