import fc from "fast-check";
import { expect, test } from "vitest";
import { createRateEstimator, describeProgress, formatDuration } from "../../src/train/progress.js";

/** An estimator with a clock that the test moves, in seconds. */
function withClock(options: { steps: number; firstStep?: number; smoothingSeconds?: number }): {
  estimator: ReturnType<typeof createRateEstimator>;
  pass: (seconds: number) => void;
} {
  let milliseconds = 1000;
  const estimator = createRateEstimator({ ...options, now: () => milliseconds });
  return { estimator, pass: (seconds) => (milliseconds += seconds * 1000) };
}

test("a steady pace is measured exactly, also after a resume", () => {
  const { estimator, pass } = withClock({ steps: 100, firstStep: 40 });
  for (let step = 41; step <= 60; step++) {
    pass(0.5);
    const rate = estimator.update(step, 32);
    expect(rate.imagesPerSecond).toBeCloseTo(64, 9);
    expect(rate.secondsLeft).toBeCloseTo((100 - step) * 0.5, 9);
  }
});

test("a slow first step is soon forgotten", () => {
  const { estimator, pass } = withClock({ steps: 1000, smoothingSeconds: 10 });
  pass(20);
  expect(estimator.update(1, 10).imagesPerSecond).toBeCloseTo(0.5, 9);
  let rate = 0;
  for (let step = 2; step <= 501; step++) {
    pass(0.1);
    rate = estimator.update(step, 10).imagesPerSecond;
  }
  expect(rate).toBeGreaterThan(98);
  expect(rate).toBeLessThanOrEqual(100);
});

test("pauses do not count", () => {
  const { estimator, pass } = withClock({ steps: 10 });
  pass(1);
  estimator.update(1, 5);
  estimator.pause();
  pass(500);
  estimator.pause();
  pass(500);
  estimator.resume();
  pass(1);
  expect(estimator.update(2, 5)).toEqual({ imagesPerSecond: 5, secondsLeft: 8 });
  estimator.pause();
  pass(100);
  // Forgetting to resume is harmless: the next update does it, with no time passed.
  expect(estimator.update(3, 0).secondsLeft).toBeLessThan(7);
});

test("nothing timed yet gives no estimate; the end gives zero", () => {
  const { estimator, pass } = withClock({ steps: 2 });
  expect(estimator.update(0, 0)).toEqual({ imagesPerSecond: 0, secondsLeft: undefined });
  pass(1);
  expect(estimator.update(2, 4).secondsLeft).toBe(0);
  expect(() => createRateEstimator({ steps: 1, smoothingSeconds: 0 })).toThrow(/smoothingSeconds/);
});

test("the rate stays between the slowest and the fastest step", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 30, noNaN: true }), { minLength: 1 }), (durations) => {
      const { estimator, pass } = withClock({ steps: durations.length + 1 });
      for (const [i, seconds] of durations.entries()) {
        pass(seconds);
        const { imagesPerSecond, secondsLeft } = estimator.update(i + 1, 8);
        const seen = durations.slice(0, i + 1).map((duration) => 8 / duration);
        expect(imagesPerSecond).toBeGreaterThanOrEqual(Math.min(...seen) * (1 - 1e-9));
        expect(imagesPerSecond).toBeLessThanOrEqual(Math.max(...seen) * (1 + 1e-9));
        expect(secondsLeft).toBeGreaterThan(0);
      }
    }),
  );
});

test("durations and figures read well", () => {
  const durations = [0.4, 8, 59.6, 185, 3599.6, 7620, 90_000, Infinity].map(formatDuration);
  expect(durations).toEqual([
    "0 s",
    "8 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 00 min",
    "2 h 07 min",
    "25 h 00 min",
    "?",
  ]);
  const event = { step: 120, steps: 2400, epoch: 2, loss: 0.412, imagesPerSecond: 310.4, secondsLeft: 65 };
  expect(describeProgress({ ...event, metrics: { accuracy: 0.5, norm: 12345.6, lr: 1e-5, zero: 0 } })).toBe(
    "step 120/2400 · epoch 2 · loss 0.4120 · accuracy 0.5000 · norm 12346 · lr 1.00e-5 · zero 0 · 310 images/s · 1 min 05 s left",
  );
  expect(describeProgress({ step: 5, steps: 5, imagesPerSecond: 1.25, secondsLeft: 0 })).toBe(
    "step 5/5 · 1.3 images/s",
  );
  expect(describeProgress({ step: 0, steps: 5, imagesPerSecond: 0, secondsLeft: undefined, loss: NaN })).toBe(
    "step 0/5 · loss NaN",
  );
});
