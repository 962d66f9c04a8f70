import type { Tensor } from "../../graph/index.js";
import { concat, reshape, split, squeeze } from "../../graph/index.js";

/** Several tensors of one shape as one with a longer batch, so that they pass a layer in one call. */
export function stackBatch(tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? tensors[0]! : concat(tensors, 0);
}

/** The parts of a stacked batch. */
export function unstackBatch(stacked: Tensor, count: number): Tensor[] {
  if (count === 1) return [stacked];
  const parts = reshape(stacked, [count, -1, ...stacked.shape.slice(1)]);
  const ones = Array<number>(count).fill(1);
  return split(parts, ones, 0).map((part) => squeeze(part, [0]));
}
