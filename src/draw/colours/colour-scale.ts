import { checkSizes } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { entry, hex } from "./colour.js";
import { FONT, withStyles } from "../context.js";
import type { DrawingContext } from "../context.js";
import type { ColourRange } from "../feature-maps.js";
import { SEQUENTIAL } from "./scalar-maps.js";
import type { ScalarMap } from "./scalar-maps.js";

/** Options of {@link drawColourScale}. */
export interface ColourScaleOptions {
  /** Colour map. Default {@link SEQUENTIAL}. */
  readonly map?: ScalarMap;
  /** Width in pixels. Default 180. */
  readonly width?: number;
  /** Height of the bar and the numbers together, in pixels. Default 28. */
  readonly height?: number;
  /** Formats a number as text. Default: three significant digits. */
  readonly format?: (value: number) => string;
  /** Colour of the numbers. Default `currentColor`. */
  readonly ink?: string;
}

const STEPS = 64;

/** Formats a number with three significant digits and a true minus sign. */
function significant(value: number): string {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/**
 * Draws the legend of feature maps: a colour bar from the low to the high end of the range, with the two
 * numbers below it. For a diverging map, the number in the middle is also shown.
 *
 * @throws StriateError if a size is not a whole number above 0, or the range is not finite
 * @example
 * ```ts
 * import { drawColourScale, svg } from "striate/draw";
 *
 * const scale = svg({ width: 180, height: 28, label: "Scale" }, (context) => {
 *   drawColourScale(context, { low: 0, high: 1 });
 * });
 * console.log(scale.startsWith("<svg")); // true
 * ```
 */
export function drawColourScale(
  context: DrawingContext,
  { low, high }: ColourRange,
  options: ColourScaleOptions = {},
): void {
  const { map = SEQUENTIAL, width = 180, height = 28, format = significant, ink = "currentColor" } = options;
  checkSizes("colour scale", { width, height });
  check(
    Number.isFinite(low) && Number.isFinite(high),
    () => `colour scale: expected a finite range, got ${low} to ${high}`,
  );
  const bar = Math.max(1, height - 16);
  withStyles(context, () => {
    for (let i = 0; i < STEPS; i++) {
      context.fillStyle = hex(entry(map.table, Math.round((255 * i) / (STEPS - 1))));
      const [from, to] = [(width * i) / STEPS, (width * (i + 1)) / STEPS];
      // A slight overlap hides the seams that antialiasing leaves between neighbouring rectangles.
      context.fillRect(from, 0, Math.min(width, to + 0.5) - from, bar);
    }
    context.fillStyle = ink;
    context.font = `11px ${FONT}`;
    context.textAlign = "left";
    context.fillText(format(low), 0, bar + 12);
    context.textAlign = "right";
    context.fillText(format(high), width, bar + 12);
    if (!map.diverging) return;
    context.textAlign = "center";
    context.fillText(format((low + high) / 2), width / 2, bar + 12);
  });
}
