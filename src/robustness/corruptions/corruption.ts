import type { RgbImage } from "../../data/images/rgb-image.js";
import type { Random } from "../../util/random.js";
import type { BySet, ConstantSet } from "./constants.js";

/** A family of corruptions, as in Hendrycks & Dietterich 2019. */
export type CorruptionGroup = "noise" | "blur" | "weather" | "digital" | "extra";

/** A square picture to corrupt: `side` x `side` x 3 bytes. */
export interface Square {
  readonly side: number;
  readonly pixels: Uint8Array;
  readonly set: ConstantSet;
  /** Pictures of frost as large as they come; default: our own textures. */
  readonly frost?: readonly RgbImage[];
}

/** Values on the 0..255 scale before they are truncated to bytes. */
export type PixelValues = Float64Array | Uint8Array;

/** One kind of corruption: constants C by severity, and what it draws at random, D. */
export interface CorruptionKind<C, D = undefined> {
  readonly group: CorruptionGroup;
  readonly constants: BySet<C>;
  /** Everything random about one corrupted picture; absent for a corruption without chance. */
  draw?(random: Random, square: Square, constants: C): D;
  apply(square: Square, constants: C, draws: D): PixelValues;
}

/** k / 255 for every byte. */
export const UNIT = Float64Array.from({ length: 256 }, (_, k) => k / 255);

/** Bytes as numbers from 0 to 1. */
export function unitValues(pixels: Uint8Array): Float64Array {
  const out = new Float64Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = UNIT[pixels[i]!]!;
  return out;
}

/** The same in float32. */
export function singleValues(pixels: Uint8Array): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let i = 0; i < out.length; i++) out[i] = UNIT[pixels[i]!]!;
  return out;
}

/** From 0..1 to 0..255, limited to that range. */
export function clip255(value: number): number {
  return value <= 0 ? 0 : value >= 1 ? 255 : value * 255;
}

/** {@link clip255} of every value, in place. */
export function clipAll(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] = clip255(values[i]!);
  return values;
}

/** Toward zero, as a cast does: what every published set was stored with. */
export function truncateToBytes(values: PixelValues): Uint8Array {
  return values instanceof Uint8Array ? values : new Uint8Array(values);
}
