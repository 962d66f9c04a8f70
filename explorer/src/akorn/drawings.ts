import { matchLabels } from "striate/draw";
import type { ObjectFrame } from "../compute/akorn-frame.js";
import { CHANNELS, COMPONENTS, SIDE } from "../compute/akorn-frame.js";

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

/** Segments with the numbers of the pieces that they cover, so that a segment keeps its colour over time. */
export function namedSegments({ segments }: ObjectFrame, truth: ArrayLike<number>): Int32Array {
  const names = matchLabels(truth, segments);
  return segments.map((segment) => names.get(segment)!);
}
