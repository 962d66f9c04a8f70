import { checkAtLeast, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** Options of a learning rate that falls when measurements stop improving. */
export interface PlateauOptions {
  /** Rate at the start. */
  readonly rate: number;
  /** Factor by which each reduction multiplies the rate. Default 0.1. */
  readonly factor?: number;
  /**
   * Number of consecutive measurements without improvement that are tolerated (default 10); one more lowers the rate.
   */
  readonly patience?: number;
  /** Margin by which a measurement must beat the best one to count as an improvement. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is relative to the best measurement (default) or absolute. */
  readonly thresholdMode?: "relative" | "absolute";
  /** Whether low (default) or high measurements are good. */
  readonly better?: "lower" | "higher";
  /** Number of measurements after a reduction that do not count. Default 0. */
  readonly coolDown?: number;
  /** Smallest rate. Default 0. */
  readonly minimum?: number;
  /** Smallest change of the rate; smaller reductions are skipped. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * A learning rate that falls when a measurement stops improving, as PyTorch's ReduceLROnPlateau. Throws `StriateError`
 * for invalid options.
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
    checkAtLeast("plateau: rate", all.rate, 0);
    check(
      all.factor > 0 && all.factor < 1,
      () => `plateau: expected a factor between 0 and 1, got ${all.factor}`,
    );
    for (const name of ["patience", "coolDown"] as const)
      checkWhole(`plateau: ${name}`, all[name], { from: 0 });
    this.#options = all;
    this.#rate = all.rate;
    this.#best = all.better === "lower" ? Infinity : -Infinity;
  }

  /** The current rate. */
  get rate(): number {
    return this.#rate;
  }

  /** Takes a measurement and returns the rate of the following steps. */
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
    // Before the first measurement, the best one is infinite, and 0 * Infinity would be NaN.
    if (!Number.isFinite(this.#best)) return sign * value > sign * this.#best;
    const margin =
      thresholdMode === "relative" ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return sign * value > sign * margin;
  }
}
