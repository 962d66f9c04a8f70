import type { Reliability } from "../metrics/calibration.js";
import { checkSizes, checkSome } from "../util/check.js";
import { check } from "../util/errors.js";
import { FONT, withStyles } from "./context.js";
import type { DrawingContext } from "./context.js";
import { CATEGORICAL } from "./colours/palette.js";

/** Options of {@link drawReliabilityDiagram}. */
export interface ReliabilityDiagramOptions {
  /** Width in pixels. Default 360. */
  readonly width?: number;
  /** Height in pixels of the diagram and of the histogram of counts together. Default 420. */
  readonly height?: number;
  /** Colour of texts and lines. Default `currentColor`. */
  readonly ink?: string;
  /** Colour of the bars. Default: the first categorical colour. */
  readonly bar?: string;
  /** Colour of the gaps between the bars and the diagonal. Default: the second categorical colour. */
  readonly gap?: string;
}

/**
 * Margins for texts around the diagram, and the space between the diagram and the histogram of counts, in
 * pixels.
 */
const [LEFT, RIGHT, TOP, BOTTOM, BETWEEN] = [44, 10, 20, 34, 26];

/**
 * Draws a reliability diagram (Guo et al. 2017, "On Calibration of Modern Neural Networks", figure 1). For
 * each bin of confidence, a bar shows the accuracy, and a second colour marks the gap between the accuracy
 * and the mean confidence. If the gap lies above the accuracy, the network is overconfident. The diagonal is
 * perfect calibration, the text is the expected calibration error, and a histogram below shows the number of
 * samples in each bin.
 *
 * @throws StriateError without samples, or if a size leaves no room for the diagram
 * @example
 * ```ts
 * import { metrics } from "striate";
 * import { drawReliabilityDiagram, svg } from "striate/draw";
 *
 * const diagram = svg({ width: 360, height: 420, label: "Calibration" }, (context) => {
 *   drawReliabilityDiagram(context, metrics.reliability([0.9, 0.8, 0.6], [1, 1, 0]));
 * });
 * console.log(diagram.startsWith("<svg")); // true
 * ```
 */
export function drawReliabilityDiagram(
  context: DrawingContext,
  { bins, ece }: Pick<Reliability, "bins" | "ece">,
  options: ReliabilityDiagramOptions = {},
): void {
  const { width = 360, height = 420, ink = "currentColor" } = options;
  const { bar = CATEGORICAL[0], gap = CATEGORICAL[1] } = options;
  checkSizes("reliability diagram", { width, height });
  const [left, right] = [LEFT, width - RIGHT];
  const room = height - TOP - BETWEEN - BOTTOM;
  check(
    right - left >= 40 && room >= 60,
    () => `reliability diagram: expected at least 94 x 140 pixels, got ${width} x ${height}`,
  );
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  checkSome("reliability diagram", total, "sample");
  const bottom = TOP + 0.78 * room;
  const [countTop, countBottom] = [bottom + BETWEEN, height - BOTTOM];
  const x = (confidence: number) => left + confidence * (right - left);
  const y = (accuracy: number) => bottom - accuracy * (bottom - TOP);
  const largest = Math.max(...bins.map(({ count }) => count));
  const line = (fromX: number, fromY: number, toX: number, toY: number) => {
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.stroke();
  };
  withStyles(context, () => {
    for (const { low, high, count, confidence, accuracy } of bins) {
      if (count === 0) continue;
      const [from, wide] = [x(low) + 0.75, x(high) - x(low) - 1.5];
      context.fillStyle = bar;
      context.globalAlpha = 0.85;
      context.mark?.("accuracy");
      context.fillRect(from, y(accuracy), wide, bottom - y(accuracy));
      context.fillStyle = gap;
      context.globalAlpha = 0.45;
      context.mark?.("gap");
      const upper = Math.max(accuracy, confidence);
      context.fillRect(from, y(upper), wide, y(Math.min(accuracy, confidence)) - y(upper));
      context.fillStyle = ink;
      context.globalAlpha = 0.4;
      const tall = (count / largest) * (countBottom - countTop);
      context.mark?.("count");
      context.fillRect(from, countBottom - tall, wide, tall);
    }
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.13;
    for (const part of [0.25, 0.5, 0.75, 1]) line(left, y(part), right, y(part));
    context.globalAlpha = 0.4;
    line(left, bottom, right, bottom);
    line(left, countBottom, right, countBottom);
    context.globalAlpha = 0.75;
    context.setLineDash([4, 3]);
    line(x(0), y(0), x(1), y(1));
    context.setLineDash([]);
    context.fillStyle = ink;
    context.globalAlpha = 0.85;
    context.font = `11px ${FONT}`;
    context.textAlign = "right";
    for (const part of [0, 0.25, 0.5, 0.75, 1]) context.fillText(`${100 * part} %`, left - 6, y(part) + 4);
    context.fillText(String(largest), left - 6, countTop + 8);
    context.fillText("0", left - 6, countBottom + 4);
    context.textAlign = "center";
    for (const part of [0, 0.5]) context.fillText(`${100 * part} %`, x(part), countBottom + 14);
    context.textAlign = "right";
    context.fillText("100 %", right, countBottom + 14);
    context.textAlign = "left";
    context.font = `600 11px ${FONT}`;
    context.fillText("accuracy", left, TOP - 8);
    context.fillText("samples", left, countTop - 8);
    context.textAlign = "center";
    context.fillText("confidence", (left + right) / 2, height - 5);
    context.textAlign = "right";
    context.fillText(`ECE ${(100 * ece).toFixed(1)} %`, right, TOP - 8);
  });
}
