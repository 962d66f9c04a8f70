import { checkLength, checkPixels, checkSizes } from "../util/check.js";
import type { Rgb } from "./colours/colour.js";

/**
 * An image of 8-bit red, green, blue and alpha values (not premultiplied), row by row: `data[4 * (y * width +
 * x) + channel]`. In a browser, `new ImageData(image.data, image.width, image.height)` shares the image's
 * memory.
 */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Size of a map in pixels. */
export interface MapSize {
  readonly height: number;
  readonly width: number;
}

/** An option of all functions that return an image. */
export interface ReuseOptions {
  /**
   * An image of the right size to overwrite and return, so that no memory is allocated. Default: a new image.
   */
  readonly into?: RgbaImage;
}

/** Throws `StriateError` unless the image has a positive size and four bytes for each pixel. */
export function checkRgbaImage(what: string, image: RgbaImage): void {
  checkSizes(what, { width: image.width, height: image.height });
  checkLength(`${what} data`, image.data, 4 * image.width * image.height);
}

/**
 * Returns the image to draw into: `into` if it is given, otherwise a new image. Throws `StriateError` if
 * `into` does not have the given size.
 */
export function imageFor(what: string, width: number, height: number, into?: RgbaImage): RgbaImage {
  if (into === undefined) return { width, height, data: new Uint8ClampedArray(4 * width * height) };
  checkPixels(`${what} into`, into, width, height);
  checkLength(`${what} into`, into.data, 4 * width * height);
  return into;
}

/** Fills a rectangle of `width` x `height` pixels whose upper left corner is at (x, y). */
export function fillRectangle(
  image: RgbaImage,
  x: number,
  y: number,
  width: number,
  height: number,
  red: number,
  green: number,
  blue: number,
  alpha: number,
): void {
  const { data } = image;
  for (let row = y; row < y + height; row++) {
    let at = 4 * (row * image.width + x);
    for (let column = 0; column < width; column++, at += 4) {
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
      data[at + 3] = alpha;
    }
  }
}

/**
 * Makes an opaque image from red, green and blue bytes, `[height, width, 3]`.
 *
 * @throws StriateError if the bytes do not fit the size
 */
export function fromRgb(
  picture: MapSize & { readonly data: ArrayLike<number> },
  { into }: ReuseOptions = {},
): RgbaImage {
  const { width, height, data } = picture;
  checkSizes("RGB image", { width, height });
  checkLength("RGB image data", data, 3 * width * height);
  const image = imageFor("RGB image", width, height, into);
  for (let p = 0; p < width * height; p++) {
    for (let c = 0; c < 3; c++) image.data[4 * p + c] = data[3 * p + c]!;
    image.data[4 * p + 3] = 255;
  }
  return image;
}

/**
 * Enlarges an image by a whole factor without smoothing: every pixel becomes a square.
 *
 * @throws StriateError if the factor is not a whole number above 0
 */
export function enlarge(image: RgbaImage, factor: number, { into }: ReuseOptions = {}): RgbaImage {
  checkRgbaImage("image to enlarge", image);
  checkSizes("image to enlarge", { factor });
  const large = imageFor("enlarged image", image.width * factor, image.height * factor, into);
  const { width, data } = image;
  for (let p = 0; p < width * image.height; p++) {
    const [x, y, at] = [p % width, Math.floor(p / width), 4 * p];
    const [red, green, blue, alpha] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
    fillRectangle(large, x * factor, y * factor, factor, factor, red, green, blue, alpha);
  }
  return large;
}

/**
 * Blends one channel of the colour `above` over that of the colour `below`. `alpha` is from 0 (only `below`)
 * to 1 (only `above`).
 */
export function blend(above: number, below: number, alpha: number): number {
  return alpha * above + (1 - alpha) * below;
}

/**
 * Blends an image over a plain background; the result is opaque.
 *
 * @throws StriateError if the data do not fit the size
 */
export function overBackground(image: RgbaImage, background: Rgb, { into }: ReuseOptions = {}): RgbaImage {
  checkRgbaImage("image over a background", image);
  const result = imageFor("image over a background", image.width, image.height, into);
  for (let at = 0; at < image.data.length; at += 4) {
    const alpha = image.data[at + 3]! / 255;
    for (let c = 0; c < 3; c++) result.data[at + c] = blend(image.data[at + c]!, background[c]!, alpha);
    result.data[at + 3] = 255;
  }
  return result;
}
