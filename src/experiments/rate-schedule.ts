import type { Schedule } from "../nn/schedules.js";
import { constantRate, cosineRate, withWarmUp } from "../nn/schedules.js";

/** How a learning rate goes: the same throughout, or after a warm-up of some steps along half a cosine down to 0. */
export type RateSchedule = "constant" | { readonly warmUp: number };

export interface RateConfig {
  /** The largest rate. */
  readonly learningRate: number;
  readonly schedule: RateSchedule;
  readonly steps: number;
}

export function rateOf({ learningRate: rate, schedule, steps }: RateConfig): Schedule {
  if (schedule === "constant") return constantRate(rate);
  return withWarmUp(cosineRate({ rate, steps }), schedule.warmUp);
}

/** For "How this was measured". */
export function scheduleText(schedule: RateSchedule): string {
  return schedule === "constant" ? "" : `, after ${schedule.warmUp} steps of warm-up falling along a cosine`;
}
