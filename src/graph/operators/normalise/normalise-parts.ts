import { isStatic } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import type { Call } from "../../operator.js";
import { applySingle, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import { add, reciprocal, sqrt } from "../elementwise/elementwise.js";

/** Default epsilon, which is added to the variance, as in PyTorch. */
export const EPSILON = 1e-5;

export function checkChannels(call: Call, from: number, count: number): Tensor {
  const x = required(call, 0, "x");
  if (!isFloat(x.dtype) || x.rank < 2) rejectCall(call, "expected floating-point [batch, channels, ...]");
  for (let i = from; i < from + count; i++) {
    const vector = required(call, i, "per-channel vector");
    const [length, channels] = [vector.shape[0], x.shape[1]!];
    const fits = vector.rank === 1 && (length === channels || !isStatic(length!) || !isStatic(channels));
    if (!fits)
      rejectCall(call, `input ${i} must be a vector with one element for each of the ${channels} channels`);
  }
  return x;
}

/** All axes except for the axis of the channels. */
export function allButChannels(x: Tensor): number[] {
  return x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

export function spaceOf(x: Tensor): number[] {
  return x.shape.slice(2).map((_, axis) => axis + 2);
}

export function inverseDeviation(variance: Tensor, epsilon: number): Tensor {
  return reciprocal(sqrt(add(variance, epsilon)));
}

/** Computes x * scale + shift per channel in one pass, as a BatchNormalization with mean 0 and variance 1. */
export function affine(x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const channels = x.shape[1] as number;
  const filled = (value: number) =>
    floatConstant(
      Array.from({ length: channels }, () => value),
      [channels],
      x.dtype,
    );
  const inputs = [x, scale, shift, filled(0), filled(1)];
  return applySingle("BatchNormalization", inputs, { epsilon: { float: 0 } });
}
