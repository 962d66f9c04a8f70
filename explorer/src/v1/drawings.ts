import { CATEGORICAL, SEQUENTIAL, featureMaps } from "striate/draw";
import type { Population } from "../compute/v1-frame.js";
import { PIXELS_PER_DEGREE, POSITIONS } from "../compute/v1-frame.js";
import { putPixels } from "../parts/pixels.js";

/** Side of a square figure on the page. */
export const SIDE = 256;
const FONT = "12px system-ui, sans-serif";
const TURN = 2 * Math.PI;

type Context = CanvasRenderingContext2D;

export const colourOf = (kind: Kind): string => CATEGORICAL[kind === "simple" ? 0 : 1];

export type Kind = "simple" | "complex";

export const kindOf = ({ simple }: Population, cell: number): Kind => (cell < simple ? "simple" : "complex");

/**
 * The response of a cell to its preferred grating at full contrast. It assumes that the filters give 1/2,
 * which is so if the kernel does not cut off the receptive field.
 */
export const fullResponse = ({ gain }: Population, kind: Kind): number =>
  kind === "simple" ? gain / 2 : (gain * Math.SQRT1_2) / 2;

/** The response of a cell at a position. */
export const responseAt = (responses: Float32Array, cell: number, column: number, row: number): number =>
  responses[(cell * POSITIONS + row) * POSITIONS + column]!;

/** The response of a cell as a share of {@link fullResponse}, at most 1. */
export const strengthOf = (population: Population, cell: number, response: number): number =>
  Math.min(1, response / fullResponse(population, kindOf(population, cell)));

const inkOf = (context: Context): string => getComputedStyle(context.canvas).color;

/**
 * Draws the envelope of a receptive field as an ellipse at two standard deviations. The position is in pixels
 * of the picture.
 */
export function drawField(
  context: Context,
  { orientation, spatialFrequency, nx, ny }: Population,
  cell: number,
  [x, y]: readonly [x: number, y: number],
): void {
  const pixels = (cycles: number): number => (2 * cycles * PIXELS_PER_DEGREE) / spatialFrequency[cell]!;
  const across = (-orientation[cell]! * Math.PI) / 180;
  for (const [width, style] of [
    [1.2, "#000"],
    [0.6, "#fff"],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    context.ellipse(x, y, pixels(ny[cell]!), pixels(nx[cell]!), across, 0, TURN);
    context.stroke();
  }
}

const POLAR = { height: 172, x: SIDE / 2, y: 136, radius: 112, low: 0.5, high: 11.3 } as const;
export const POLAR_HEIGHT = POLAR.height;

/** The position of an orientation and a spatial frequency in the plot. */
function polarPoint(degrees: number, frequency: number): readonly [x: number, y: number] {
  const { x, y, radius, low, high } = POLAR;
  const share = Math.log2(Math.max(low, frequency) / low) / Math.log2(high / low);
  const [r, angle] = [radius * (0.1 + 0.9 * Math.min(1, share)), (degrees * Math.PI) / 180];
  return [x + r * Math.cos(angle), y - r * Math.sin(angle)];
}

/** The cell whose mark is nearest to a point of the plot. */
export function nearestCell({ orientation, spatialFrequency }: Population, x: number, y: number): number {
  const distances = Array.from(orientation, (degrees, cell) => {
    const [px, py] = polarPoint(degrees, spatialFrequency[cell]!);
    return Math.hypot(px - x, py - y);
  });
  return distances.indexOf(Math.min(...distances));
}

export interface PolarMarks {
  readonly strengths: readonly number[];
  readonly chosen: number;
  /** Orientation in degrees and, for a grating, cycles per degree. */
  readonly stimulus: { readonly orientation: number; readonly frequency?: number } | undefined;
  readonly words: { readonly simple: string; readonly complex: string; readonly now: string };
}

/**
 * Draws cells by orientation (angle) and spatial frequency (radius) on a half disc, because 180 degrees cover
 * all orientations.
 */
export function drawPreferences(context: Context, population: Population, marks: PolarMarks): void {
  const { strengths, chosen, stimulus, words } = marks;
  const ink = inkOf(context);
  const { x, y, radius } = POLAR;
  context.font = FONT;
  context.strokeStyle = "#8888";
  context.lineWidth = 1;
  for (const frequency of [1, 2, 4, 8]) {
    const [right] = polarPoint(0, frequency);
    context.beginPath();
    context.arc(x, y, right - x, Math.PI, TURN);
    context.stroke();
    context.fillStyle = ink;
    context.textAlign = "center";
    context.fillText(String(frequency), right, y + 13);
    context.fillText(String(frequency), 2 * x - right, y + 13);
  }
  for (const degrees of [0, 45, 90, 135, 180]) {
    const angle = (degrees * Math.PI) / 180;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + radius * Math.cos(angle), y - radius * Math.sin(angle));
    context.stroke();
    if (degrees % 180 === 0) continue;
    context.fillText(
      `${degrees}°`,
      x + (radius + 12) * Math.cos(angle),
      y + 4 - (radius + 9) * Math.sin(angle),
    );
  }
  if (stimulus !== undefined) drawStimulusMark(context, stimulus.orientation, stimulus.frequency);
  population.orientation.forEach((degrees, cell) => {
    const kind = kindOf(population, cell);
    const strength = strengths[cell] ?? 0;
    const [px, py] = polarPoint(degrees, population.spatialFrequency[cell]!);
    context.fillStyle = context.strokeStyle = colourOf(kind);
    context.lineWidth = 1;
    drawMark(context, kind, px, py, 3 + 4 * strength, strength);
    if (cell !== chosen) return;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(px, py, 10, 0, TURN);
    context.stroke();
  });
  drawLegend(context, words, ink);
}

