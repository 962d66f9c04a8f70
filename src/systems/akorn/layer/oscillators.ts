import type { Tensor } from "../../../graph/index.js";
import { reshape, showShape, transpose, unitVectors } from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import { check } from "../../../util/errors.js";

/*
 * Oscillator i of a tensor with C channels owns the n consecutive channels i n ... i n + n - 1 and lives on the sphere
 * S^(n-1). Inside a Kuramoto layer a state is a field: a tensor of four axes whose axis COMPONENTS holds these n numbers.
 */

/** Graph input that takes standard-normal draws, the oscillators at the start. */
export const NOISE = "noise";

/** The axis of a field that holds the components of a vector. */
export const COMPONENTS = 2;

/** Throws `StriateError` unless oscillators of n components share the channels evenly. */
export function checkOscillators(channels: number, n: number): void {
  check(
    Number.isInteger(n) && n >= 1 && Number.isInteger(channels / n),
    () => `oscillators: ${channels} channels cannot be shared evenly by vectors of ${n} components`,
  );
}

/** Each oscillator of [batch, channels, ...space] brought to length 1: x / max(|x|, 1e-12). */
export function unitOscillators(x: Tensor, n: number): Tensor {
  const channels = x.shape[1] as number;
  checkOscillators(channels, n);
  const vectors = reshape(x, [x.shape[0]!, channels / n, n, -1]);
  return reshape(unitVectors(vectors, COMPONENTS), x.shape);
}

/** Number of positions of [batch, channels, ...space]. Throws `StriateError` where it is not known. */
export function positionsOf(x: Tensor): number {
  const space = x.shape.slice(2);
  check(
    x.rank >= 2 && isStatic(x.shape[1]!) && space.every(isStatic),
    () => `oscillators: expected [batch, channels, ...space] of known size, got ${showShape(x.shape)}`,
  );
  return space.reduce((a, b) => a * b, 1);
}

/** [batch, channels, ...space] to [positions, batch, channels]. */
export function toTokens(x: Tensor): Tensor {
  return transpose(reshape(x, [x.shape[0]!, x.shape[1]!, positionsOf(x)]), [2, 0, 1]);
}

/** The way back from {@link toTokens}, to the given space. */
export function fromTokens(tokens: Tensor, space: readonly number[]): Tensor {
  const [, batch, channels] = tokens.shape;
  return reshape(transpose(tokens, [1, 2, 0]), [batch!, channels!, ...space]);
}
