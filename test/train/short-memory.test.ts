import { describe, expect, it } from "vitest";
import type { ProgramSpec, Runtime } from "../../src/runtime/runtime.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { TrainingData } from "../../src/train/task.js";
import type { Recipe } from "../../src/train/trainer.js";
import { Trainer } from "../../src/train/trainer.js";
import { tasks } from "./recomputed-step.js";
import { smallTask } from "./small-task.js";

const data: TrainingData = { count: 8, fill: () => undefined };

/** Opens a training step where so many bytes are free. Returns its model's size and what a user hears. */
async function opened(free: number, recipe: Partial<Recipe> = {}, task = tasks["AKOrN objects"]!(6)) {
  let size = 0;
  const warnings: string[] = [];
  const runtime: Runtime = {
    ...nodeRuntime,
    createProgram: (spec: ProgramSpec) => {
      size = spec.model.length;
      return nodeRuntime.createProgram(spec);
    },
    availableBytes: () => free,
  };
  const trainer = await Trainer.open(task, data, { batchSize: 8, seed: 1, ...recipe }, runtime, {
    onWarning: (text) => warnings.push(text),
  });
  await trainer.close();
  return { size, warnings };
}

describe("a training step for which memory is short", () => {
  it("recomputes timesteps and says so, unless the recipe decides", async () => {
    const [plenty, recomputed] = [await opened(1e12), await opened(1e12, { recompute: true })];
    expect(plenty.warnings).toEqual([]);
    expect(recomputed.warnings).toEqual([]);
    expect(recomputed.size).toBeGreaterThan(1.05 * plenty.size);

    const short = await opened(3e7);
    expect(short.size).toBe(recomputed.size);
    expect(short.warnings).toHaveLength(1);
    expect(short.warnings[0]).toMatch(
      /^A training step needs about 0\.\d GB of memory, and 0\.0 GB are free: timesteps are computed again/,
    );
    const kept = await opened(3e7, { recompute: false });
    expect(kept.size).toBe(plenty.size);
    expect(kept.warnings).toEqual([expect.stringContaining("use smaller batches")]);
  });

  it("says that it may be stopped if there is nothing to recompute", async () => {
    const { warnings } = await opened(1000, {}, smallTask());
    expect(warnings).toEqual([expect.stringContaining("the run may be stopped by the system")]);
  });
});
