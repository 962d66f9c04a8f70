import type { Tensor } from "../../../graph/index.js";
import { reshape, showShape, transpose, unitVectors } from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import { checkMultiple, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/*
 * Oscillator i is a vector of n components on the sphere S^(n-1). They are the n consecutive channels from i
 * n to i n + n - 1. Inside a Kuramoto layer, the state is a field: a tensor of four axes with the n
 * components on axis COMPONENTS.
 */

/** Name of the graph input for the initial oscillators, which are standard-normal draws. */
export const NOISE = "noise";

/** The axis of a field that holds the components of each oscillator. */
export const COMPONENTS = 2;

/** Throws `StriateError` unless n divides the number of channels. */
export function checkOscillators(channels: number, n: number): void {
  checkWhole("oscillators: n", n);
  checkMultiple("oscillators: channels", channels, n);
}

/** Scales each oscillator of [batch, channels, ...space] to length 1: x / max(|x|, 1e-12). */
export function unitOscillators(x: Tensor, n: number): Tensor {
  const channels = x.shape[1] as number;
  checkOscillators(channels, n);
  const vectors = reshape(x, [x.shape[0]!, channels / n, n, -1]);
  return reshape(unitVectors(vectors, COMPONENTS), x.shape);
}

/**
 * Returns the number of positions of x, [batch, channels, ...space]. Throws `StriateError` if it is not
 * known.
 */
export function positionsOf(x: Tensor): number {
  const space = x.shape.slice(2);
  check(
    x.rank >= 2 && isStatic(x.shape[1]!) && space.every(isStatic),
    () => `oscillators: expected [batch, channels, ...space] of known size, got ${showShape(x.shape)}`,
  );
  return space.reduce((a, b) => a * b, 1);
}

/** Converts maps [batch, channels, ...space] to tokens [positions, batch, channels]. */
export function toTokens(x: Tensor): Tensor {
  return transpose(reshape(x, [x.shape[0]!, x.shape[1]!, positionsOf(x)]), [2, 0, 1]);
}

/** Converts tokens back to maps of the given space, the inverse of {@link toTokens}. */
export function fromTokens(tokens: Tensor, space: readonly number[]): Tensor {
  const [, batch, channels] = tokens.shape;
  return reshape(transpose(tokens, [1, 2, 0]), [batch!, channels!, ...space]);
}
