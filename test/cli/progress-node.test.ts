import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createProgressRenderer, formatBar } from "../../src/cli/progress-node.js";
import type { ProgressEvent } from "../../src/train/progress.js";

/** Collects what is written, as a terminal of 100 columns or as a plain pipe. */
function collector(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const pipe = new PassThrough();
  const stream = Object.assign(pipe, { isTTY, columns: 100 }) as unknown as NodeJS.WriteStream;
  let text = "";
  pipe.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

const event = (step: number): ProgressEvent => ({
  step,
  steps: 10,
  loss: 1 / step,
  imagesPerSecond: 64,
  secondsLeft: 10 - step,
});

test("without a terminal, a plain line every few seconds, at the start and at the end", () => {
  const { stream, text } = collector(false);
  let now = 0;
  const progress = createProgressRenderer({ label: "Training", stream, lineSeconds: 5, now: () => now });
  for (let step = 1; step <= 10; step++) {
    progress.update(event(step));
    if (step === 3) progress.note("checkpoint saved");
    now += 1000;
  }
  progress.stop();
  progress.stop();
  progress.update(event(10));
  expect(text().split("\n")).toEqual([
    "Training:  10 % · step 1/10 · loss 1.000 · 64 images/s · 9 s left",
    "checkpoint saved",
    "Training:  60 % · step 6/10 · loss 0.1667 · 64 images/s · 4 s left",
    "Training: 100 % · step 10/10 · loss 0.1000 · 64 images/s",
    "Training: 10 s in all",
    "",
  ]);
  // No escape sequences in a log.
  expect(text()).not.toContain("\u001b");
});

test("on a terminal, a bar that gives the cursor back and leaves no signal handlers", () => {
  const { stream, text } = collector(true);
  const listeners = (): number[] => ["SIGINT", "SIGTERM", "exit"].map((name) => process.listenerCount(name));
  const before = listeners();
  const progress = createProgressRenderer({ label: "Training", stream });
  progress.update(event(1));
  expect(text()).toContain("\u001b[?25l");
  progress.note("checkpoint saved");
  progress.update(event(10));
  progress.stop();
  progress.stop();
  expect(text()).toContain("█");
  expect(text()).toContain("checkpoint saved\n");
  expect(text()).toContain("step 10/10");
  expect(text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(text().lastIndexOf("\u001b[?25l"));
  expect(listeners()).toEqual(before);
});

test("stopping a bar that never started writes nothing", () => {
  const { stream, text } = collector(true);
  createProgressRenderer({ label: "Training", stream }).stop();
  expect(text()).toBe("");
});

test("the line never exceeds the terminal, and the bar yields to the figures", () => {
  const wide = formatBar("Training", 0.5, event(5), 120);
  expect(wide).toBe(
    `Training ${"█".repeat(15)}${"░".repeat(15)}  50 % · step 5/10 · loss 0.2000 · 64 images/s · 5 s left`,
  );
  for (let columns = 1; columns < 130; columns++) {
    expect(formatBar("Training", 0.5, event(5), columns).length).toBeLessThan(Math.max(columns, 1));
  }
  expect(formatBar("Training", 0.5, event(5), 60)).toMatch(/^Training  50 % · step 5\/10 · loss/);
});
