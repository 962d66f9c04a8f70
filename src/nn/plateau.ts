import { checkAtLeast, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** Options of `PlateauRate`. */
export interface PlateauOptions {
  /** Learning rate at the start. */
  readonly rate: number;
  /** Factor by which each reduction multiplies the rate. Default 0.1. */
  readonly factor?: number;
  /**
   * Number of consecutive measurements without improvement that leave the rate as it is (default 10). The
   * next one without improvement lowers it.
   */
  readonly patience?: number;
  /** Margin by which a measurement must beat the best one to count as an improvement. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is relative to the best measurement (default) or absolute. */
  readonly thresholdMode?: "relative" | "absolute";
  /** Whether "lower" (default) or "higher" measurements are better. */
  readonly better?: "lower" | "higher";
  /** Number of measurements after a reduction that are not counted towards `patience`. Default 0. */
  readonly coolDown?: number;
  /** Smallest rate. Default 0. */
  readonly minimum?: number;
  /** Smallest change of the rate; smaller reductions are skipped. Default 1e-8. */
  readonly epsilon?: number;
}

/**
 * A learning rate that falls when a measurement, such as a validation loss, stops improving. It equals
 * PyTorch's ReduceLROnPlateau. The constructor throws `StriateError` for invalid options.
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

  /** Records a measurement and returns the learning rate for the steps that follow. */
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
    // Before the first measurement, the best one is infinite, so there is no margin to compute: a relative
    // one would be NaN for a threshold of 1.
    if (!Number.isFinite(this.#best)) return sign * value > sign * this.#best;
    const margin =
      thresholdMode === "relative" ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return sign * value > sign * margin;
  }
}
