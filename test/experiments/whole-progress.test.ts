import { expect, it } from "vitest";
import { followCells } from "../../src/experiments/whole-progress.js";
import type { ProgressEvent } from "../../src/train/progress.js";
import { describeProgress } from "../../src/train/progress.js";

it("a run tells how long all of its cells will take, by the cells that differ in the seed only", () => {
  let time = 0;
  const told: ProgressEvent[] = [];
  const names = ["a/seed1", "a/seed2", "b/seed1", "b/seed2", "old/seed1"];
  const whole = followCells(
    names,
    new Set(["old/seed1"]),
    (event) => told.push(event),
    () => time * 1000,
  );
  const step = { step: 1, steps: 4, imagesPerSecond: 100, secondsLeft: 30 };
  whole.begin("a/seed1");
  whole.begin("b/seed1");
  time = 10;
  // a: 40 s for each seed; b is not measured yet, so it takes as long as the average: 30 + 40 + 30 + 40 s, two at a time.
  whole.update("a/seed1", step);
  expect(told.at(-1)).toEqual({ step: 1, steps: 5, unit: "cell", imagesPerSecond: 100, secondsLeft: 70 });
  time = 10.5;
  whole.update("b/seed1", { ...step, secondsLeft: 90 });
  expect(told).toHaveLength(1);
  time = 50;
  whole.finish("a/seed1");
  // a/seed2: 50 s; b/seed1: 90 s by its own estimate; b/seed2: 50 + 90 s. One cell runs.
  expect(told.at(-1)).toEqual({ step: 2, steps: 5, unit: "cell", imagesPerSecond: 100, secondsLeft: 280 });
  expect(describeProgress(told.at(-1)!)).toBe("cell 2/5 · 100 images/s · 4 min 40 s left");
  whole.update("unknown", step);
  expect(told).toHaveLength(2);
});
