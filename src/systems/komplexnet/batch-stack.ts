import type { Tensor } from "../../graph/index.js";
import { concat, reshape, split, squeeze } from "../../graph/index.js";

/** Concatenates tensors of one shape along the batch axis, so that one call of a layer processes all of them. */
export function stackBatch(tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? tensors[0]! : concat(tensors, 0);
}

/** Splits a batch that was stacked by {@link stackBatch} into its `count` tensors. */
export function unstackBatch(stacked: Tensor, count: number): Tensor[] {
  if (count === 1) return [stacked];
  const parts = reshape(stacked, [count, -1, ...stacked.shape.slice(1)]);
  const ones = Array<number>(count).fill(1);
  return split(parts, ones, 0).map((part) => squeeze(part, [0]));
}
