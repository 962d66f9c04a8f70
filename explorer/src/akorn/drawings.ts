import { DIVERGING, matchLabels, scalarColour } from "striate/draw";
import type { ObjectFrame } from "../compute/akorn-frame.js";
import { CHANNELS, COMPONENTS, SIDE } from "../compute/akorn-frame.js";

type Context = CanvasRenderingContext2D;

/** Side of a square figure on the page. */
export const FIGURE = 256;
export const CHART_HEIGHT = 128;

const scratch = new OffscreenCanvas(1, 1);

/** Draws square pixels, enlarged without blur. */
export function putPixels(context: Context, pixels: Uint8ClampedArray<ArrayBuffer>, side: number): void {
  [scratch.width, scratch.height] = [side, side];
  scratch.getContext("2d")!.putImageData(new ImageData(pixels, side, side), 0, 0);
  context.drawImage(scratch, 0, 0, FIGURE, FIGURE);
}

/** The colours of the oscillators at a time between two frames. */
export function colourPixels(frames: readonly ObjectFrame[], time: number): Uint8ClampedArray<ArrayBuffer> {
  const [before, after] = [frames[Math.floor(time)]!, frames[Math.ceil(time)]!];
  const share = time - Math.floor(time);
  const pixels = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++)
      pixels[4 * i + c] = (1 - share) * before.colours[3 * i + c]! + share * after.colours[3 * i + c]!;
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/**
 * Agreement of the oscillators of every position with those of the chosen one, [SIDE, SIDE]: the mean cosine, 1 if all
 * point the same way, 0 at random.
 */
export function alignment({ oscillators }: ObjectFrame, column: number, row: number): Float32Array {
  const chosen = (row * SIDE + column) * CHANNELS;
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < CHANNELS; c++) sum += oscillators[i * CHANNELS + c]! * oscillators[chosen + c]!;
    return sum / (CHANNELS / COMPONENTS);
  });
}

/** Colours of numbers from -1 to 1. */
export function alignmentPixels(values: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * values.length);
  values.forEach((value, i) => {
    pixels.set([...scalarColour(DIVERGING, (value + 1) / 2), 255], 4 * i);
  });
  return pixels;
}

/** Segments with the numbers of the pieces that they cover, so that a segment keeps its colour over time. */
export function namedSegments({ segments }: ObjectFrame, truth: ArrayLike<number>): Int32Array {
  const names = matchLabels(truth, segments);
  return segments.map((segment) => names.get(segment)!);
}

export interface ChartOptions {
  readonly values: readonly number[];
  readonly range: readonly [low: number, high: number];
  /** Position of the clock in values. */
  readonly time: number;
  readonly colour: string;
  /** Frames at which oscillators were scrambled. */
  readonly marks: readonly number[];
  readonly format: (value: number) => string;
}

/** A line of values over the frames with the ends of its range, and a line at the current time. */
export function drawChart(context: Context, options: ChartOptions): void {
  const { values, range, time, colour, marks, format } = options;
  const [low, high] = range;
  if (values.length === 0) return;
  const [left, right, top, bottom] = [44, FIGURE - 8, 10, CHART_HEIGHT - 12];
  const ink = getComputedStyle(context.canvas).color;
  const x = (i: number): number => left + (i / Math.max(1, values.length - 1)) * (right - left);
  const y = (value: number): number => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = ink;
  context.textAlign = "right";
  context.fillText(format(high), left - 6, top + 8);
  context.fillText(format(low), left - 6, bottom);
  context.strokeStyle = "#8888";
  context.lineWidth = 1;
  context.strokeRect(left, top, right - left, bottom - top);
  context.setLineDash([4, 3]);
  for (const mark of marks) line(context, x(mark), top, x(mark), bottom);
  context.setLineDash([]);
  context.strokeStyle = ink;
  line(context, x(time), top, x(time), bottom);
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.beginPath();
  values.forEach((value, i) => {
    context.lineTo(x(i), y(value));
  });
  context.stroke();
}

function line(context: Context, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}
