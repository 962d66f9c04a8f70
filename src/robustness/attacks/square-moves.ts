import type { ImageBatch } from "../classifier.js";
import type { ImageShape } from "../network.js";
import type { Norm } from "./ball.js";

/* The perturbations that the Square attack tries (arXiv:1912.00049, algorithms 2 and 3). */

/** Returns the next random numbers of a stream, uniform in [0, 1). */
export type Uniforms = (count: number) => ArrayLike<number>;

interface Move {
  readonly norm: Norm;
  readonly epsilon: number;
  /** Fraction of the pixels that the window covers. */
  readonly share: number;
}

const clip01 = (value: number): number => (value < 0 ? 0 : value > 1 ? 1 : value);

/** Makes a whole number in 0..span-1 from one uniform random number; 0 if `span` is 0. */
function whole(span: number, uniforms: Uniforms): number {
  return Math.floor(span * uniforms(1)[0]!);
}

function signs(count: number, uniforms: Uniforms): Float64Array {
  return Float64Array.from(uniforms(count), (u) => Math.sign(2 * u - 1));
}

/**
 * Makes the images at which the search starts: with vertical stripes of random colours (Linf), or with a grid
 * of tiles (L2).
 */
export function firstSquares(
  clean: ImageBatch,
  shape: ImageShape,
  norm: Norm,
  epsilon: number,
  uniforms: Uniforms,
): ImageBatch {
  const { count } = clean;
  const [channels, height, width] = shape;
  if (norm === "Linf") {
    const colours = signs(count * channels * width, uniforms);
    const data = clean.data.map((value, i) => {
      const plane = Math.floor(i / (height * width));
      return clip01(Math.fround(value + Math.fround(epsilon) * colours[plane * width + (i % width)]!));
    });
    return { count, data };
  }
  const side = Math.max(1, Math.floor(height / 5));
  const margin = Math.max(0, Math.floor((height - side * 5) / 2));
  const delta = new Float64Array(clean.data.length);
  for (let row = 0; row < Math.floor(height / side); row++) {
    for (let column = 0; column < Math.floor(width / side); column++) {
      const tile = twoHalves(side, uniforms);
      const colours = signs(count * channels, uniforms);
      const [top, left] = [margin + row * side, margin + column * side];
      colours.forEach((colour, plane) => {
        for (let y = top; y < Math.min(top + side, height); y++)
          for (let x = left; x < Math.min(left + side, width); x++)
            delta[(plane * height + y) * width + x]! += colour * tile[(y - top) * side + x - left]!;
      });
    }
  }
  return atLength(clean, delta, epsilon);
}

/** Proposes one more square for every image. */
export function nextSquares(
  best: ImageBatch,
  clean: ImageBatch,
  shape: ImageShape,
  move: Move,
  uniforms: Uniforms,
): ImageBatch {
  return move.norm === "Linf"
    ? colouredSquare(best, clean, shape, move, uniforms)
    : movedSquare(best, clean, shape, move, uniforms);
}

function colouredSquare(
  best: ImageBatch,
  clean: ImageBatch,
  [channels, height, width]: ImageShape,
  { epsilon, share }: Move,
  uniforms: Uniforms,
): ImageBatch {
  const side = Math.min(Math.max(roundEven(Math.sqrt(share * height * width)), 1), Math.min(height, width));
  const top = whole(height - side, uniforms);
  const left = whole(width - side, uniforms);
  const colours = signs(channels, uniforms);
  const data = best.data.slice();
  const radius = Math.fround(epsilon);
  for (let plane = 0; plane < best.count * channels; plane++) {
    const shift = Math.fround(2 * epsilon) * colours[plane % channels]!;
    for (let y = top; y < top + side; y++) {
      for (let x = left; x < left + side; x++) {
        const at = (plane * height + y) * width + x;
        const value = Math.fround(data[at]! + shift);
        const low = Math.fround(clean.data[at]! - radius);
        const high = Math.fround(clean.data[at]! + radius);
        data[at] = clip01(Math.min(Math.max(value, low), high));
      }
    }
  }
  return { count: best.count, data };
}

interface Window {
  readonly top: number;
  readonly left: number;
}

/**
 * Proposes images in which the perturbation inside one window is removed and the one inside another window
 * becomes stronger, so that the Euclidean length of the whole perturbation stays the same.
 */
