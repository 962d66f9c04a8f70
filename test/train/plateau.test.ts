import { describe, expect, it } from "vitest";
import { PlateauRate } from "../../src/nn/plateau.js";
import { readMetrics } from "../../src/train/run/metrics-file-node.js";
import { train } from "../../src/train/run/run-node.js";
import { temporaryFolder } from "../support/folders.js";
import { smallData, smallTask } from "./small-task.js";
import { join } from "node:path";

describe("a learning rate that listens", () => {
  it("falls when nothing gets better, waits, and stops at its minimum", () => {
    const rule = new PlateauRate({ rate: 1, patience: 1, coolDown: 1, minimum: 0.05, better: "higher" });
    expect([5, 5, 5, 5, 5, 5, 6, 5, 5, 5].map((value) => rule.observe(value))).toEqual([
      1, 1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05,
    ]);
    expect(() => new PlateauRate({ rate: 1, factor: 1 })).toThrow(/factor between 0 and 1/);
    expect(() => new PlateauRate({ rate: 1, patience: 0.5 })).toThrow(/patience/);
    expect(() => new PlateauRate({ rate: -1 })).toThrow(/rate: expected a number of at least 0, got -1/);
  });

  it("hears the untrained network first, and everything again after a resume", async () => {
    const folder = await temporaryFolder();
    const heard: number[] = [];
    const controller = new AbortController();
    const options = {
      folder,
      resume: true,
      steps: 8,
      batchSize: 8,
      seed: 1,
      logEvery: 1,
      evaluateEvery: 2,
      plateau: { rate: 0.01, patience: 1, measure: "loss" },
      evaluate: (_: unknown, step: number) => {
        heard.push(step);
        return Promise.resolve({ loss: 1 });
      },
    };
    await train(smallTask(), smallData(64), {
      ...options,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 5) controller.abort();
      },
    });
    await train(smallTask(), smallData(64), options);
    expect(heard).toEqual([0, 2, 4, 6, 8]);
    const rows = await readMetrics(join(folder, "metrics.jsonl"));
    const rates = rows.flatMap(({ learningRate }) =>
      typeof learningRate === "number" ? [learningRate] : [],
    );
    // Better, then twice no better: a tenth after step 4, and again after step 8.
    expect(rates.map((rate) => Number(rate.toPrecision(3)))).toEqual([
      0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001,
    ]);
    const { evaluate: _, ...without } = options;
    await expect(
      train(smallTask(), smallData(64), { ...without, folder: await temporaryFolder() }),
    ).rejects.toThrow(/needs evaluations/);
  });
});
