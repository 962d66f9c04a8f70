import { checkBetween, checkEveryWhole, checkLength, checkPixels, checkSizes } from "../util/check.js";
import type { Rgb } from "./colours/colour.js";
import { labelColour } from "./colours/palette.js";
import { blend, checkRgbaImage, fillRectangle, imageFor } from "./rgba-image.js";
import type { MapSize, ReuseOptions, RgbaImage } from "./rgba-image.js";

/**
 * A label for each pixel, `[height, width]`: 0 for the background, 1 or more for objects, below 0 for pixels
 * that metrics ignore.
 */
export interface LabelPlane extends MapSize {
  readonly labels: ArrayLike<number>;
}

/** Options of {@link labelMap}. */
export interface LabelMapOptions extends ReuseOptions {
  /** Colour of a label; `null` is transparent. Default `labelColour`. */
  readonly colourOf?: (label: number) => Rgb | null;
  /** Side in pixels of the square that shows one pixel, a whole number. Default 1. */
  readonly scale?: number;
}

/**
 * Draws labelled pixels in plain colours.
 *
 * @throws StriateError if the labels do not fit the size or are not whole numbers
 * @example
 * ```ts
 * import { labelMap } from "striate/draw";
 *
 * const segments = labelMap({ height: 2, width: 2, labels: [0, 1, 1, 2] }, { scale: 4 });
 * console.log(segments.width, segments.height); // 8 8
 * ```
 */
export function labelMap(plane: LabelPlane, options: LabelMapOptions = {}): RgbaImage {
  const { height, width, labels } = plane;
  const { colourOf = labelColour, scale = 1 } = options;
  checkLabels("label map", plane, scale);
  const image = imageFor("label map", scale * width, scale * height, options.into);
  for (let p = 0; p < height * width; p++) {
    const [x, y] = [scale * (p % width), scale * Math.floor(p / width)];
    const colour = colourOf(labels[p]!);
    if (colour === null) fillRectangle(image, x, y, scale, scale, 0, 0, 0, 0);
    else fillRectangle(image, x, y, scale, scale, colour[0], colour[1], colour[2], 255);
  }
  return image;
}

/** Options of {@link maskOverlay}. */
export interface MaskOverlayOptions extends ReuseOptions {
  /**
   * Colour of a label; `null` leaves the pixels of the image unchanged. Default: `null` for labels up to 0, otherwise
   * `labelColour`.
   */
  readonly colourOf?: (label: number) => Rgb | null;
  /** Opacity of the colours, 0..1. Default 0.45. */
  readonly opacity?: number;
  /** Colour of the lines between pixels of different labels; `null` for no lines. Default white. */
  readonly boundary?: Rgb | null;
  /** Side in pixels of the square that shows one pixel, a whole number; lines are always one pixel wide. Default 1. */
  readonly scale?: number;
}

const WHITE: Rgb = [255, 255, 255];

/**
 * Draws labels over an image of the same size: tints the objects and draws lines around them. A line lies on
 * the left side of a border between two labels, or above it.
 *
 * @param picture the image; its transparent parts stay transparent unless a mask or a line covers them
 * @throws StriateError if image and labels differ in size, or the opacity is not from 0 to 1
 * @example
 * ```ts
 * import { fromRgb, maskOverlay } from "striate/draw";
 *
 * const photo = fromRgb({ width: 2, height: 2, data: new Uint8Array(12).fill(200) });
 * const shown = maskOverlay(photo, { height: 2, width: 2, labels: [0, 1, 1, 2] }, { scale: 4 });
 * console.log(shown.width, shown.height); // 8 8
 * ```
 */
export function maskOverlay(
  picture: RgbaImage,
  plane: LabelPlane,
  options: MaskOverlayOptions = {},
): RgbaImage {
  const { height, width, labels } = plane;
  const { colourOf = tint, opacity = 0.45, boundary = WHITE, scale = 1 } = options;
  checkRgbaImage("mask overlay image", picture);
  checkLabels("mask overlay", plane, scale);
  checkPixels("mask overlay: labels", plane, picture.width, picture.height);
  checkBetween("mask overlay: opacity", opacity, 0, 1);
  const image = imageFor("mask overlay", scale * width, scale * height, options.into);
  for (let p = 0; p < height * width; p++) {
    const [x, y] = [p % width, Math.floor(p / width)];
    const [left, top] = [scale * x, scale * y];
    const label = labels[p]!;
    const colour = colourOf(label);
    let red = picture.data[4 * p]!;
    let green = picture.data[4 * p + 1]!;
    let blue = picture.data[4 * p + 2]!;
    let alpha = picture.data[4 * p + 3]!;
    if (colour !== null) {
      red = blend(colour[0], red, opacity);
      green = blend(colour[1], green, opacity);
      blue = blend(colour[2], blue, opacity);
      alpha = blend(255, alpha, opacity);
    }
    fillRectangle(image, left, top, scale, scale, red, green, blue, alpha);
    if (boundary === null) continue;
    const [br, bg, bb] = boundary;
    if (x + 1 < width && labels[p + 1] !== label)
      fillRectangle(image, left + scale - 1, top, 1, scale, br, bg, bb, 255);
    if (y + 1 < height && labels[p + width] !== label)
      fillRectangle(image, left, top + scale - 1, scale, 1, br, bg, bb, 255);
  }
  return image;
}

function tint(label: number): Rgb | null {
  return label > 0 ? labelColour(label) : null;
}

function checkLabels(what: string, { height, width, labels }: LabelPlane, scale: number): void {
  checkSizes(what, { height, width, scale });
  checkLength(`${what} labels`, labels, height * width);
  checkEveryWhole(`${what} labels`, labels, { from: -Infinity });
}

/**
 * Combines the masks of n objects into labels: 0 for the background, 1..n for the objects, and n + 1 for
 * pixels that several objects share. Each mask is `[height, width]`, with values above 0 inside its object.
 *
 * @throws StriateError if a mask does not have `pixels` values
 */
export function labelsOfMasks(masks: readonly ArrayLike<number>[], pixels: number): Int32Array {
  masks.forEach((mask, i) => {
    checkLength(`mask ${i + 1}`, mask, pixels);
  });
  return Int32Array.from({ length: pixels }, (_, p) => {
    const owners = masks.flatMap((mask, i) => (mask[p]! > 0 ? [i + 1] : []));
    return owners.length > 1 ? masks.length + 1 : (owners[0] ?? 0);
  });
}
