import { checkLength, checkSizes, checkSome, checkWhole } from "../util/check.js";
import { checkMaximum, paintPhase } from "./phase-map.js";
import type { PhaseLooks } from "./phase-map.js";
import { fillRectangle, imageFor } from "./rgba-image.js";
import type { ReuseOptions, RgbaImage } from "./rgba-image.js";
import { SEQUENTIAL } from "./colours/scalar-maps.js";

/** Phases and amplitudes of the same positions at every timestep, both row-major `[timesteps, positions]`. */
export interface PhaseSeries {
  readonly timesteps: number;
  readonly positions: number;
  /** Phases in radians. */
  readonly phases: ArrayLike<number>;
  /** Amplitudes, 0 or more. Default: 1 everywhere. */
  readonly amplitudes?: ArrayLike<number>;
}

/** Options of {@link timeStrip}. */
export interface TimeStripOptions extends PhaseLooks, ReuseOptions {
  /** Positions to show, from top to bottom; positions are numbered from 0. Default: all, in order. */
  readonly rows?: readonly number[];
  /**
   * What to show: `"phase"` shows phases as colours, with the amplitude as opacity; `"amplitude"` shows only
   * amplitudes, on a sequential map that starts at 0. Default `"phase"`.
   */
  readonly show?: "phase" | "amplitude";
  /** Width and height in pixels of the rectangle for one position at one timestep. Default 8 and 8. */
  readonly cell?: { readonly width: number; readonly height: number };
}

/**
 * Draws positions over time: each position has a row, and time goes from left to right. Units that synchronise become
 * bands of one colour.
 *
 * @throws StriateError if arrays do not fit the sizes, a row is not a position, or numbers are not finite
 * @example
 * ```ts
 * import { timeStrip } from "striate/draw";
 *
 * const phases = Float32Array.from({ length: 15 * 100 }, (_, i) => i / 100);
 * const strip = timeStrip({ timesteps: 15, positions: 100, phases }, { rows: [10, 11, 60] });
 * console.log(strip.width, strip.height); // 120 24
 * ```
 */
export function timeStrip(series: PhaseSeries, options: TimeStripOptions = {}): RgbaImage {
  const { timesteps, positions, phases, amplitudes } = series;
  const { rows, show = "phase", cell = { width: 8, height: 8 } } = options;
  checkSizes("time strip", { timesteps, positions, "cell width": cell.width, "cell height": cell.height });
  checkLength("time strip phases", phases, timesteps * positions);
  if (amplitudes) checkLength("time strip amplitudes", amplitudes, timesteps * positions);
  const count = rows?.length ?? positions;
  checkSome("time strip", count, "row");
  const { maximum = largest(amplitudes) } = options;
  checkMaximum(maximum);
  const strip = imageFor("time strip", timesteps * cell.width, count * cell.height, options.into);
  for (let row = 0; row < count; row++) {
    const position = rows?.[row] ?? row;
    checkWhole("time strip: position", position, { from: 0, to: positions - 1 });
    for (let t = 0; t < timesteps; t++) {
      const at = t * positions + position;
      const part = (amplitudes?.[at] ?? 1) / maximum;
      const [x, y] = [t * cell.width, row * cell.height];
      if (show === "phase") {
        paintPhase(strip, x, y, cell.width, cell.height, phases[at]!, part, options);
        continue;
      }
      const k = 3 * Math.round(255 * Math.min(1, Math.max(0, part)));
      const { table } = SEQUENTIAL;
      fillRectangle(strip, x, y, cell.width, cell.height, table[k]!, table[k + 1]!, table[k + 2]!, 255);
    }
  }
  return strip;
}

/** The largest amplitude, or 1 if none is above 0. */
function largest(amplitudes: ArrayLike<number> | undefined): number {
  let most = 0;
  for (let i = 0; i < (amplitudes?.length ?? 0); i++) most = Math.max(most, amplitudes![i]!);
  return most || 1;
}
