import { checkLength, checkSizes, checkWhole } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import { gridImage, gridLayout } from "./image-grid.js";
import type { GridOptions } from "./image-grid.js";
import { fillRectangle } from "./rgba-image.js";
import type { MapSize, ReuseOptions, RgbaImage } from "./rgba-image.js";
import { SEQUENTIAL } from "./colours/scalar-maps.js";
import type { ScalarMap } from "./colours/scalar-maps.js";

/** Values of several channels for one image, row-major `[channels, height, width]`. */
export interface FeatureMaps extends MapSize {
  readonly channels: number;
  readonly values: ArrayLike<number>;
}

/** The values at the two ends of a colour scale. */
export interface ColourRange {
  readonly low: number;
  readonly high: number;
}

/** Options that say which values the colours of {@link featureMaps} represent. */
export interface ScaleOptions {
  /** Channels to show, in this order. Default: all. */
  readonly channels?: readonly number[];
  /** Colour map. Default {@link SEQUENTIAL}. A diverging map makes ranges symmetric around 0. */
  readonly map?: ScalarMap;
  /**
   * The range of values that the colours cover. `"own"`: each map has its own range, from its smallest to its
   * largest value. `"shared"`: all shown maps have one range together. A fixed range clips values beyond it;
   * it makes the frames of an animation comparable. Default `"shared"`.
   */
  readonly range?: "own" | "shared" | ColourRange;
  /**
   * Low end of the range in place of the smallest value, such as 0 for activity. Ignored for diverging maps
   * and fixed ranges.
   */
  readonly low?: number;
}

/** Options of {@link featureMaps}. */
export interface FeatureMapOptions extends ScaleOptions, GridOptions, ReuseOptions {
  /** Side in pixels of the square that shows one value, a whole number. Default 1. */
  readonly scale?: number;
}

/**
 * Finds the range of every map that {@link featureMaps} shows with the same options. These are the ranges to
 * pass to `drawColourScale`.
 *
 * @throws StriateError if values do not fit the sizes or are not finite, or there is no such channel
 */
export function featureRanges(maps: FeatureMaps, options: ScaleOptions = {}): ColourRange[] {
  const { map = SEQUENTIAL, range = "shared" } = options;
  const shown = shownChannels(maps, options.channels);
  if (typeof range === "object") {
    check(
      Number.isFinite(range.low) && range.high > range.low && range.high < Infinity,
      () => `feature maps: expected a range from a low to a higher value, got ${range.low} to ${range.high}`,
    );
    return shown.map(() => range);
  }
  const ranges = shown.map((channel) => ends(maps, channel));
  const low = Math.min(...ranges.map((one) => one.low));
  const high = Math.max(...ranges.map((one) => one.high));
  return ranges.map((ownRange) => {
    const found = range === "own" ? ownRange : { low, high };
    const most = Math.max(Math.abs(found.low), Math.abs(found.high));
    return map.diverging ? { low: -most, high: most } : { ...found, low: options.low ?? found.low };
  });
}

function shownChannels(
  { channels, height, width, values }: FeatureMaps,
  chosen: readonly number[] | undefined,
): readonly number[] {
  checkSizes("feature maps", { channels, height, width });
  checkLength("feature maps", values, channels * height * width);
  for (const channel of chosen ?? [])
    checkWhole("feature maps: channel", channel, { from: 0, to: channels - 1 });
  return chosen ?? Array.from({ length: channels }, (_, channel) => channel);
}

function ends({ height, width, values }: FeatureMaps, channel: number): ColourRange {
  const area = height * width;
  let [low, high] = [Infinity, -Infinity];
  for (let i = channel * area; i < (channel + 1) * area; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) throw notFinite(channel, value);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

function notFinite(channel: number, value: number): StriateError {
  return new StriateError(`feature maps: channel ${channel}: expected finite numbers, got ${value}`);
}

/**
 * Draws maps of scalars in a grid, row by row.
 *
 * @throws StriateError if values do not fit the sizes or are not finite, there is no such channel, or none is shown
 * @example
 * ```ts
 * import { featureMaps, featureRanges } from "striate/draw";
 *
 * const values = Float32Array.from({ length: 16 * 14 * 14 }, (_, i) => Math.sin(i));
 * const maps = { channels: 16, height: 14, width: 14, values };
 * const image = featureMaps(maps, { columns: 4, scale: 4 });
 * console.log(image.width > 4 * 14 * 4, featureRanges(maps)[0]!.high.toFixed(1)); // true 1.0
 * ```
 */
export function featureMaps(maps: FeatureMaps, options: FeatureMapOptions = {}): RgbaImage {
  const { map = SEQUENTIAL, scale = 1, background, into } = options;
  const shown = shownChannels(maps, options.channels);
  const ranges = featureRanges(maps, options);
  checkSizes("feature maps", { scale });
  const { height, width, values } = maps;
  const tile = { height: scale * height, width: scale * width };
  const layout = gridLayout("feature maps", shown.length, tile, options);
  const image = gridImage("feature maps", layout, background, into);
  for (const [i, channel] of shown.entries()) {
    const { low, high } = ranges[i]!;
    // A constant map gets the colour of the low end or, if the colour map is diverging, the middle colour.
    const [step, start] = high > low ? [255 / (high - low), -low] : [0, 0];
    const rest = high > low || !map.diverging ? 0 : 127.5;
    for (let p = 0; p < height * width; p++) {
      const value = values[channel * height * width + p]!;
      if (!Number.isFinite(value)) throw notFinite(channel, value);
      const at = 3 * Math.round(Math.min(255, Math.max(0, rest + (value + start) * step)));
      const x = layout.left(i) + scale * (p % width);
      const y = layout.top(i) + scale * Math.floor(p / width);
      const { table } = map;
      fillRectangle(image, x, y, scale, scale, table[at]!, table[at + 1]!, table[at + 2]!, 255);
    }
  }
  return image;
}
