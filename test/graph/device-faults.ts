import type { TypedArray } from "../../src/graph/dtype.js";
import type { Tensor } from "../../src/graph/index.js";
import * as g from "../../src/graph/index.js";
import { applySingle } from "../../src/graph/operator.js";
import { integers } from "../../src/graph/tensor.js";
import type { Feeds } from "../support/run.js";

/** A graph that a device computes wrongly without its lowering, and what is right. */
export interface Fault {
  readonly y: Tensor;
  readonly feeds: Feeds;
  readonly right: readonly number[];
}

function fault(build: (...inputs: Tensor[]) => Tensor, right: readonly number[], ...data: Given[]): Fault {
  const names = data.map((_, i) => `x${i}`);
  const y = build(...data.map(({ shape }, i) => g.input(names[i]!, shape)));
  const feeds = data.map(({ shape, values }, i) => [
    names[i]!,
    { dtype: "float32", shape, data: Float32Array.from(values) as TypedArray },
  ]);
  return { y, feeds: Object.fromEntries(feeds) as Feeds, right };
}

/** Whether all numbers agree to five digits; nothing but Infinity agrees with Infinity. */
export function near(found: readonly number[], right: readonly number[]): boolean {
  const agrees = (a: number, b: number) =>
    Object.is(a + 0, b + 0) || Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));
  return found.length === right.length && right.every((value, i) => agrees(found[i]!, value));
}

interface Given {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const given = (shape: readonly number[], values: readonly number[]): Given => ({ shape, values });
const ones = (shape: readonly number[]) =>
  g.constant(Array<number>(shape.reduce((a, b) => a * b)).fill(1), shape);
const sums = (groups: number, width: number) =>
  Array.from({ length: groups * width }, (_, i) => Math.floor(i / width) + 1);

const SIGNAL = Array.from({ length: 224 }, (_, i) =>
  Math.fround(1 + Math.sin(0.37 * i) + 0.5 * Math.cos(1.1 * i)),
);

/** Real and imaginary part of each coefficient. */
function spectrum(signal: readonly number[]): number[] {
  return signal.flatMap((_, k) => {
    const angles = signal.map((_, n) => (-2 * Math.PI * ((k * n) % signal.length)) / signal.length);
    const part = (wave: (angle: number) => number) =>
      signal.reduce((sum, x, n) => sum + x * wave(angles[n]!), 0);
    return [part(Math.cos), part(Math.sin)];
  });
}

/** Inputs for which the runtime of one device or another is known to be wrong, each in the smallest form. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "zeros around a map before a MaxPool": fault(
    (x) => g.maxPool(g.pad(x, [0, 0, 1, 1], [0, 0, 1, 1]), 2, { stride: 1 }),
    [0, 0, 0, 0, -1, 0, 0, 0, 0],
    given([1, 1, 2, 2], [-1, -2, -3, -4]),
  ),
  "2 groups of 6 channels": fault(
    (x) => g.conv(x, ones([12, 1, 1, 1]), undefined, { groups: 2 }),
    sums(2, 6),
    given([1, 2, 1, 1], [1, 2]),
  ),
  "2 groups of 5 channels with a bias": fault(
    (x) => g.conv(x, ones([10, 1, 1]), ones([10]), { groups: 2 }),
    sums(2, 5).map((n) => n + 1),
    given([1, 2, 1], [1, 2]),
  ),
  "4 groups of 9 channels with a weight that is fed": fault(
    (x, w) => g.conv(x, w, undefined, { groups: 4 }),
    sums(4, 9),
    given([1, 4, 1, 1], [1, 2, 3, 4]),
    given([36, 1, 1, 1], Array<number>(36).fill(1)),
  ),
  "logarithms of large sums": fault(
    (x) => g.logSumExp(x, 1),
    [88 + Math.log(3), 1000, -100 + Math.log(3), -Infinity, Infinity],
    given(
      [5, 3],
      [
        [88, 88, 88],
        [1000, 0, -1000],
        [-100, -100, -100],
        Array<number>(3).fill(-Infinity),
        [Infinity, 0, 1],
      ].flat(),
    ),
  ),
  "an enlarged picture with its channels last": fault(
    (x) => applySingle("Resize", [x, undefined, undefined, integers([1, 4, 4, 1])], { mode: "linear" }),
    [0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3],
    given([1, 2, 2, 1], [0, 1, 2, 3]),
  ),
  "the same by scales of two axes": fault(
    (x) => applySingle("Resize", [x, undefined, g.constant([2, 2])], { mode: "linear", axes: [1, 2] }),
    [0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3],
    given([1, 2, 2, 1], [0, 1, 2, 3]),
  ),
  "a spectrum of 224 values": fault(
    (x) => applySingle("DFT", [x, undefined, g.constant(1, [], "int64")], { inverse: 0, onesided: 0 }),
    spectrum(SIGNAL),
    given([1, SIGNAL.length, 1], SIGNAL),
  ),
  "a letter of Einsum that is repeated": fault(
    (a, b) => g.einsum("ij,ij->ij", a, b),
    [10, 40, 30, 80, 50, 120],
    given([1, 2], [10, 20]),
    given([3, 2], [1, 2, 3, 4, 5, 6]),
  ),
  "three dots of Einsum that are repeated": fault(
    (a, b) => g.einsum("...j,...j->...", a, b),
    [50, 110, 170],
    given([3, 2], [1, 2, 3, 4, 5, 6]),
    given([1, 2], [10, 20]),
  ),
};
