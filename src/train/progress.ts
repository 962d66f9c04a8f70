import { checkPositive } from "../util/check.js";

/** The progress of a long task, as plain data that a worker can send. */
export interface ProgressEvent {
  /** Number of steps done since the start of the run, including steps before the run was resumed. */
  readonly step: number;
  /** Total number of steps. */
  readonly steps: number;
  /** What a step is in words for the user. Default "step". */
  readonly unit?: string;
  /** The current epoch, from 1; absent for tasks without epochs. */
  readonly epoch?: number;
  readonly loss?: number;
  /** Smoothed speed; 0 until the first step has been timed. */
  readonly imagesPerSecond: number;
  /** Estimated number of seconds left; undefined until the first step has been timed. */
  readonly secondsLeft: number | undefined;
  /** Further values by name, in the order in which to show them. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** A function that is called with every progress event of a task. */
export type ProgressListener = (event: ProgressEvent) => void;

export interface RateEstimatorOptions {
  readonly steps: number;
  /** Number of steps done before this process began, if the run was resumed. Default 0. */
  readonly firstStep?: number;
  /** Time constant of the smoothed speed in seconds. Default 15. */
  readonly smoothingSeconds?: number;
  /** A monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

export interface Rate {
  readonly imagesPerSecond: number;
  readonly secondsLeft: number | undefined;
}

export interface RateEstimator {
  /** Reports that `step` steps are done and that `images` were processed since the last call. */
  update(step: number, images: number): Rate;
  /**
   * Excludes the time until the next call of `resume` or `update`, such as that of a validation, a checkpoint
   * or a suspended laptop.
   */
  pause(): void;
  resume(): void;
}

/**
 * Estimates speed and remaining time from sums of work and of time in which older steps count exponentially
 * less. So a slow first step, in which the session is built, soon stops mattering, and each step is weighted
 * by its duration.
 */
export function createRateEstimator(options: RateEstimatorOptions): RateEstimator {
  const { steps, firstStep = 0, smoothingSeconds = 15, now = () => performance.now() } = options;
  checkPositive("smoothingSeconds", smoothingSeconds);
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

/** Formats a duration, such as "8 s", "3 min 05 s" or "2 h 07 min". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/**
 * Describes an event in one line, such as "step 120/2400 · epoch 2 · loss 0.4120 · 310 images/s · 1 min 05 s
 * left".
 */
export function describeProgress(event: ProgressEvent): string {
  const { step, steps, unit = "step", epoch, loss, imagesPerSecond, secondsLeft, metrics = {} } = event;
  const parts = [`${unit} ${step}/${steps}`];
  if (epoch !== undefined) parts.push(`epoch ${epoch}`);
  if (loss !== undefined) parts.push(`loss ${formatValue(loss)}`);
  for (const [name, value] of Object.entries(metrics)) parts.push(`${name} ${formatValue(value)}`);
  if (imagesPerSecond > 0) {
    parts.push(`${imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : Math.round(imagesPerSecond)} images/s`);
  }
  if (secondsLeft !== undefined && step < steps) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join(" · ");
}

/** Formats a number with four significant digits, without an exponent for moderate sizes. */
function formatValue(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e6 || magnitude < 1e-4) return value.toExponential(2);
  return magnitude >= 1000 ? String(Math.round(value)) : value.toPrecision(4);
}
