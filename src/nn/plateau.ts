import { check } from "../util/errors.js";

/** When a rate falls that waits for measurements to stop getting better. */
export interface PlateauOptions {
  /** Rate at the start. */
  readonly rate: number;
  /** What the rate is multiplied by when nothing has got better for long enough. Default 0.1. */
  readonly factor?: number;
  /** Measurements in a row that may be no better (default 10); one more lowers the rate. */
  readonly patience?: number;
  /** By how much a measurement must beat the best one to count as better. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a part of the best measurement (default) or an absolute difference. */
  readonly thresholdMode?: "relative" | "absolute";
  /** Whether low (default) or high measurements are good. */
  readonly better?: "lower" | "higher";
  /** Measurements after a reduction that are not counted. Default 0. */
  readonly coolDown?: number;
  /** The rate does not fall below this. Default 0. */
  readonly minimum?: number;
  /** A smaller change of the rate is not made. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * A learning rate that falls when a measurement has stopped getting better; as PyTorch's ReduceLROnPlateau. Throws
 * `StriateError` for options that make no sense.
 */
export class PlateauRate {
  #rate: number;
  #best: number;
  #bad = 0;
  #cooling = 0;
  readonly #options: Required<PlateauOptions>;

  constructor(options: PlateauOptions) {
    const all = {
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "relative",
      better: "lower",
      coolDown: 0,
      minimum: 0,
      epsilon: 1e-8,
      ...options,
    } as const;
    check(
      Number.isFinite(all.rate) && all.rate >= 0,
      () => `plateau: expected a rate of at least 0, got ${all.rate}`,
    );
    check(
      all.factor > 0 && all.factor < 1,
      () => `plateau: expected a factor between 0 and 1, got ${all.factor}`,
    );
    for (const name of ["patience", "coolDown"] as const)
      check(
        Number.isInteger(all[name]) && all[name] >= 0,
        () => `plateau: ${name}: expected a whole number of measurements, got ${all[name]}`,
      );
    this.#options = all;
    this.#rate = all.rate;
    this.#best = all.better === "lower" ? Infinity : -Infinity;
  }

  /** The rate for now. */
  get rate(): number {
    return this.#rate;
  }

  /** Takes a measurement and gives the rate from here on. */
  observe(value: number): number {
    const { patience, factor, minimum, epsilon, coolDown } = this.#options;
    if (this.#isBetter(value)) {
      this.#best = value;
      this.#bad = 0;
    } else this.#bad++;
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#bad = 0;
    }
    if (this.#bad > patience) {
      const next = Math.max(this.#rate * factor, minimum);
      if (this.#rate - next > epsilon) this.#rate = next;
      this.#cooling = coolDown;
      this.#bad = 0;
    }
    return this.#rate;
  }

  #isBetter(value: number): boolean {
    const { better, threshold, thresholdMode } = this.#options;
    const sign = better === "lower" ? -1 : 1;
    // Nothing measured yet: 0 * Infinity is no number.
    if (!Number.isFinite(this.#best)) return sign * value > sign * this.#best;
    const margin =
      thresholdMode === "relative" ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return sign * value > sign * margin;
  }
}
