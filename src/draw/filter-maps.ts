import { checkLength, checkOneOf, checkSizes, checkWhole } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import { featureMaps } from "./feature-maps.js";
import { gridImage, gridLayout } from "./image-grid.js";
import type { GridOptions } from "./image-grid.js";
import { fillRectangle } from "./rgba-image.js";
import type { MapSize, ReuseOptions, RgbaImage } from "./rgba-image.js";
import { DIVERGING } from "./colours/scalar-maps.js";

/** Kernels of a convolution, row-major `[count, channels, height, width]` as in ONNX, with 1 channel or 3 (RGB). */
export interface Filters extends MapSize {
  readonly count: number;
  /** Number of channels. Default 1. */
  readonly channels?: 1 | 3;
  readonly kernels: ArrayLike<number>;
}

/** Options of {@link filterMaps}. */
export interface FilterMapOptions extends GridOptions, ReuseOptions {
  /** Filters to show, in this order. Default: all. */
  readonly filters?: readonly number[];
  /**
   * Whether each filter has its own colour scale, which reaches to its largest absolute weight, or all shown
   * filters share one scale. Default `"own"`.
   */
  readonly range?: "own" | "shared";
  /**
   * For filters of one channel: for each filter k, the channel of the image (0 red, 1 green, 2 blue) to which
   * it is applied. The filters are then drawn in grey with a tint of that colour instead of with the
   * diverging map.
   */
  readonly seenChannel?: ArrayLike<number>;
  /** Side in pixels of the square that shows one weight, a whole number. Default 1. */
  readonly scale?: number;
}

/**
 * For tinted filters: the largest distance from mid grey in the filter's own channel (TINT) and in the other
 * channels (SHADE), and mid grey itself.
 */
const [TINT, SHADE, MIDDLE] = [128, 74, 122];

/**
 * Draws filters in a grid, with colour scales that are symmetric around 0. Filters of one channel are drawn
 * from blue (negative) through near-white (0) to red-orange. Filters of three channels are drawn in their own
 * colours around mid grey.
 *
 * @throws StriateError if the kernels do not fit the sizes or are not finite, or there is no such filter
 * @example
 * ```ts
 * import { filterMaps } from "striate/draw";
 *
 * const kernels = Float32Array.from({ length: 16 * 49 }, (_, i) => Math.cos(i));
 * const image = filterMaps({ count: 16, height: 7, width: 7, kernels }, { columns: 8, scale: 5 });
 * console.log(image.width >= 8 * 7 * 5); // true
 * ```
 */
export function filterMaps(bank: Filters, options: FilterMapOptions = {}): RgbaImage {
  const { count, height, width, kernels, channels = 1 } = bank;
  const { filters, range = "own", seenChannel, scale = 1, background, into } = options;
  if (channels === 1 && seenChannel === undefined) {
    const maps = { channels: count, height, width, values: kernels };
    return featureMaps(maps, { ...options, map: DIVERGING, range, ...(filters && { channels: filters }) });
  }
  checkSizes("filters", { count, height, width, channels, scale });
  checkOneOf("filters: channels", channels, [1, 3]);
  const area = height * width;
  checkLength("filters", kernels, count * channels * area);
  check(
    seenChannel === undefined || channels === 1,
    () => `filters: expected "seenChannel" for filters of one channel only, got ${channels} channels`,
  );
  if (seenChannel) checkLength("filters seenChannel", seenChannel, count);
  const shown = filters ?? Array.from({ length: count }, (_, filter) => filter);
  const layout = gridLayout(
    "filters",
    shown.length,
    { height: scale * height, width: scale * width },
    options,
  );
  const largest = shown.map((filter) => {
    checkWhole("filters: filter", filter, { from: 0, to: count - 1 });
    return largestWeight(kernels, filter, channels * area);
  });
  const most = Math.max(...largest);
  const image = gridImage("filters", layout, background, into);
  for (const [i, filter] of shown.entries()) {
    const divisor = (range === "own" ? largest[i]! : most) || 1;
    for (let p = 0; p < area; p++) {
      const shade = (c: number): number => {
        const at = filter * channels * area + (channels === 3 ? c * area : 0) + p;
        const value = kernels[at]! / divisor;
        if (seenChannel === undefined) return 127.5 + 127.5 * value;
        return MIDDLE + value * (c === seenChannel[filter] ? TINT : SHADE);
      };
      const x = layout.left(i) + scale * (p % width);
      const y = layout.top(i) + scale * Math.floor(p / width);
      fillRectangle(image, x, y, scale, scale, shade(0), shade(1), shade(2), 255);
    }
  }
  return image;
}

function largestWeight(kernels: ArrayLike<number>, filter: number, size: number): number {
  let most = 0;
  for (let i = filter * size; i < (filter + 1) * size; i++) {
    const weight = kernels[i]!;
    if (!Number.isFinite(weight))
      throw new StriateError(`filters: filter ${filter}: expected finite weights, got ${weight}`);
    most = Math.max(most, Math.abs(weight));
  }
  return most;
}
