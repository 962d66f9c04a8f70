import type { Dim } from "../../dims.js";
import { isStatic, sameShape, sizeOf } from "../../dims.js";
import type { Call, Target } from "../../operator.js";
import { applySingle } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import { shapeTensor } from "../broadcast.js";
import { scalar } from "../elementwise/elementwise.js";
import { expand } from "../shape/expand.js";
import { matmul } from "../linear/matmul.js";
import { axesOf, inferReduction } from "./reduction.js";
import { reshape } from "../shape/shape.js";

/*
 * ONNX Runtime's CPU provider adds up numbers one after the other in single precision. A sum of ones never
 * exceeds 2^24, and a sum of a million tenths is off by one percent. So no run of additions may be long: an
 * axis of n numbers is split into two axes, which are summed in two passes. The first pass takes as long as
 * the single sum would; the second has little left to read.
 */

/** Longest run over rows, which are added one row after the other. */
const LONGEST_RUN = 1024;
/** Longest run over neighbours in memory, which are added up in many parallel lanes. */
export const LONGEST_ROW = 2 ** 16;
/** Shortest run. Shorter runs would leave too much work for the second pass. */
const SHORTEST_RUN = 8;

/** Neighbouring axes that are all summed or all kept, merged into one. Axes of length 1 are left out. */
interface Block {
  readonly summed: boolean;
  readonly length: Dim;
}

/** The sum of a ReduceSum or ReduceMean call in short runs; undefined if its runs are short already. */
export function lowerLongSum(call: Call, target: Target): Tensor | undefined {
  const x = call.inputs[0]!;
  if ((target !== "cpu" && target !== "wasm") || x.dtype !== "float32") return undefined;
  const axes = axesOf(call);
  const blocks = blocksOf(x, axes);
  if (blocks.filter(({ length }) => !isStatic(length)).length > 1) return undefined;
  const step = splitSum(x, blocks, axes);
  if (step === undefined) return undefined;
  const { shape } = inferReduction(call)[0]!;
  return sameShape(step.shape, shape) ? step : applySingle("Reshape", [step, shapeTensor(shape, [x])]);
}

function blocksOf(x: Tensor, axes: readonly number[]): Block[] {
  const blocks: Block[] = [];
  for (const [axis, dim] of x.shape.entries()) {
    const [summed, last] = [axes.includes(axis), blocks.at(-1)];
    if (dim === 1) continue;
    if (last?.summed === summed) blocks[blocks.length - 1] = { summed, length: sizeOf([last.length, dim]) };
    else blocks.push({ summed, length: dim });
  }
  return blocks;
}

/** The same sum as two calls, each of which may be split again; undefined if its runs are short already. */
function splitSum(x: Tensor, blocks: readonly Block[], axes: readonly number[]): Tensor | undefined {
  const summed = [...blocks.keys()].filter((i) => blocks[i]!.summed);
  const last = summed.at(-1);
  if (last === undefined) return undefined;
  // If kept axes of length 1 follow the summed axes, the runtime adds up rows of one number each.
  const inRows = last === blocks.length - 1 && (blocks.length > 1 || axes.includes(x.rank - 1));
  const isLong = (i: number): boolean => {
    const { length } = blocks[i]!;
    const longest = i === last && inRows ? LONGEST_ROW : LONGEST_RUN;
    return isStatic(length) ? length > longest : i === 0 && !inRows;
  };
  const sum = (from: Tensor, over: readonly number[]) =>
    applySingle("ReduceSum", [from, integers(over)], { keepdims: 0 });
  const lengths = blocks.map(({ length }) => length);
  const whole = () => (sameShape(lengths, x.shape) ? x : reshape(x, lengths));
  if (summed.length > 1) {
    const total = sizeOf(summed.map((i) => blocks[i]!.length));
    const isFast = summed.length === 2 && summed[0] === 0 && inRows;
    const scattered = !isFast && isStatic(total) && total > LONGEST_RUN;
    return scattered || summed.some(isLong) ? sum(sum(whole(), [last]), summed.slice(0, -1)) : undefined;
  }
  if (!isLong(last)) return undefined;
  if (blocks.length === 1 && !inRows) return sum(whole(), [0]);
  const length = lengths[last]!;
  const run = isStatic(length) ? longestRunDividing(length) : undefined;
  if (run === undefined) return sumByProduct(whole(), last);
  const inRuns = reshape(x, lengths.toSpliced(last, 1, run, (length as number) / run));
  return sum(sum(inRuns, [last]), [last]);
}

/** The longest allowed run that divides a length, or undefined if there is none. */
function longestRunDividing(length: number): number | undefined {
  for (let run = LONGEST_RUN; run >= SHORTEST_RUN; run--) if (length % run === 0) return run;
  return undefined;
}

/**
 * Sums an axis by a matrix product with ones, which the runtime computes in blocks of 128. There are two rows
 * of ones, because with a single row it would not use blocks.
 */
function sumByProduct(x: Tensor, axis: number): Tensor {
  const [before, length] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!];
  const behind = sizeOf(x.shape.slice(axis + 1));
  const ones = expand(scalar(1, x.dtype), [2, length], [x]);
  const sums = matmul(ones, reshape(x, [before, length, behind]));
  const kept = x.shape.toSpliced(axis, 1);
  const first = applySingle("Gather", [sums, constant(0, [], "int64")], { axis: 1 });
  return applySingle("Reshape", [first, shapeTensor(kept, [x])]);
}
