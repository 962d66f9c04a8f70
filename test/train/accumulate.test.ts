import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/dtype.js";
import { input } from "../../src/graph/index.js";
import { constantAverage } from "../../src/nn/ema.js";
import { adam, sgd } from "../../src/nn/optimizers.js";
import type { Optimizer } from "../../src/nn/optimizer.js";
import { readMetrics } from "../../src/train/run/metrics-file-node.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { train } from "../../src/train/run/run-node.js";
import type { StepMetrics } from "../../src/train/trainer.js";
import { Trainer } from "../../src/train/trainer.js";
import { ClassificationTask, ResNet } from "../../src/systems/baselines/index.js";
import type { Task } from "../../src/train/task.js";
import { checkpointPath, readCheckpoint } from "../../src/train/run/checkpoint-node.js";
import { temporaryFolder } from "../support/folders.js";
import { smallData, smallTask } from "./small-task.js";

const seed = 7;

/** Trains for a few steps; the values are those of the moving average. */
async function trained(optimizer: Optimizer, batchSize: number, accumulate: number) {
  const trainer = await Trainer.open(
    smallTask(),
    smallData(96),
    { batchSize, accumulate, seed, optimizer, learningRate: 0.05, clipNorm: 0.3, ema: constantAverage(0.5) },
    nodeRuntime,
    { threads: 1 },
  );
  try {
    const metrics: StepMetrics[] = [];
    for (let i = 0; i < 7; i++) metrics.push(await trainer.advance());
    const values = await trainer.values();
    return { metrics, values, averaged: await trainer.values({ averaged: true }), size: trainer.batchSize };
  } finally {
    await trainer.close();
  }
}

const largestDifference = (a: TensorData["data"], b: TensorData["data"]) =>
  Array.from(a, Number).reduce((most, value, i) => Math.max(most, Math.abs(value - Number(b[i]!))), 0);

describe("accumulated gradients", () => {
  it.each([
    ["SGD with momentum", sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01 })],
    ["Adam", adam()],
  ])("with %s are those of one batch as large as all of theirs", async (_, optimizer) => {
    const large = await trained(optimizer, 32, 1);
    const small = await trained(optimizer, 8, 4);
    expect([large.size, small.size]).toEqual([32, 32]);
    for (const [i, { loss, gradientNorm, learningRate }] of large.metrics.entries()) {
      expect(small.metrics[i]!.loss).toBeCloseTo(loss, 5);
      expect(small.metrics[i]!.gradientNorm).toBeCloseTo(gradientNorm!, 5);
      expect(small.metrics[i]!.learningRate).toBe(learningRate);
    }
    // The gradients are clipped, so the norm matters; and the weights move far more than the two runs differ.
    expect(large.metrics[0]!.gradientNorm).toBeGreaterThan(0.3);
    for (const kind of ["values", "averaged"] as const)
      for (const [name, { data }] of large[kind])
        expect(largestDifference(data, small[kind].get(name)!.data), name).toBeLessThan(2e-5);
    const other = await trained(optimizer, 8, 1);
    const weight = large.values.get("weight")!.data;
    expect(largestDifference(weight, other.values.get("weight")!.data)).toBeGreaterThan(1e-3);
  });

  it("resume bit for bit, count what they saw, and leave no sums in checkpoints", async () => {
    const options = { batchSize: 8, accumulate: 3, seed, learningRate: 0.01, logEvery: 1, threads: 1 };
    const [folder, stopped] = [await temporaryFolder(), await temporaryFolder()];
    const whole = await train(smallTask(), smallData(96), { ...options, epochs: 3, folder });
    expect(whole.step).toBe(12);
    const rows = await readMetrics(join(folder, "metrics.jsonl"));
    expect(rows.map(({ images }) => images)).toEqual(Array.from({ length: 12 }, (_, i) => 24 * (i + 1)));
    const controller = new AbortController();
    const first = await train(smallTask(), smallData(96), {
      ...options,
      epochs: 3,
      folder: stopped,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 5) controller.abort();
      },
    });
    expect([first.step, first.finished]).toEqual([5, false]);
    const { tensors } = await readCheckpoint(checkpointPath(join(stopped, "checkpoints"), 5));
    expect([...tensors.keys()]).toContain("param.weight");
    expect([...tensors.keys()].filter((name) => name.includes("accumulated"))).toEqual([]);
    const second = await train(smallTask(), smallData(96), {
      ...options,
      epochs: 3,
      folder: stopped,
      resume: true,
    });
    for (const [name, { data }] of whole.values) expect(second.values.get(name)!.data, name).toEqual(data);
    const end = (path: string) => readFile(checkpointPath(join(path, "checkpoints"), 12));
    expect(await end(stopped)).toEqual(await end(folder));
    await expect(
      train(smallTask(), smallData(96), { ...options, accumulate: 1, steps: 12, folder, resume: true }),
    ).rejects.toThrow(/accumulate = 3, this run \(nothing\)/);
  });

  it("update running statistics once for each batch", async () => {
    const means = async (accumulate: number) => {
      const task = new ClassificationTask(
        new ResNet({ depth: 18, classes: 2, width: 0.0625, stem: "small" }),
        [3, 32, 32],
      );
      const data = {
        count: 16,
        fill: (indices: ArrayLike<number>, { images, labels }: Readonly<Record<string, Float32Array>>) => {
          images?.forEach(
            (_, i) => (images[i] = ((indices[Math.floor(i / 3072)]! * 37 + (i % 3072) * 11) % 17) / 17),
          );
          labels?.fill(0);
        },
      };
      const recipe = { batchSize: 4, accumulate, seed, learningRate: 1e-9 };
      const trainer = await Trainer.open(task, data, recipe, nodeRuntime, { threads: 1 });
      try {
        for (let i = 0; i < 4 / accumulate; i++) await trainer.advance();
        return (await trainer.values()).get("bn1.runningMean")!.data;
      } finally {
        await trainer.close();
      }
    };
    // The weights hardly move, so four batches give the same statistics in one step as in four.
    const [four, one] = [await means(1), await means(4)];
    expect(largestDifference(four, one)).toBeLessThan(1e-6);
    expect(four.some((value) => value !== 0)).toBe(true);
  });

  it("need the batch as the first axis of every input", async () => {
    const small = smallTask();
    const task: Task = {
      ...small,
      loss: (batch) => {
        const traced = small.loss(batch);
        const scale = input("scale", [3]);
        return { ...traced, inputs: [...traced.inputs, scale], metrics: { scale } };
      },
    };
    await expect(
      Trainer.open(task, smallData(96), { batchSize: 8, accumulate: 2, seed }, nodeRuntime),
    ).rejects.toThrow(/expected the batch of 8 as the first axis of every input, got "scale" \[3\]/);
    await expect(
      Trainer.open(small, smallData(96), { batchSize: 8, accumulate: 0, seed }, nodeRuntime),
    ).rejects.toThrow(/accumulate/);
  });
});
