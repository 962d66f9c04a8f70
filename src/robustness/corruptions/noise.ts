import type { Random } from "../../util/random.js";
import { GAUSSIAN_NOISE, IMPULSE_NOISE, SHOT_NOISE, SPECKLE_NOISE } from "./constants.js";
import type { CorruptionKind, Square } from "./kind.js";
import { UNIT, clip255 } from "./kind.js";
import { PoissonTable } from "./pixels/poisson.js";

export interface NormalDraws {
  /** For every value, a normally distributed number with mean 0 and the standard deviation of the noise. */
  readonly normal: Float32Array;
}

function drawNormal(random: Random, { pixels }: Square, std: number): NormalDraws {
  return { normal: random.fillNormal(new Float32Array(pixels.length), 0, std) };
}

/** Adds Gaussian noise to each value x: x + n, with n normally distributed. */
export const gaussianNoise: CorruptionKind<number, NormalDraws> = {
  group: "noise",
  constants: GAUSSIAN_NOISE,
  draw: drawNormal,
  apply({ pixels }, _std, { normal }) {
    const out = new Float64Array(pixels.length);
    for (let i = 0; i < out.length; i++) out[i] = clip255(UNIT[pixels[i]!]! + normal[i]!);
    return out;
  },
};

/** Adds multiplicative noise to each value x: x + x n, with n normally distributed. */
export const speckleNoise: CorruptionKind<number, NormalDraws> = {
  group: "extra",
  constants: SPECKLE_NOISE,
  draw: drawNormal,
  apply({ pixels }, _std, { normal }) {
    const out = new Float64Array(pixels.length);
    for (let i = 0; i < out.length; i++) {
      const x = UNIT[pixels[i]!]!;
      out[i] = clip255(x + x * normal[i]!);
    }
    return out;
  },
};

export interface ShotDraws {
  /** For every value, the number of photons. */
  readonly counts: Int32Array;
}

/** Replaces each value x by Poisson(c x) / c, where c is the number of photons of a white pixel. */
export const shotNoise: CorruptionKind<number, ShotDraws> = {
  group: "noise",
  constants: SHOT_NOISE,
  draw(random, { pixels }, photons) {
    const tables: (PoissonTable | undefined)[] = new Array<undefined>(256).fill(undefined);
    const counts = new Int32Array(pixels.length);
    for (let i = 0; i < counts.length; i++) {
      const level = pixels[i]!;
      const table = (tables[level] ??= new PoissonTable(UNIT[level]! * photons));
      counts[i] = table.at(random.uniform());
    }
    return { counts };
  },
  apply(_square, photons, { counts }) {
    const out = new Float64Array(counts.length);
    for (let i = 0; i < out.length; i++) out[i] = clip255(counts[i]! / photons);
    return out;
  },
};

export interface ImpulseDraws {
  /** 1 for values that are replaced, otherwise 0. */
  readonly flipped: Uint8Array;
  /** 1 for white replacements, 0 for black ones. */
  readonly salted: Uint8Array;
}

/** Salt-and-pepper noise, independent for every value. */
export const impulseNoise: CorruptionKind<number, ImpulseDraws> = {
  group: "noise",
  constants: IMPULSE_NOISE,
  draw(random, { pixels }, amount) {
    const uniform = random.fillUniform(new Float32Array(pixels.length));
    const flipped = new Uint8Array(pixels.length);
    const salted = new Uint8Array(pixels.length);
    for (let i = 0; i < flipped.length; i++) {
      if (uniform[i]! >= amount) continue;
      flipped[i] = 1;
      if (random.uniform() < 0.5) salted[i] = 1;
    }
    return { flipped, salted };
  },
  apply({ pixels }, _amount, { flipped, salted }) {
    const out = new Uint8Array(pixels.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = flipped[i] === 0 ? pixels[i]! : salted[i] === 0 ? 0 : 255;
    }
    return out;
  },
};