/**
 * Draws a circle for a simple cell, a diamond for a complex cell. The stronger the response, the more opaque
 * is the filling.
 */
function drawMark(context: Context, kind: Kind, x: number, y: number, radius: number, opacity: number): void {
  context.beginPath();
  if (kind === "simple") context.arc(x, y, radius, 0, TURN);
  else {
    const reach = 1.25 * radius;
    context.moveTo(x, y - reach);
    context.lineTo(x + reach, y);
    context.lineTo(x, y + reach);
    context.lineTo(x - reach, y);
    context.closePath();
  }
  context.globalAlpha = opacity;
  context.fill();
  context.globalAlpha = 1;
  context.stroke();
}

/** Draws a cross at the orientation and frequency of a grating, or a line at the orientation of a bar. */
function drawStimulusMark(context: Context, degrees: number, frequency: number | undefined): void {
  context.strokeStyle = inkOf(context);
  context.lineWidth = 2;
  context.beginPath();
  if (frequency === undefined) {
    context.moveTo(POLAR.x, POLAR.y);
    context.lineTo(...polarPoint(degrees, POLAR.high));
  } else {
    const [x, y] = polarPoint(degrees, frequency);
    drawCross(context, x, y, 9);
  }
  context.stroke();
}

function drawCross(context: Context, x: number, y: number, reach: number): void {
  context.moveTo(x - reach, y);
  context.lineTo(x + reach, y);
  context.moveTo(x, y - reach);
  context.lineTo(x, y + reach);
}

function drawLegend(context: Context, words: PolarMarks["words"], ink: string): void {
  const y = POLAR.height - 8;
  context.textAlign = "left";
  const entries = [
    [10, "simple", words.simple],
    [86, "complex", words.complex],
  ] as const;
  for (const [x, kind, word] of entries) {
    context.fillStyle = context.strokeStyle = colourOf(kind);
    context.lineWidth = 1;
    drawMark(context, kind, x, y - 4, 5, 1);
    context.fillStyle = ink;
    context.fillText(word, x + 11, y);
  }
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.beginPath();
  drawCross(context, 172, y - 4, 5);
  context.stroke();
  context.fillText(words.now, 182, y);
}

/** Draws the responses of one cell at all positions. */
export function drawResponseMap(
  context: Context,
  population: Population,
  responses: Float32Array,
  cell: number,
): void {
  const area = POSITIONS * POSITIONS;
  const image = featureMaps(
    {
      channels: 1,
      height: POSITIONS,
      width: POSITIONS,
      values: responses.subarray(cell * area, (cell + 1) * area),
    },
    { map: SEQUENTIAL, range: { low: 0, high: fullResponse(population, kindOf(population, cell)) } },
  );
  putPixels(context, image, SIDE);
}

export interface Curve {
  readonly values: readonly number[];
  readonly responses: Float64Array;
  readonly ticks: readonly number[];
  readonly colour: string;
  /** The scale reaches at least up to this response. */
  readonly top: number;
  /** A dashed line at a value, or a dot at a value and a response. */
  readonly mark: { readonly value: number; readonly response?: number } | undefined;
}

const PLOT = { height: 160, left: 30, right: 12, top: 12, bottom: 24 } as const;
export const CURVE_HEIGHT = PLOT.height;

/** Draws a tuning curve with its axes. */
export function drawCurve(context: Context, { values, responses, ticks, colour, top, mark }: Curve): void {
  const ink = inkOf(context);
  const high = 1.1 * Math.max(top, ...responses);
  const last = values.at(-1)!;
  const x = (value: number): number => PLOT.left + ((SIDE - PLOT.left - PLOT.right) * value) / last;
  const y = (response: number): number =>
    PLOT.height - PLOT.bottom - ((PLOT.height - PLOT.top - PLOT.bottom) * Math.min(response, high)) / high;
  context.font = FONT;
  context.fillStyle = ink;
  context.strokeStyle = "#8888";
  context.lineWidth = 1;
  context.strokeRect(PLOT.left, PLOT.top, x(last) - PLOT.left, y(0) - PLOT.top);
  context.textAlign = "center";
  for (const tick of ticks) context.fillText(String(tick), x(tick), PLOT.height - 8);
  context.textAlign = "right";
  for (const response of [0, Math.floor(high)])
    context.fillText(String(response), PLOT.left - 5, y(response) + 4);
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.beginPath();
  values.forEach((value, i) => {
    context.lineTo(x(value), y(responses[i]!));
  });
  context.stroke();
  if (mark === undefined) return;
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = 2;
  context.beginPath();
  if (mark.response === undefined) {
    context.setLineDash([5, 4]);
    context.moveTo(x(mark.value), PLOT.top);
    context.lineTo(x(mark.value), y(0));
    context.stroke();
    context.setLineDash([]);
  } else {
    context.arc(x(mark.value), y(mark.response), 5, 0, TURN);
    context.fill();
  }
}
