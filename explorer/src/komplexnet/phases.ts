import type { Frame } from "../compute/frame.js";
import { FIELD } from "../compute/frame.js";

const TURN = 2 * Math.PI;

/**
 * Interpolates phases between two timesteps, for each oscillator the shorter way around the circle. Writes into `out`.
 */
export function between(before: Frame, after: Frame, share: number, out: Float32Array): Float32Array {
  for (let i = 0; i < out.length; i++) {
    const [a, b] = [before.phases[i]!, after.phases[i]!];
    const turns = (b - a) / TURN;
    out[i] = a + share * TURN * (turns - Math.round(turns));
  }
  return out;
}

/**
 * The phases at a time. Time 1 is the first frame; before it, the result is the phases of the first frame.
 * Undefined if there are no frames.
 */
export function phasesAt(
  frames: readonly Frame[],
  time: number,
  out: Float32Array,
): Float32Array | undefined {
  const [before, after] = [frames[Math.floor(time) - 1], frames[Math.floor(time)]];
  if (before === undefined) return frames[0] === undefined ? undefined : frames[0].phases;
  return after === undefined ? before.phases : between(before, after, time - Math.floor(time), out);
}

export const UNITS = FIELD.channels * FIELD.height * FIELD.width;

/** The two classes with the largest logits, the larger first. */
export function topTwo(logits: Float32Array): readonly [number, number] {
  const ranked = Array.from(logits, (value, digit) => ({ value, digit })).sort((a, b) => b.value - a.value);
  return [ranked[0]!.digit, ranked[1]!.digit];
}

export const probability = (logit: number): number => 1 / (1 + Math.exp(-logit));
