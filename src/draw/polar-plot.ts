import { orderParameters } from "../metrics/order-parameter.js";
import { checkLength, checkSizes, checkSome } from "../util/check.js";
import { hex } from "./colours/colour.js";
import { withStyles } from "./context.js";
import type { DrawingContext } from "./context.js";
import { labelColour } from "./colours/palette.js";
import { checkMaximum } from "./phase-map.js";
import { maximumAmplitude } from "./phases.js";
import type { PhasePlane } from "./phases.js";

/** Options of {@link drawPolarPlot}. */
export interface PolarPlotOptions {
  /** Side of the square in pixels. Default 120. */
  readonly size?: number;
  /**
   * Label of each unit, such as the object to which it belongs: a whole number from 0. Default: 0 for all
   * units.
   */
  readonly labels?: ArrayLike<number>;
  /** Number of labels. Default: the largest label plus 1. */
  readonly labelCount?: number;
  /**
   * CSS colour of a label. Default: {@link dotColour}, which is grey for 0 and otherwise the colour of
   * `labelColour`.
   */
  readonly colourOf?: (label: number) => string;
  /** Amplitude at the rim. Default: the largest amplitude. */
  readonly maximum?: number;
  /**
   * Whether each label has a pointer that shows its order parameter: the amplitude-weighted mean of exp(i phase).
   * Default true.
   */
  readonly order?: boolean;
  /** Colour of the rings and the cross. Default `currentColor`. */
  readonly ink?: string;
}

/** Smallest amplitude that is drawn, as a share of the maximum. */
export const POLAR_THRESHOLD = 0.05;
/** Radius of the rim, as a share of the side of the plot. */
export const POLAR_RADIUS = 52 / 120;

/** Radius of the ring at the end of a pointer, as a share of the side of the plot. */
export const ORDER_RING = 3 / 120;

/**
 * Returns the CSS colour of a label on a dark background: grey for label 0, otherwise the colour of
 * `labelColour`.
 */
export function dotColour(label: number): string {
  return label === 0 ? "#9aa0aa" : hex(labelColour(label));
}

/**
 * Draws every active unit as a dot. Its angle is the phase (anticlockwise from the right), and its distance
 * from the centre is amplitude / maximum. Two dense clusters on opposite sides are two synchronised objects.
 * Pointers that end in a ring show the order parameters of the labels; a pointer reaches the rim if all
 * phases of its label agree.
 *
 * In SVG, the dots of label k are one path of class `object-k`, and its pointer is a path of class `order-k`.
 *
 * @param plane phases and amplitudes of the same units, in any order
 * @throws StriateError if lengths differ, a label is out of range, or numbers are not finite
 * @example
 * ```ts
 * import { drawPolarPlot, svg } from "striate/draw";
 *
 * const plane = { phase: Float32Array.of(0, 0.1, 3), amplitude: Float32Array.of(1, 1, 1) };
 * const plot = svg({ width: 120, height: 120, label: "Phases" }, (context) => {
 *   drawPolarPlot(context, plane, { labels: [1, 1, 2] });
 * });
 * console.log(plot.startsWith("<svg")); // true
 * ```
 */
export function drawPolarPlot(
  context: DrawingContext,
  plane: Pick<PhasePlane, "phase" | "amplitude">,
  options: PolarPlotOptions = {},
): void {
  const { phase, amplitude } = plane;
  const { size = 120, labels, colourOf = dotColour, order = true, ink = "currentColor" } = options;
  const { maximum = maximumAmplitude(plane) } = options;
  checkSizes("polar plot", { size });
  checkMaximum(maximum);
  checkSome("polar plot", phase.length, "unit");
  checkLength("polar plot amplitudes", amplitude, phase.length);
  if (labels) checkLength("polar plot labels", labels, phase.length);
  const pointers = orderParameters(phase, {
    weights: amplitude,
    ...(labels && { groups: labels }),
    ...(options.labelCount !== undefined && { groupCount: options.labelCount }),
  });
  const unit = size / 120;
  const [centre, rim] = [size / 2, POLAR_RADIUS * size];
  withStyles(context, () => {
    context.strokeStyle = ink;
    context.lineWidth = unit;
    context.globalAlpha = 0.22;
    for (const part of [1, 0.5]) {
      context.beginPath();
      context.arc(centre, centre, part * rim, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 0.14;
    context.beginPath();
    context.moveTo(centre - rim, centre);
    context.lineTo(centre + rim, centre);
    context.moveTo(centre, centre - rim);
    context.lineTo(centre, centre + rim);
    context.stroke();
    context.lineCap = "round";
    for (const label of pointers.keys()) {
      context.strokeStyle = colourOf(label);
      context.lineWidth = 2.6 * unit;
      context.globalAlpha = 0.8;
      context.beginPath();
      let empty = true;
      for (let i = 0; i < phase.length; i++) {
        if ((labels?.[i] ?? 0) !== label) continue;
        const radius = (rim * amplitude[i]!) / maximum;
        if (radius < POLAR_THRESHOLD * rim) continue;
        const x = centre + radius * Math.cos(phase[i]!);
        const y = centre - radius * Math.sin(phase[i]!);
        context.moveTo(x, y);
        // A canvas draws round caps only for lines longer than 0.
        context.lineTo(x + 0.001, y);
        empty = false;
      }
      // Every label has a path, even an empty one, because scripts add the dots of other timesteps.
      if (empty) context.moveTo(0, 0);
      context.mark?.(`object-${label}`);
      context.stroke();
    }
    if (!order) return;
    context.lineWidth = unit;
    context.globalAlpha = 1;
    for (const [label, { length, angle }] of pointers.entries()) {
      const x = centre + length * rim * Math.cos(angle);
      const y = centre - length * rim * Math.sin(angle);
      context.strokeStyle = colourOf(label);
      context.beginPath();
      context.moveTo(centre, centre);
      if (length > 0) {
        context.lineTo(x, y);
        context.moveTo(x + ORDER_RING * size, y);
        context.arc(x, y, ORDER_RING * size, 0, 2 * Math.PI);
      }
      context.mark?.(`order-${label}`);
      context.stroke();
    }
  });
}
