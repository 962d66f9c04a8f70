import { checkSizes } from "../../util/check.js";
import { check } from "../../util/errors.js";

/** An image of 8-bit red, green and blue values, row by row: `data[(y * width + x) * 3 + channel]`. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Throws `StriateError` unless the image has a positive whole size and the matching number of bytes. */
export function checkImage(image: RgbImage, what = "image"): void {
  const { width, height, data } = image;
  checkSizes(what, { width, height });
  check(
    data instanceof Uint8Array && data.length === width * height * 3,
    () =>
      `${what}: expected ${width * height * 3} bytes of RGB for ${width} x ${height} pixels, got ` +
      (data instanceof Uint8Array ? `${data.length}` : "something other than a Uint8Array"),
  );
}

/** Cuts out the rectangle with the given upper left corner. Throws `StriateError` unless it lies inside the image. */
export function crop(image: RgbImage, left: number, top: number, width: number, height: number): RgbImage {
  checkImage(image);
  check(
    [left, top, width, height].every(Number.isInteger) &&
      left >= 0 &&
      top >= 0 &&
      width > 0 &&
      height > 0 &&
      left + width <= image.width &&
      top + height <= image.height,
    () =>
      `crop: expected a rectangle inside an image of ${image.width} x ${image.height}, got ${width} x ${height} at (${left}, ${top})`,
  );
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}

/**
 * Crops the central square of `size` pixels; offsets that end in one half are rounded to the even number, as
 * in torchvision's CenterCrop.
 */
export function centreCrop(image: RgbImage, size: number): RgbImage {
  check(
    image.width >= size && image.height >= size,
    () =>
      `centre crop: expected an image of at least ${size} x ${size}, got ${image.width} x ${image.height}`,
  );
  return crop(
    image,
    roundHalfEven((image.width - size) / 2),
    roundHalfEven((image.height - size) / 2),
    size,
    size,
  );
}

/** Rounds to the nearest whole number, and halves to the nearest even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const part = value - below;
  if (part !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The grey value of a colour, 0 to 255, as in Pillow's mode "L" (ITU-R 601-2 luma in 16-bit fixed point). */
export function greyOf(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** The bytes themselves, or a copy if they are a part of larger memory: a thread would be sent all of that memory. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

/** The image with pixels of its own, see {@link ownBytes}. */
export function withOwnMemory(image: RgbImage): RgbImage {
  const data = ownBytes(image.data);
  return data === image.data ? image : { ...image, data };
}
