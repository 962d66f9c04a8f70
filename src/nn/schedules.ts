import { checkAtLeast, checkWhole } from "../util/check.js";
import { StriateError } from "../util/errors.js";

/**
 * Returns the learning rate of a training step. `step` is the number of steps done before it (0 for the
 * first). Schedules are computed outside the graph.
 */
export type Schedule = (step: number) => number;

/** Options of `cosineRate` (Loshchilov & Hutter 2017). */
export interface CosineOptions {
  /** Rate at the start. */
  readonly rate: number;
  /**
   * Number of steps over which the rate falls from `rate` to `minimum`. With restarts, this is the length of
   * the first period.
   */
  readonly steps: number;
  /** Default 0. */
  readonly minimum?: number;
}

/** Options of `cosineRateWithRestarts` (Loshchilov & Hutter 2017). */
export interface RestartOptions extends CosineOptions {
  /** Ratio of the length of each period to the length of the previous one, an integer. Default 1. */
  readonly growth?: number;
}

/** A constant rate. */
export function constantRate(rate: number): Schedule {
  checkAtLeast("learning rate", rate, 0);
  return () => rate;
}

/**
 * A rate that falls along half a cosine: minimum + (rate - minimum) (1 + cos(pi step / steps)) / 2 for
 * `steps` steps, and `minimum` for all later ones. This is one period of Loshchilov & Hutter 2017
 * (arXiv:1608.03983), eq. 5, and equals PyTorch's CosineAnnealingLR up to the end of the period.
 *
 * @example
 * ```ts
 * import { cosineRate, withWarmUp } from "striate";
 *
 * const rate = withWarmUp(cosineRate({ rate: 0.1, steps: 100 }), 10);
 * console.log(rate(0).toFixed(3), rate(50).toFixed(3), rate(100).toFixed(3)); // 0.010 0.050 0.000
 * ```
 */
export function cosineRate(options: CosineOptions): Schedule {
  const { steps } = checkCosine(options);
  return (step) => cosineAt(options, Math.min(step / steps, 1));
}

/**
 * A rate as in {@link cosineRate} that starts again at `rate` after each period. It equals PyTorch's
 * CosineAnnealingWarmRestarts.
 */
export function cosineRateWithRestarts(options: RestartOptions): Schedule {
  const { steps } = checkCosine(options);
  const { growth = 1 } = options;
  checkWhole("cosine schedule: growth", growth);
  return (step) => {
    let [from, length] = [0, steps];
    if (growth === 1) from = Math.floor(step / steps) * steps;
    else for (; step >= from + length; length *= growth) from += length;
    return cosineAt(options, (step - from) / length);
  };
}

/**
 * A rate that is multiplied by `factor` after every `every` steps: rate x factor^floor(step / every).
 * `factor` is 0.1 by default. It equals PyTorch's StepLR.
 */
export function stepRate(options: {
  readonly rate: number;
  readonly every: number;
  readonly factor?: number;
}): Schedule {
  const { rate, every, factor = 0.1 } = options;
  checkAtLeast("learning rate", rate, 0);
  checkWhole("step schedule: steps", every);
  return (step) => rate * factor ** Math.floor(step / every);
}

/**
 * A rate that is multiplied by `factor` at each of the steps in `milestones`: rate x factor^(number of
 * milestones reached). `factor` is 0.1 by default. It equals PyTorch's MultiStepLR.
 */
export function milestoneRate(options: {
  readonly rate: number;
  readonly milestones: readonly number[];
  readonly factor?: number;
}): Schedule {
  const { rate, milestones, factor = 0.1 } = options;
  checkAtLeast("learning rate", rate, 0);
  return (step) => rate * factor ** milestones.filter((milestone) => step >= milestone).length;
}

/**
 * Adds a linear warm-up to a schedule: its rate is multiplied by min(1, (step + offset) / steps). The first
 * step thus has `offset` / `steps` of the full rate. `offset` is 1 by default; AKOrN's rule has 2.
 */
export function withWarmUp(schedule: Schedule, steps: number, offset = 1): Schedule {
  checkWhole("warm-up: steps", steps, { from: 0 });
  if (steps === 0) return schedule;
  return (step) => schedule(step) * Math.min(1, (step + offset) / steps);
}

/**
 * A schedule described by plain data, for configuration files and workers. `warmUp` is the number of steps of
 * linear warm-up (default 0).
 */
export type ScheduleConfig = { readonly warmUp?: number; readonly warmUpOffset?: number } & (
  | { readonly type: "constant"; readonly rate: number }
  | ({ readonly type: "cosine" } & CosineOptions)
  | ({ readonly type: "cosineWithRestarts" } & RestartOptions)
  | { readonly type: "step"; readonly rate: number; readonly every: number; readonly factor?: number }
  | {
      readonly type: "milestones";
      readonly rate: number;
      readonly milestones: readonly number[];
      readonly factor?: number;
    }
);

/**
 * Makes the schedule that a configuration describes. Throws {@link StriateError} for an unknown type or
 * invalid values.
 */
export function scheduleOf(config: ScheduleConfig): Schedule {
  return withWarmUp(bareSchedule(config), config.warmUp ?? 0, config.warmUpOffset);
}

function bareSchedule(config: ScheduleConfig): Schedule {
  switch (config.type) {
    case "constant":
      return constantRate(config.rate);
    case "cosine":
      return cosineRate(config);
    case "cosineWithRestarts":
      return cosineRateWithRestarts(config);
    case "step":
      return stepRate(config);
    case "milestones":
      return milestoneRate(config);
    default:
      throw new StriateError(
        `unknown schedule "${(config as { type: string }).type}": expected constant, cosine, cosineWithRestarts, step or milestones`,
      );
  }
}

function cosineAt({ rate, minimum = 0 }: CosineOptions, part: number): number {
  return minimum + ((rate - minimum) * (1 + Math.cos(Math.PI * part))) / 2;
}

function checkCosine(options: CosineOptions): CosineOptions {
  checkAtLeast("learning rate", options.rate, 0);
  checkAtLeast("learning rate", options.minimum ?? 0, 0);
  checkWhole("cosine schedule: steps", options.steps);
  return options;
}
