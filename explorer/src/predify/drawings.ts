import { CATEGORICAL } from "striate/draw";
import type { PredifyFrame } from "../compute/predify-frame.js";
import { CLASSES, SIDE } from "../compute/predify-frame.js";
import { mapPixels, putPixels } from "../parts/pixels.js";
import { greyOf } from "./picture.js";

type Context = CanvasRenderingContext2D;

/** Side of a square figure on the page. */
export const FIGURE = 256;
export const CHART_HEIGHT = 128;

/** Draws a normalised picture in grey. */
export function drawGrey(context: Context, pixels: Float32Array, size = FIGURE): void {
  putPixels(
    context,
    mapPixels(pixels, SIDE, (value) => {
      const grey = greyOf(value);
      return [grey, grey, grey];
    }),
    size,
  );
}

/** The reconstruction of a PCoder at a time between two frames. */
export function reconstructionAt(
  frames: readonly Pick<PredifyFrame, "reconstructions">[],
  time: number,
  pcoder: number,
): Float32Array {
  const before = frames[Math.floor(time)]!.reconstructions[pcoder]!;
  const after = frames[Math.ceil(time)]!.reconstructions[pcoder]!;
  const share = time - Math.floor(time);
  return before.map((value, i) => (1 - share) * value + share * after[i]!);
}

/** The reconstructions of all PCoders, two in a row, each drawn by `draw` with a side of the given size. */
export function drawReconstructions(
  context: Context,
  frames: readonly Pick<PredifyFrame, "reconstructions">[],
  time: number,
  draw: (context: Context, picture: Float32Array, size: number) => void = drawGrey,
): void {
  const half = FIGURE / 2;
  frames[0]!.reconstructions.forEach((_, i) => {
    context.save();
    context.translate((i % 2) * half, Math.floor(i / 2) * half);
    draw(context, reconstructionAt(frames, time, i), half - 4);
    context.fillStyle = "#fff";
    context.strokeStyle = "#000";
    context.lineWidth = 3;
    context.font = "bold 13px system-ui, sans-serif";
    context.strokeText(String(i + 1), 6, 16);
    context.fillText(String(i + 1), 6, 16);
    context.restore();
  });
}

/** Probabilities of the classes as bars; outlines are those of the classifier alone. A ring marks the digit that is shown, if it is known. */
export function drawAnswers(
  context: Context,
  now: readonly number[],
  first: readonly number[],
  shown: number | undefined,
): void {
  const ink = getComputedStyle(context.canvas).color;
  const bar = FIGURE / CLASSES;
  const base = FIGURE - 24;
  const most = Math.max(...now);
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (let digit = 0; digit < CLASSES; digit++) {
    const [left, middle] = [digit * bar, (digit + 0.5) * bar];
    const height = (value: number): number => Math.max(1, (base - 12) * value);
    context.fillStyle = now[digit] === most ? CATEGORICAL[0] : "#8886";
    context.fillRect(left + 3, base - height(now[digit]!), bar - 6, height(now[digit]!));
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.setLineDash([3, 2]);
    context.strokeRect(left + 3, base - height(first[digit]!), bar - 6, height(first[digit]!));
    context.setLineDash([]);
    context.fillStyle = ink;
    context.fillText(String(digit), middle, base + 16);
    if (digit === shown) {
      context.beginPath();
      context.arc(middle, base + 12, 9, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
