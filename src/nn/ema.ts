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
 * Exponential moving average of weights, updated after every optimizer step: ema = (1 - rate) ema + rate weights, with
 * a rate that may depend on the step. At first the average is a copy of the weights.
 */
export interface MovingAverage {
  /** The rate as a scalar; `step` is the number of steps done before this one. */
  rate(step: Tensor): Tensor | number;
}

/** An average with a constant decay in [0, 1): rate 1 - decay at every step. */
export function constantAverage(decay: number): MovingAverage {
  checkHalfOpen("moving average: decay", decay, 0, 1);
  return { rate: () => 1 - decay };
}

/** Options of a moving average with a growing decay. */
export interface WarmAverageOptions {
  /** Largest decay (default 0.9999). */
  readonly decay?: number;
  /** Number of steps from one update to the next (default 10); other steps do not change the average. */
  readonly every?: number;
  /** Number of first steps in which an update copies the weights (default 100). */
  readonly after?: number;
  /** How slowly the decay grows (default 1). */
  readonly inverseGamma?: number;
  /** The power with which the decay grows (default 2/3). */
  readonly power?: number;
  /** Smallest decay once the average has begun (default 0). */
  readonly smallestDecay?: number;
}

/**
 * An average whose decay grows: at step k (0 first) nothing happens unless `every` divides k; up to k = `after` the
 * weights are copied; later decay = clip(1 - (1 + e / inverseGamma)^-power, smallestDecay, decay), e = k - after. The
 * rule of AKOrN's training (arXiv:2410.13821), which updates every 10 steps.
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
        // An integer division instead of Mod, which WebGPU lacks; float32 is exact up to 2^23 steps.
        const due = equal(mul(floor(div(add(step, 0.5), every)), every), step);
        return where(due, rate, 0);
      }),
  };
}

/**
 * (1 - rate) old + rate fresh: with rate 0 exactly the old value, with rate 1 exactly the fresh one.
 */
export function averaged(old: Tensor, fresh: Tensor, rate: Tensor | number, kept: Tensor | number): Tensor {
  return scaledAdd(old, kept, mul(fresh, rate));
}