function movedSquare(
  best: ImageBatch,
  clean: ImageBatch,
  shape: ImageShape,
  { epsilon, share }: Move,
  uniforms: Uniforms,
): ImageBatch {
  const [channels, height, width] = shape;
  const { count } = best;
  let side = Math.max(roundEven(Math.sqrt(share * height * width)), 3);
  if (side % 2 === 0) side += 1;
  side = Math.min(side, height, width);
  const draw = (): Window => ({
    top: whole(height - side, uniforms),
    left: whole(width - side, uniforms),
  });
  const [target, source] = [draw(), draw()];
  const tile = twoHalves(side, uniforms);
  const colours = signs(count * channels, uniforms);
  const inside = ({ top, left }: Window, y: number, x: number): boolean =>
    y >= top && y < top + side && x >= left && x < left + side;
  const delta = Float64Array.from(best.data, (value, i) => Math.fround(value - clean.data[i]!));
  const size = channels * height * width;
  for (let image = 0; image < count; image++) {
    let whole2 = 0;
    for (let i = image * size; i < (image + 1) * size; i++) whole2 += delta[i]! ** 2;
    const spare = Math.max(epsilon ** 2 - whole2, 0) / channels;
    for (let channel = 0; channel < channels; channel++) {
      const plane = delta.subarray(
        (image * channels + channel) * height * width,
        (image * channels + channel + 1) * height * width,
      );
      let [inTarget, inEither] = [0, 0];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const square = plane[y * width + x]! ** 2;
          if (inside(target, y, x)) inTarget += square;
          if (inside(target, y, x) || inside(source, y, x)) inEither += square;
        }
      }
      const scale = 1 / (1e-12 + Math.sqrt(inTarget));
      const fresh = tile.map((value, i) => {
        const at = (target.top + Math.floor(i / side)) * width + target.left + (i % side);
        return value * colours[image * channels + channel]! + plane[at]! * scale;
      });
      const length = Math.sqrt(fresh.reduce((total, value) => total + value * value, 0));
      const factor = Math.sqrt(spare + inEither) / (1e-12 + length);
      for (let y = source.top; y < source.top + side; y++)
        plane.fill(0, y * width + source.left, y * width + source.left + side);
      fresh.forEach((value, i) => {
        plane[(target.top + Math.floor(i / side)) * width + target.left + (i % side)] = value * factor;
      });
    }
  }
  return atLength(clean, delta, epsilon);
}

/** Scales each perturbation to length epsilon and adds it to its image: clip(x + epsilon delta / ‖delta‖). */
function atLength(clean: ImageBatch, delta: Float64Array, epsilon: number): ImageBatch {
  const { count } = clean;
  const size = delta.length / count;
  const data = clean.data.slice();
  for (let image = 0; image < count; image++) {
    let total = 0;
    for (let i = image * size; i < (image + 1) * size; i++) total += delta[i]! ** 2;
    const factor = epsilon / (Math.sqrt(total) + 1e-12);
    for (let i = image * size; i < (image + 1) * size; i++)
      data[i] = clip01(Math.fround(data[i]! + delta[i]! * factor));
  }
  return { count, data };
}

/** A tile of length 1: a bump above a negative bump, transposed with probability 1/2. */
function twoHalves(side: number, uniforms: Uniforms): Float64Array {
  const upper = Math.floor(side / 2);
  const [above, below] = [bump(upper, side), bump(side - upper, side)];
  const tile = new Float64Array(side * side);
  tile.set(above);
  below.forEach((value, i) => (tile[upper * side + i] = -value));
  const length = Math.sqrt(tile.reduce((total, value) => total + value * value, 0));
  const turned = uniforms(1)[0]! > 0.5;
  return tile.map((_, i) => {
    const at = turned ? (i % side) * side + Math.floor(i / side) : i;
    return tile[at]! / (length || 1);
  });
}

/**
 * A weighted sum of concentric rectangles, scaled to length 1. Each rectangle is larger than the one before
 * by one pixel on every side; rectangle j (from 0) has the weight 1 / (j + 1)^2.
 */
function bump(rows: number, columns: number): Float64Array {
  const values = new Float64Array(rows * columns);
  if (rows === 0) return values;
  const [middleRow, middleColumn] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const rings = Math.max(middleRow + 1, middleColumn + 1);
  for (let ring = 0; ring < rings; ring++) {
    const weight = 1 / (ring + 1) ** 2;
    const bottom = Math.min(middleRow + ring + 1, rows);
    const right = Math.min(middleColumn + ring + 1, columns);
    for (let y = Math.max(middleRow - ring, 0); y < bottom; y++)
      for (let x = Math.max(middleColumn - ring, 0); x < right; x++) values[y * columns + x]! += weight;
  }
  const length = Math.sqrt(values.reduce((total, value) => total + value * value, 0));
  return values.map((value) => value / length);
}

/** Rounds to the nearest whole number, and halves to the nearest even one, as Python does. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
