import { matchLabels } from "striate/draw";
import type { ObjectFrame } from "../compute/akorn-frame.js";
import { CHANNELS, COMPONENTS, PICTURE, SIDE } from "../compute/akorn-frame.js";

/** Side of a square figure on the page. */
export const FIGURE = 256;
export const CHART_HEIGHT = 128;

/** The colours of the oscillators at a time between two frames. */
export function colourPixels(frames: readonly ObjectFrame[], time: number) {
  const [before, after] = [frames[Math.floor(time)]!, frames[Math.ceil(time)]!];
  const share = time - Math.floor(time);
  const data = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++)
      data[4 * i + c] = (1 - share) * before.colours[3 * i + c]! + share * after.colours[3 * i + c]!;
    data[4 * i + 3] = 255;
  }
  return { data, width: SIDE, height: SIDE };
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

const canvas = new OffscreenCanvas(PICTURE, PICTURE);

/** A picture of the user's at the network's size, [3, PICTURE, PICTURE], 0 to 1. */
export function ownPixels(picture: ImageBitmap): Float32Array {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, PICTURE, PICTURE);
  const { data } = context.getImageData(0, 0, PICTURE, PICTURE);
  const plane = PICTURE * PICTURE;
  return Float32Array.from(
    { length: 3 * plane },
    (_, i) => data[4 * (i % plane) + Math.floor(i / plane)]! / 255,
  );
}

/** Planes of red, green and blue from 0 to 1 as pixels to draw. */
export function planePixels(planes: Float32Array) {
  const plane = PICTURE * PICTURE;
  const data = new Uint8ClampedArray(4 * plane).fill(255);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = 255 * planes[c * plane + i]!;
  return { data, width: PICTURE, height: PICTURE };
}

/** Segments with the numbers of the pieces that they cover, so that a segment keeps its colour over time. */
export function namedSegments({ segments }: ObjectFrame, truth: ArrayLike<number>): Int32Array {
  const names = matchLabels(truth, segments);
  return segments.map((segment) => names.get(segment)!);
}
