import { checkLength, checkSizes } from "../util/check.js";
import { check } from "../util/errors.js";

/** The phases and amplitudes of units, and the masks that assign units to objects. */
export interface SynchronyInput {
  /** Phases in radians, wrapped or not, of shape `[batch, channels, pixels]` (pixels = height x width). */
  readonly phases: ArrayLike<number>;
  /** Amplitudes of the same shape; a unit is active if its amplitude is not 0. */
  readonly amplitudes: ArrayLike<number>;
  /**
   * One-hot masks of shape `[batch, maskChannels, pixels]`. The mask channels are the background, then the
   * objects, then possibly the pixels that objects share.
   */
  readonly masks: ArrayLike<number>;
  readonly batch: number;
  readonly channels: number;
  readonly maskChannels: number;
  readonly pixels: number;
}

export interface SynchronyOptions {
  /** Whether the background, which is mask channel 0, counts as an object. Default false. */
  readonly background?: boolean;
  /**
   * Whether the last mask channel holds the pixels that objects share. These pixels are then left out.
   * Default false.
   */
  readonly overlapChannel?: boolean;
  /**
   * How units with amplitude 0 are treated. `"exclude"` (default) ignores them. `"phaseZero"` counts them as
   * units of phase 0. The authors' synchrony loss does this, so it does not reach 0 even for perfect phases.
   */
  readonly silentUnits?: "exclude" | "phaseZero";
}

/** Synchrony of one batch. */
export interface Synchrony {
  /**
   * Order parameter within objects, |sum of exp(i phase)| / (number of units), averaged over samples, objects
   * and channels. It is 1 if all units of each object have the same phase, and near 0 if their phases are
   * unrelated. With `"exclude"`, objects without active units are left out, and the result is NaN if no
   * object has any. With `"phaseZero"`, an object without pixels counts as 0.
   */
  readonly order: number;
  /**
   * How far the objects' mean phases theta are from an even spread around the circle, averaged over samples;
   * 0 for an even spread. For G objects it is the sum over m = 1..floor(G/2) of |sum over objects of exp(i m
   * theta)|^2 / (2 G m^2). NaN if no sample has two or more objects to compare.
   */
  readonly desynchrony: number;
  /**
   * Angle between the mean phases of two objects, averaged over all pairs of objects of a sample, then over
   * samples; in radians, from 0 to pi. NaN if no sample has two or more objects to compare.
   */
  readonly separation: number;
  /**
   * Order parameter of each object of each sample, averaged over channels; its shape is `[batch, objects]`.
   * With `"exclude"`, an entry is NaN if the sample has no such object or the object has no active unit.
   */
  readonly orderByObject: Float64Array;
  /**
   * Mean phase of each object in radians, from -pi to pi; its shape is `[batch, objects]`. An entry is NaN if
   * it is NaN in `orderByObject`.
   */
  readonly meanPhase: Float64Array;
}

/**
 * Measures the synchrony of phases within and between objects with the terms of the synchrony loss of
 * Muzellec, Alamia, Serre, VanRullen (TMLR 2025), by default over active units only. Throws `StriateError` if
 * an array does not match the sizes or the phase of an active unit is not finite.
 */
export function synchrony(input: SynchronyInput, options: SynchronyOptions = {}): Synchrony {
  const { phases, amplitudes, masks, batch, channels, maskChannels, pixels } = input;
  const { background = false, overlapChannel = false, silentUnits = "exclude" } = options;
  checkSizes("synchrony", { batch, channels, maskChannels, pixels });
  checkLength("synchrony: phases", phases, batch * channels * pixels);
  checkLength("synchrony: amplitudes", amplitudes, batch * channels * pixels);
  checkLength("synchrony: masks", masks, batch * maskChannels * pixels);
  const firstObject = background ? 0 : 1;
  const objects = maskChannels - firstObject - (overlapChannel ? 1 : 0);
  check(
    objects > 0,
    () =>
      `synchrony: expected at least one mask channel for an object, got ${maskChannels} mask channels in all`,
  );

  const orderByObject = new Float64Array(batch * objects);
  const meanPhase = new Float64Array(batch * objects);
  for (let sample = 0; sample < batch; sample++) {
    for (let object = 0; object < objects; object++) {
      const mask = (sample * maskChannels + firstObject + object) * pixels;
      let sumCos = 0;
      let sumSin = 0;
      let orderSum = 0;
      let groups = 0;
      for (let channel = 0; channel < channels; channel++) {
        const from = (sample * channels + channel) * pixels;
        let x = 0;
        let y = 0;
        let units = 0;
        for (let pixel = 0; pixel < pixels; pixel++) {
          if (masks[mask + pixel] === 0) continue;
          const active = amplitudes[from + pixel] !== 0;
          if (!active && silentUnits === "exclude") continue;
          const phase = active ? phases[from + pixel]! : 0;
          x += Math.cos(phase);
          y += Math.sin(phase);
          units++;
        }
        check(
          Number.isFinite(x) && Number.isFinite(y),
          () => `synchrony: a phase of sample ${sample}, channel ${channel} is not a finite number`,
        );
        sumCos += x;
        sumSin += y;
        if (units === 0 && silentUnits === "exclude") continue;
        orderSum += Math.hypot(x, y) / Math.max(units, 1);
        groups++;
      }
      const at = sample * objects + object;
      orderByObject[at] = groups === 0 ? NaN : orderSum / groups;
      meanPhase[at] = groups === 0 ? NaN : Math.atan2(sumSin, sumCos);
    }
  }

  const desynchronies: number[] = [];
  const separations: number[] = [];
  for (let sample = 0; sample < batch; sample++) {
    const angles = Array.from(meanPhase.subarray(sample * objects, (sample + 1) * objects)).filter(
      Number.isFinite,
    );
    if (angles.length < 2) continue;
    desynchronies.push(desynchronyOf(angles));
    separations.push(meanSeparation(angles));
  }
  return {
    order: meanOfFinite(orderByObject),
    desynchrony: meanOfFinite(desynchronies),
    separation: meanOfFinite(separations),
    orderByObject,
    meanPhase,
  };
}

function desynchronyOf(angles: readonly number[]): number {
  const groups = angles.length;
  let total = 0;
  for (let m = 1; m <= Math.floor(groups / 2); m++) {
    let x = 0;
    let y = 0;
    for (const angle of angles) {
      x += Math.cos(m * angle);
      y += Math.sin(m * angle);
    }
    total += (x * x + y * y) / (2 * groups * m * m);
  }
  return total;
}

function meanSeparation(angles: readonly number[]): number {
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < angles.length; i++) {
    for (let j = 0; j < i; j++) {
      const difference = angles[i]! - angles[j]!;
      sum += Math.abs(Math.atan2(Math.sin(difference), Math.cos(difference)));
      pairs++;
    }
  }
  return sum / pairs;
}

function meanOfFinite(values: Float64Array | readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? NaN : sum / count;
}
