import { StriateError } from "../../util/errors.js";
import { unknownName } from "../../util/suggest.js";
import { defocusBlur, gaussianBlur, glassBlur, motionBlur, zoomBlur } from "./blur.js";
import { contrast, jpegCompression, pixelate, saturate } from "./digital.js";
import { elasticTransform } from "./elastic.js";
import type { CorruptionGroup, CorruptionKind } from "./kind.js";
import { gaussianNoise, impulseNoise, shotNoise, speckleNoise } from "./noise.js";
import { spatter } from "./spatter.js";
import { brightness, fog, frost, snow } from "./weather.js";

/** The corruptions in the benchmark's order: the 15 that count, then the 4 extra ones for validation. */
export const KINDS = {
  gaussian_noise: gaussianNoise,
  shot_noise: shotNoise,
  impulse_noise: impulseNoise,
  defocus_blur: defocusBlur,
  glass_blur: glassBlur,
  motion_blur: motionBlur,
  zoom_blur: zoomBlur,
  snow,
  frost,
  fog,
  brightness,
  contrast,
  elastic_transform: elasticTransform,
  pixelate,
  jpeg_compression: jpegCompression,
  speckle_noise: speckleNoise,
  gaussian_blur: gaussianBlur,
  spatter,
  saturate,
} as const;

/** The names that the benchmark and its published folders use. */
export type CorruptionName = keyof typeof KINDS;

/** The names of all 19 corruptions. */
export const CORRUPTIONS = Object.keys(KINDS) as readonly CorruptionName[];
/** The names of the 15 corruptions over which the benchmark's scores are averaged. */
export const BENCHMARK_CORRUPTIONS: readonly CorruptionName[] = CORRUPTIONS.filter(
  (name) => KINDS[name].group !== "extra",
);

/** All severities, the weakest first. */
export const SEVERITIES = [1, 2, 3, 4, 5] as const;
/** How strong a corruption is, 1 to 5. */
export type Severity = (typeof SEVERITIES)[number];

type DrawsOfKind<K> = K extends CorruptionKind<infer _, infer D> ? D : never;
/** The random draws for one corrupted image; `undefined` for deterministic corruptions. */
export type CorruptionDraws<N extends CorruptionName = CorruptionName> = DrawsOfKind<(typeof KINDS)[N]>;

/** Throws {@link StriateError} unless the name is one of {@link CORRUPTIONS}. */
export function corruptionName(name: string): CorruptionName {
  const found = CORRUPTIONS.find((known) => known === name);
  if (found === undefined) throw new StriateError(unknownName("corruption", name, CORRUPTIONS));
  return found;
}

/** The group of a corruption, as in Hendrycks & Dietterich 2019. */
export function corruptionGroup(name: CorruptionName): CorruptionGroup {
  return KINDS[name].group;
}

/** Whether the corruption draws random numbers. */
export function isStochastic(name: CorruptionName): boolean {
  return KINDS[name].draw !== undefined;
}
