import { checkLength, checkPixels, checkSizes, checkWhole } from "../util/check.js";
import { StriateError } from "../util/errors.js";
import type { MapSize } from "./rgba-image.js";

/** Phases and amplitudes of one image at one timestep, both row-major `[channels, height, width]`. */
export interface PhaseField extends MapSize {
  readonly channels: number;
  /** Phases in radians. They may lie outside -π..π; drawing functions wrap them. */
  readonly phases: ArrayLike<number>;
  /** Activity of the same units, 0 or more. */
  readonly amplitudes: ArrayLike<number>;
}

/** One phase for each pixel, `[height, width]`. */
export interface PhasePlane extends MapSize {
  /** Phases in radians. */
  readonly phase: Float32Array;
  /** Amplitudes, 0 or more. */
  readonly amplitude: Float32Array;
}

/** Means of a {@link PhaseField} over its channels. */
export interface MeanPhases extends PhasePlane {
  /**
   * Length of the amplitude-weighted mean of exp(i phase) over the channels, 0..1. It is 1 if the phases of
   * all active channels agree, and 0 if all channels are silent.
   */
  readonly agreement: Float32Array;
}

/**
 * Throws {@link StriateError} unless both arrays hold channels x height x width finite numbers and all
 * amplitudes are 0 or more.
 */
export function checkPhaseField(field: PhaseField): void {
  const { channels, height, width, phases, amplitudes } = field;
  checkSizes("phase field", { channels, height, width });
  const units = channels * height * width;
  checkLength("phases", phases, units);
  checkLength("amplitudes", amplitudes, units);
  for (let i = 0; i < units; i++) {
    // Uses plain comparisons instead of checking functions, because this runs for every unit of every frame.
    if (!(amplitudes[i]! >= 0 && amplitudes[i]! < Infinity))
      throw new StriateError(`amplitude of unit ${i}: expected a number of at least 0, got ${amplitudes[i]}`);
    if (!Number.isFinite(phases[i]!))
      throw new StriateError(`phase of unit ${i}: expected a finite angle, got ${phases[i]}`);
  }
}

/**
 * Computes, for each pixel, the amplitude-weighted circular mean of the phases over the channels, and the sum
 * of the amplitudes. Silent pixels have phase 0.
 *
 * @param into means of a field of the same size, which are overwritten and returned; default: new arrays
 * @throws StriateError if arrays or `into` do not fit the sizes, or numbers are not finite
 * @example
 * ```ts
 * import { meanPhases } from "striate/draw";
 *
 * const field = { channels: 2, height: 1, width: 1, phases: [0, 1], amplitudes: [1, 1] };
 * console.log(meanPhases(field).phase[0]!.toFixed(2)); // 0.50
 * ```
 */
export function meanPhases(field: PhaseField, into?: MeanPhases): MeanPhases {
  checkPhaseField(field);
  const { channels, height, width, phases, amplitudes } = field;
  const pixels = height * width;
  if (into) checkPixels("mean phases into", into, field.width, field.height);
  const means = into ?? {
    height,
    width,
    phase: new Float32Array(pixels),
    amplitude: new Float32Array(pixels),
    agreement: new Float32Array(pixels),
  };
  for (let p = 0; p < pixels; p++) {
    let cos = 0;
    let sin = 0;
    let total = 0;
    for (let unit = p; unit < channels * pixels; unit += pixels) {
      const amplitude = amplitudes[unit]!;
      if (amplitude === 0) continue;
      cos += amplitude * Math.cos(phases[unit]!);
      sin += amplitude * Math.sin(phases[unit]!);
      total += amplitude;
    }
    means.phase[p] = total > 0 ? Math.atan2(sin, cos) : 0;
    means.amplitude[p] = total;
    means.agreement[p] = total > 0 ? Math.min(1, Math.sqrt(cos * cos + sin * sin) / total) : 0;
  }
  return means;
}

/**
 * Copies the phases and amplitudes of one channel.
 *
 * @param into a plane of the same size, which is overwritten and returned; default: new arrays
 * @throws StriateError if there is no such channel, arrays do not fit the sizes, or numbers are not finite
 */
export function channelPhases(field: PhaseField, channel: number, into?: PhasePlane): PhasePlane {
  checkPhaseField(field);
  checkWhole("channel", channel, { from: 0, to: field.channels - 1 });
  const { height, width, phases, amplitudes } = field;
  const pixels = height * width;
  if (into) checkPixels("channel phases into", into, width, height);
  const plane = into ?? {
    height,
    width,
    phase: new Float32Array(pixels),
    amplitude: new Float32Array(pixels),
  };
  for (let p = 0; p < pixels; p++) {
    plane.phase[p] = phases[channel * pixels + p]!;
    plane.amplitude[p] = amplitudes[channel * pixels + p]!;
  }
  return plane;
}

/** Finds the largest amplitude. Returns 1 if all units are silent, because callers divide by the result. */
export function maximumAmplitude({ amplitude }: Pick<PhasePlane, "amplitude">): number {
  let most = 0;
  for (const value of amplitude) if (value > most) most = value;
  return most || 1;
}
