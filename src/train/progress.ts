import { check } from "../util/errors.js";

/** What a long task tells while it works; plain data, so that it crosses from a worker. */
export interface ProgressEvent {
  /** Steps done, counted from the run's beginning, also after a resume. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** Epochs begun, from 1; absent for tasks that have none. */
  readonly epoch?: number;
  readonly loss?: number;
  /** Smoothed; 0 until the first step is timed. */
  readonly imagesPerSecond: number;
  /** Estimate; undefined until the first step is timed. */
  readonly secondsLeft: number | undefined;
  /** Further values by name, in the order to show them. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Is called with every event of a training. */
export type ProgressListener = (event: ProgressEvent) => void;

export interface RateEstimatorOptions {
  readonly steps: number;
  /** Steps already done when this process began, on resume. Default 0. */
  readonly firstStep?: number;
  /** How far back the rate looks, in seconds; older times count e-fold less. Default 15. */
  readonly smoothingSeconds?: number;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number;
}

export interface Rate {
  readonly imagesPerSecond: number;
  readonly secondsLeft: number | undefined;
}

export interface RateEstimator {
  /** Tells that `step` steps are done and that `images` were processed since the last call. */
  update(step: number, images: number): Rate;
  /** Leaves the time until the next {@link resume} out (validation, a checkpoint, a suspended laptop). */
  pause(): void;
  resume(): void;
}

/**
 * Speed and time left from exponentially discounted sums of work and time: recent steps count most, a slow first step
 * (building the session) is soon forgotten, and steps of uneven length are weighed by their length.
 */
export function createRateEstimator(options: RateEstimatorOptions): RateEstimator {
  const { steps, firstStep = 0, smoothingSeconds = 15, now = () => performance.now() } = options;
  check(smoothingSeconds > 0, () => `smoothingSeconds: expected more than 0, got ${smoothingSeconds}.`);
  let last = now();
  let lastStep = firstStep;
  let pausedAt: number | undefined;
  const sums = { seconds: 0, images: 0, steps: 0 };
  const resume = (): void => {
    if (pausedAt !== undefined) last += now() - pausedAt;
    pausedAt = undefined;
  };
  return {
    update(step, images) {
      resume();
      const time = now();
      const seconds = Math.max(0, (time - last) / 1000);
      const keep = Math.exp(-seconds / smoothingSeconds);
      sums.seconds = sums.seconds * keep + seconds;
      sums.images = sums.images * keep + images;
      sums.steps = sums.steps * keep + (step - lastStep);
      last = time;
      lastStep = step;
      if (sums.seconds <= 0) return { imagesPerSecond: 0, secondsLeft: undefined };
      const left = Math.max(0, steps - step);
      return {
        imagesPerSecond: sums.images / sums.seconds,
        secondsLeft: left === 0 ? 0 : sums.steps > 0 ? (left * sums.seconds) / sums.steps : undefined,
      };
    },
    pause() {
      pausedAt ??= now();
    },
    resume,
  };
}

/** "8 s", "3 min 05 s", "2 h 07 min" */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** The figures of an event in one line: "step 120/2400 · epoch 2 · loss 0.4120 · 310 images/s · 1 min 05 s left". */
export function describeProgress(event: ProgressEvent): string {
  const { step, steps, epoch, loss, imagesPerSecond, secondsLeft, metrics = {} } = event;
  const parts = [`step ${step}/${steps}`];
  if (epoch !== undefined) parts.push(`epoch ${epoch}`);
  if (loss !== undefined) parts.push(`loss ${formatValue(loss)}`);
  for (const [name, value] of Object.entries(metrics)) parts.push(`${name} ${formatValue(value)}`);
  if (imagesPerSecond > 0) {
    parts.push(`${imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : Math.round(imagesPerSecond)} images/s`);
  }
  if (secondsLeft !== undefined && step < steps) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join(" · ");
}

/** Four significant digits, without an exponent where that reads well. */
function formatValue(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(2);
  return magnitude >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}
