import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createProgress, formatBar } from "../../src/cli/terminal/progress.js";
import type { ProgressEvent } from "../../src/train/progress.js";

/** Collects what is written, as a terminal of 100 columns or as a plain pipe. */
function collector(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const pipe = new PassThrough();
  const stream = Object.assign(pipe, { isTTY, columns: 100 }) as unknown as NodeJS.WriteStream;
  let text = "";
  pipe.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text };
}

/** What a terminal shows after all that was written, for the few sequences that are used. */
function screen(text: string): string[] {
  const rows = [""];
  let row = 0;
  for (const [part, up] of text.matchAll(/\u001b\[(\d+)F|\u001b\[J|\u001b\[\?25[lh]|\n|[^\u001b\n]+/g)) {
    if (up !== undefined) row -= Number(up);
    else if (part === "\u001b[J") rows.splice(row, Infinity, "");
    else if (part === "\n") rows[++row] ??= "";
    else if (!part.startsWith("\u001b")) rows[row] = part;
  }
  return rows;
}

const event = (step: number): ProgressEvent => ({
  step,
  steps: 10,
  loss: 1 / step,
  imagesPerSecond: 64,
  secondsLeft: 10 - step,
});

test("without a terminal, a plain line for each task every few seconds, at its start and its end", () => {
  const { stream, text } = collector(false);
  let now = 0;
  const progress = createProgress({ stream, lineSeconds: 5, now: () => now });
  for (let step = 1; step <= 10; step++) {
    progress.update("A", event(step));
    if (step <= 7) progress.update("B", event(step));
    if (step === 3) progress.note("checkpoint saved");
    now += 1000;
  }
  progress.stop();
  progress.stop();
  progress.update("A", event(10));
  expect(text().split("\n")).toEqual([
    "A:  10 % · step 1/10 · loss 1.000 · 64 images/s · 9 s left",
    "B:  10 % · step 1/10 · loss 1.000 · 64 images/s · 9 s left",
    "checkpoint saved",
    "A:  60 % · step 6/10 · loss 0.1667 · 64 images/s · 4 s left",
    "B:  60 % · step 6/10 · loss 0.1667 · 64 images/s · 4 s left",
    "A: 100 % · step 10/10 · loss 0.1000 · 64 images/s · 9 s in all",
    "B:  70 % · step 7/10 · loss 0.1429 · 64 images/s · 3 s left · 10 s in all",
    "",
  ]);
  // No escape sequences in a log.
  expect(text()).not.toContain("\u001b");
});

test("on a terminal, bars for the tasks at work below the lines of those that ended", () => {
  const { stream, text } = collector(true);
  let now = 0;
  const progress = createProgress({ stream, now: () => now });
  const at = (milliseconds: number, body: () => void): string[] => {
    now = milliseconds;
    body();
    return screen(text());
  };
  at(0, () => {
    progress.update("A", event(1));
    progress.update("B", event(2));
  });
  expect(screen(text())).toEqual([
    expect.stringMatching(/^A █+░+ {2}10 % · step 1\/10/),
    expect.stringMatching(/^B █+░+ {2}20 % · step 2\/10/),
    "",
  ]);
  // Redrawn ten times a second at most.
  const before = text();
  at(50, () => {
    progress.update("A", event(3));
  });
  expect(text()).toBe(before);
  expect(
    at(2000, () => {
      progress.note("a warning");
      progress.update("A", event(10));
      progress.update("C", event(1));
    }),
  ).toEqual([
    "a warning",
    "A: 100 % · step 10/10 · loss 0.1000 · 64 images/s · 2 s in all",
    expect.stringMatching(/^B █/),
    expect.stringMatching(/^C █/),
    "",
  ]);
  expect(
    at(3000, () => {
      progress.stop();
    }).slice(2),
  ).toEqual([
    "B:  20 % · step 2/10 · loss 0.5000 · 64 images/s · 8 s left · 3 s in all",
    "C:  10 % · step 1/10 · loss 1.000 · 64 images/s · 9 s left · 1 s in all",
    "",
  ]);
});

test("the cursor comes back, and no handler of the process is left", () => {
  const { stream, text } = collector(true);
  const listeners = (): number[] => ["SIGINT", "SIGTERM", "exit"].map((name) => process.listenerCount(name));
  const before = listeners();
  const progress = createProgress({ stream });
  progress.update("A", event(1));
  expect(text()).toContain("\u001b[?25l");
  progress.stop();
  progress.stop();
  expect(text().lastIndexOf("\u001b[?25h")).toBeGreaterThan(text().lastIndexOf("\u001b[?25l"));
  expect(listeners()).toEqual(before);
});

test("stopping what never started writes nothing", () => {
  const { stream, text } = collector(true);
  createProgress({ stream }).stop();
  expect(text()).toBe("");
});

test("the line never exceeds the terminal, and the bar yields to the figures", () => {
  const wide = formatBar("Training", event(5), 120);
  expect(wide).toBe(
    `Training ${"█".repeat(15)}${"░".repeat(15)}  50 % · step 5/10 · loss 0.2000 · 64 images/s · 5 s left`,
  );
  for (let columns = 1; columns < 130; columns++) {
    expect(formatBar("Training", event(5), columns).length).toBeLessThan(columns);
  }
  expect(formatBar("Training", event(5), 60)).toMatch(/^Training {2}50 % · step 5\/10 · loss/);
});
