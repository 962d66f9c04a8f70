import type { Tensor } from "../graph/index.js";
import {
  add,
  clip,
  div,
  equal,
  exp,
  floor,
  log,
  maximum,
  mul,
  scaledAdd,
  scope,
  sub,
  where,
} from "../graph/index.js";
import { checkHalfOpen, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/**
 * An exponential moving average (EMA) of weights. After every optimizer step it becomes ema = (1 - rate)
 * ema + rate weights. The rate may depend on the step. The average starts as a copy of the weights.
 */
export interface MovingAverage {
  /** Returns the rate, a scalar. `step` is the number of steps that were done before the current one. */
  rate(step: Tensor): Tensor | number;
}

/** An average with a constant decay in [0, 1). Its rate is 1 - decay at every step. */
export function constantAverage(decay: number): MovingAverage {
  checkHalfOpen("moving average: decay", decay, 0, 1);
  return { rate: () => 1 - decay };
}

/** Options of `warmAverage`. */
export interface WarmAverageOptions {
  /** Largest decay (default 0.9999). */
  readonly decay?: number;
  /**
   * Number of steps from one update of the average to the next (default 10). The steps between do not change
   * the average.
   */
  readonly every?: number;
  /** Number of steps at the start of training during which each update copies the weights (default 100). */
  readonly after?: number;
  /** Time scale of the decay's growth in steps; the larger, the slower the decay grows (default 1). */
  readonly inverseGamma?: number;
  /** The exponent in the formula of `warmAverage`; the larger, the faster the decay grows (default 2/3). */
  readonly power?: number;
  /** Smallest decay after step `after` (default 0). */
  readonly smallestDecay?: number;
}

/**
 * An average whose decay grows during training. Steps k are counted from 0, and the average changes only at
 * steps that `every` divides. Up to k = `after`, it becomes a copy of the weights. Later, its decay is
 * clip(1 - (1 + e / inverseGamma)^-power, smallestDecay, decay) with e = k - after. The defaults are the rule
 * of AKOrN's training (arXiv:2410.13821).
 */
export function warmAverage(options: WarmAverageOptions = {}): MovingAverage {
  const { decay = 0.9999, every = 10, after = 100 } = options;
  const { inverseGamma = 1, power = 2 / 3, smallestDecay = 0 } = options;
  checkWhole("moving average: every", every);
  check(
    smallestDecay >= 0 && smallestDecay <= decay && decay < 1,
    () => `moving average: expected 0 <= smallest decay <= decay < 1, got ${smallestDecay} and ${decay}`,
  );
  return {
    rate: (step) =>
      scope("emaRate", () => {
        const elapsed = maximum(sub(step, after), 0);
        const fresh = exp(mul(log(add(mul(elapsed, 1 / inverseGamma), 1)), -power));
        const bounded = clip(fresh, 1 - decay, 1 - smallestDecay);
        const rate = smallestDecay === 0 ? bounded : where(equal(elapsed, 0), 1, bounded);
        if (every === 1) return rate;
        // WebGPU has no Mod, so test by division whether `every` divides the step. In float32 this is exact
        // up to 2^23 steps.
        const due = equal(mul(floor(div(add(step, 0.5), every)), every), step);
        return where(due, rate, 0);
      }),
  };
}

/**
 * Computes (1 - rate) old + rate fresh, where `kept` is 1 - rate. At rate 0 this is exactly `old`, and at
 * rate 1 exactly `fresh`.
 */
export function averaged(old: Tensor, fresh: Tensor, rate: Tensor | number, kept: Tensor | number): Tensor {
  return scaledAdd(old, kept, mul(fresh, rate));
}
