import { checkSizes } from "../util/check.js";
import { entry, hex } from "./colours/colour.js";
import { FONT, withStyles } from "./context.js";
import type { DrawingContext } from "./context.js";
import { UNIFORM_CYCLE } from "./colours/cyclic-maps.js";
import type { CyclicMap } from "./colours/cyclic-maps.js";

/** Options of {@link drawPhaseWheel}. */
export interface PhaseWheelOptions {
  /** Colour map. Default {@link UNIFORM_CYCLE}. */
  readonly map?: CyclicMap;
  /** Side in pixels of the square that contains the wheel and its labels. Default 132. */
  readonly size?: number;
  /** Colour of the labels. Default `currentColor`. */
  readonly ink?: string;
}

const WEDGES = 96;

/**
 * Draws the legend of a phase map. The angle, anticlockwise from the right, is the phase; labels mark 0, π/2,
 * ±π and -π/2. The colours fade from the rim (maximum amplitude) to the centre (amplitude 0).
 *
 * @throws StriateError if the size is not a whole number above 0
 * @example
 * ```ts
 * import { TWO_HUE_CYCLE, drawPhaseWheel, svg } from "striate/draw";
 *
 * const wheel = svg({ width: 132, height: 132, label: "Phases" }, (context) => {
 *   drawPhaseWheel(context, { map: TWO_HUE_CYCLE });
 * });
 * console.log(wheel.startsWith("<svg")); // true
 * ```
 */
export function drawPhaseWheel(context: DrawingContext, options: PhaseWheelOptions = {}): void {
  const { map = UNIFORM_CYCLE, size = 132, ink = "currentColor" } = options;
  checkSizes("phase wheel", { size });
  const unit = size / 132;
  const [centre, radius] = [66 * unit, 45 * unit];
  withStyles(context, () => {
    for (let i = 0; i < WEDGES; i++) {
      const from = -Math.PI + (2 * Math.PI * i) / WEDGES;
      // A slight overlap hides the seams that antialiasing leaves between neighbouring wedges.
      const to = from + (2 * Math.PI * 1.25) / WEDGES;
      context.fillStyle = hex(entry(map.table, Math.floor(((i + 0.5) * 256) / WEDGES)));
      context.beginPath();
      context.moveTo(centre, centre);
      context.arc(centre, centre, radius, -from, -to, true);
      context.closePath();
      context.fill();
    }
    const fade = context.createRadialGradient(centre, centre, 0, centre, centre, radius + 0.5 * unit);
    fade.addColorStop(0, hex(map.silent));
    fade.addColorStop(1, `${hex(map.silent)}00`);
    context.fillStyle = fade;
    context.beginPath();
    context.arc(centre, centre, radius + 0.5 * unit, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = ink;
    context.font = `${12 * unit}px ${FONT}`;
    const labels = [
      ["0", centre + radius + 5 * unit, centre + 4 * unit, "left"],
      ["π/2", centre, centre - radius - 6 * unit, "center"],
      ["±π", centre - radius - 4 * unit, centre + 4 * unit, "right"],
      ["−π/2", centre, centre + radius + 15 * unit, "center"],
    ] as const;
    for (const [text, x, y, align] of labels) {
      context.textAlign = align;
      context.fillText(text, x, y);
    }
  });
}
