import type { RgbImage } from "../../data/images/rgb-image.js";
import type { Random } from "../../util/random.js";
import type { BySet, ConstantSet } from "./constants.js";

/** A family of corruptions, as in Hendrycks & Dietterich 2019. */
export type CorruptionGroup = "noise" | "blur" | "weather" | "digital" | "extra";

/**
 * A square image to corrupt, of `side` x `side` x 3 bytes, and what the corruptions need to know about it.
 */
export interface Square {
  readonly side: number;
  readonly pixels: Uint8Array;
  readonly set: ConstantSet;
  /** Photographs of frost in their original sizes. Default: textures that Striate generates. */
  readonly frost?: readonly RgbImage[];
}

/** Values on a scale of 0..255, before they are truncated to bytes. */
export type PixelValues = Float64Array | Uint8Array;

/** One kind of corruption with constants C for each severity and random draws D. */
export interface CorruptionKind<C, D = undefined> {
  readonly group: CorruptionGroup;
  readonly constants: BySet<C>;
  /** Makes the random draws for one corrupted image. Absent for a deterministic corruption. */
  draw?(random: Random, square: Square, constants: C): D;
  apply(square: Square, constants: C, draws: D): PixelValues;
}

/** Table of the numbers k / 255 for all bytes k. */
export const UNIT = Float64Array.from({ length: 256 }, (_, k) => k / 255);

/** Converts bytes to numbers from 0 to 1. */
export function unitValues(pixels: Uint8Array): Float64Array {
  const out = new Float64Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = UNIT[pixels[i]!]!;
  return out;
}

/** Converts bytes to float32 numbers from 0 to 1. */
export function singleValues(pixels: Uint8Array): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = UNIT[pixels[i]!]!;
  return out;
}

/** Scales a value from 0..1 to 0..255 and clips it to that range. */
export function clip255(value: number): number {
  return value <= 0 ? 0 : value >= 1 ? 255 : value * 255;
}

/** Applies {@link clip255} to every value, in place. */
export function clipAll(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] = clip255(values[i]!);
  return values;
}

/** Truncates values to bytes, as was done for every published set. */
export function truncateToBytes(values: PixelValues): Uint8Array {
  return values instanceof Uint8Array ? values : new Uint8Array(values);
}
