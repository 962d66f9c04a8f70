import { checkEveryFinite, checkSome } from "../util/check.js";
import { check } from "../util/errors.js";

/**
 * Corruption errors (CE) after Hendrycks & Dietterich 2019 (arXiv:1903.12261, section 4). E(s, c) is the
 * network's top-1 error on corruption c at severity s, and B(s, c) is the baseline's. Errors are fractions
 * from 0 to 1.
 */

/** For each corruption, by name: the errors at severities 1, 2, ... */
export type CorruptionErrors = Readonly<Record<string, readonly number[]>>;

/** The errors of a reference network. CE and mCE are relative to them. */
export interface Baseline {
  readonly name: string;
  /** Error of each corruption, averaged over severities. */
  readonly meanErrors: Readonly<Record<string, number>>;
  readonly cleanError: number;
}

/**
 * AlexNet's errors on ImageNet-C at 224 x 224 pixels, averaged over severities, as AugMix and other papers
 * use them.
 */
export const ALEXNET: Baseline = {
  name: "AlexNet",
  meanErrors: {
    gaussian_noise: 0.886428,
    shot_noise: 0.894468,
    impulse_noise: 0.92264,
    defocus_blur: 0.81988,
    glass_blur: 0.826268,
    motion_blur: 0.785948,
    zoom_blur: 0.79836,
    snow: 0.866816,
    frost: 0.826572,
    fog: 0.819324,
    brightness: 0.564592,
    contrast: 0.853204,
    elastic_transform: 0.646056,
    pixelate: 0.71784,
    jpeg_compression: 0.6065,
  },
  cleanError: 0.435,
};

/** Unnormalised corruption error (CE) of each corruption: the network's error averaged over severities. */
export function unnormalisedCe(errors: CorruptionErrors): Record<string, number> {
  return Object.fromEntries(Object.entries(errors).map(([name, list]) => [name, mean(list, name)]));
}

/** Unnormalised CE averaged over corruptions. */
export function meanCorruptionError(errors: CorruptionErrors): number {
  return mean(Object.values(unnormalisedCe(errors)), "corruptions");
}

/**
 * Corruption error of each corruption c relative to the baseline: CE_c = sum_s E(s, c) / sum_s B(s, c). E is
 * the network's error at severity s and B the baseline's. At 1, the network is as bad as the baseline.
 */
export function normalisedCe(errors: CorruptionErrors, baseline: Baseline): Record<string, number> {
  const own = unnormalisedCe(errors);
  return Object.fromEntries(
    Object.entries(own).map(([name, error]) => [name, error / baselineError(baseline, name)]),
  );
}

/**
 * Mean corruption error in percent: mCE = 100 x (mean of CE over corruptions). Always report it together with
 * the name of the baseline.
 */
export function mce(errors: CorruptionErrors, baseline: Baseline): number {
  return 100 * mean(Object.values(normalisedCe(errors, baseline)), "corruptions");
}

/**
 * Relative corruption error of each corruption c: sum_s (E(s, c) - E_clean) / sum_s (B(s, c) - B_clean). E is
 * the network's error at severity s, B is the baseline's, and "clean" marks errors on images without
 * corruption.
 */
export function relativeCe(
  errors: CorruptionErrors,
  cleanError: number,
  baseline: Baseline,
): Record<string, number> {
  const own = unnormalisedCe(errors);
  return Object.fromEntries(
    Object.entries(own).map(([name, error]) => [
      name,
      (error - cleanError) / (baselineError(baseline, name) - baseline.cleanError),
    ]),
  );
}

/** Relative mCE in percent: 100 x (mean of the relative CE over corruptions). */
export function relativeMce(errors: CorruptionErrors, cleanError: number, baseline: Baseline): number {
  return 100 * mean(Object.values(relativeCe(errors, cleanError, baseline)), "corruptions");
}

function baselineError(baseline: Baseline, name: string): number {
  const error = baseline.meanErrors[name];
  check(error, () => `corruption error: ${baseline.name} has no error for ${name}`);
  return error;
}

function mean(values: readonly number[], what: string): number {
  checkSome(`corruption error: ${what}`, values.length, "value");
  checkEveryFinite(`corruption error: ${what}`, values);
  return values.reduce((a, b) => a + b, 0) / values.length;
}
