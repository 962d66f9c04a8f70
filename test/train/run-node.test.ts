import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PREPROCESSINGS, preprocessingFromMetadata } from "../../src/data/images/preprocessing.js";
import type { Tensor } from "../../src/graph/index.js";
import { matmul, parameter, tensorData } from "../../src/graph/index.js";
import { torchDefault } from "../../src/nn/init.js";
import { ClassificationTask } from "../../src/systems/baselines/classification-task.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";
import { listCheckpoints } from "../../src/train/run/checkpoint-node.js";
import { readMetrics } from "../../src/train/run/metrics-file-node.js";
import { Evaluator } from "../../src/train/evaluator.js";
import { train } from "../../src/train/run/run-node.js";
import { Trainer } from "../../src/train/trainer.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";
import { smallData, smallTask } from "./small-task.js";

const recipe = { batchSize: 8, seed: 7, clipNorm: 1 };

describe("train", () => {
  it("ends early when the evaluation no longer rises, also after a resume", async () => {
    const folder = await temporaryFolder();
    const scores = [0.2, 0.5, 0.4, 0.5, 0.6];
    let evaluated = 0;
    const options = {
      ...recipe,
      folder,
      steps: 100,
      evaluateEvery: 10,
      evaluate: (_: unknown, step: number) => {
        evaluated++;
        return Promise.resolve({ accuracy: scores[step / 10 - 1] ?? 0 });
      },
      stopEarly: { measure: "accuracy", patience: 2 },
    };
    const run = await train(smallTask(), smallData(64), options);
    // The best is that of step 20; those of steps 30 and 40 are no better.
    expect([run.step, run.finished, evaluated]).toEqual([40, true, 4]);
    const again = await train(smallTask(), smallData(64), { ...options, resume: true });
    expect([again.step, again.finished, evaluated]).toEqual([40, true, 4]);
    await expect(
      train(smallTask(), smallData(64), {
        ...options,
        folder: await temporaryFolder(),
        stopEarly: { measure: "top5", patience: 2 },
      }),
    ).rejects.toThrow(/stopEarly: the evaluation gives no "top5"/);
  });

  it("learns, logs, exports, and leaves a folder that tells everything", async () => {
    const folder = await temporaryFolder();
    const data = { ...smallData(256), preprocessing: PREPROCESSINGS.mnist };
    const run = await train(smallTask(), data, {
      ...recipe,
      folder,
      steps: 200,
      learningRate: 0.01,
      evaluateEvery: 100,
      evaluate: async (values) => {
        const evaluator = await Evaluator.open(smallTask(), 64, new Map(), nodeRuntime);
        const { logits } = await evaluator.run(values, smallData(64), [...Array(64).keys()], ["test"]);
        await evaluator.close();
        const targets = new Float32Array(128);
        await smallData(64).fill([...Array(64).keys()], { targets });
        const right = [...Array(64).keys()].filter((i) => {
          const [a, b] = [Number(logits!.data[2 * i]), Number(logits!.data[2 * i + 1])];
          return a > b === (targets[2 * i] === 1);
        });
        return { accuracy: right.length / 64 };
      },
    });
    expect(run.finished).toBe(true);
    expect(run.evaluations.map(({ step }) => step)).toEqual([100, 200]);
    expect(run.evaluations.at(-1)!.accuracy).toBeGreaterThan(0.95);
    const rows = await readMetrics(join(folder, "metrics.jsonl"));
    const losses = rows.flatMap(({ loss }) => (typeof loss === "number" ? [loss] : []));
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);

    await run.export(join(folder, "model.onnx"), {}, { note: "small" });
    const bytes = await readFile(join(folder, "model.onnx"));
    const { metadata } = readOnnx(bytes);
    expect(metadata.note).toBe("small");
    expect(preprocessingFromMetadata(metadata, "model.onnx")).toEqual(PREPROCESSINGS.mnist);
    const session = await nodeRuntime.createSession(bytes);
    for (const batch of [1, 5]) {
      const { logits } = await session.run({
        images: tensorData(new Float32Array(batch * 64), [batch, 1, 8, 8]),
      });
      expect(logits!.shape).toEqual([batch, 2]);
    }
    await session.close();
  });

  it("gives the same bits after real kills as without", async () => {
    const folder = await temporaryFolder();
    const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
    const script = new URL("./small-run.ts", import.meta.url);
    expect((await runTypescript(script, [whole]).ended()).status).toBe(0);
    for (const last of [14, 37]) {
      const child = runTypescript(script, [killed, "20"]);
      for (let line = await child.nextLine(); Number(line) < last; line = await child.nextLine()) {
        if (line === undefined) throw new Error(`the run ended early: ${(await child.ended()).errors}`);
      }
      await child.kill();
    }
    const { status, errors } = await runTypescript(script, [killed]).ended();
    expect(errors).toBe("");
    expect(status).toBe(0);
    const checkpoint = (run: string) => readFile(join(run, "checkpoints", "step-00000060.safetensors"));
    expect((await checkpoint(killed)).equals(await checkpoint(whole))).toBe(true);
    const rows = async (run: string) =>
      (await readMetrics(join(run, "metrics.jsonl"))).map((row) => row.loss);
    expect(await rows(killed)).toEqual(await rows(whole));
  });

  it.each([
    ["seed", -1, "a whole number from 0 to 9007199254740991"],
    ["seed", 1.5, "a whole number from 0 to 9007199254740991"],
    ["steps", NaN, "a whole number of at least 1"],
    ["batchSize", 0, "a whole number of at least 1"],
    ["checkpointEvery", 0, "a whole number of at least 1"],
    ["logEvery", 0, "a whole number of at least 1"],
    ["evaluateEvery", -5, "a whole number of at least 1"],
  ] as const)("refuses %s %d before it begins", async (name, value, expected) => {
    const folder = join(await temporaryFolder(), "run");
    await expect(
      train(smallTask(), smallData(64), { ...recipe, steps: 1, folder, [name]: value }),
    ).rejects.toThrow(`training: ${name}: expected ${expected}, got ${value}`);
    await expect(readdir(folder)).rejects.toThrow("ENOENT");
  });

  it("stops at a loss that is not finite, naming the step and the checkpoint to go back to", async () => {
    const folder = await temporaryFolder();
    // Sample 40 comes once in each epoch of 8 steps; the first epoch's shuffle decides when.
    const failing = train(smallTask(), smallData(64, [40]), {
      ...recipe,
      folder,
      steps: 50,
      checkpointEvery: 1,
    });
    await expect(failing).rejects.toThrow(
      /training stopped at step \d+: the loss is NaN.*its batch has NaN in "images".*(last good checkpoint|no checkpoint)/,
    );
  });

  it("stops when asked, with a checkpoint to go on from", async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const options = { ...recipe, folder, steps: 40, checkpointEvery: 1000 };
    const first = await train(smallTask(), smallData(64), {
      ...options,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === 12) controller.abort();
      },
    });
    expect(first.finished).toBe(false);
    const second = await train(smallTask(), smallData(64), { ...options, resume: true });
    const straight = await train(smallTask(), smallData(64), { ...recipe, steps: 40 });
    expect(first.step).toBe(12);
    for (const [name, { data }] of straight.values) expect(second.values.get(name)!.data).toEqual(data);
  });

  it("stops at a parameter that is not finite, although the loss and the gradients were, and keeps no such checkpoint", async () => {
    const folder = await temporaryFolder();
    const options = { ...recipe, folder, steps: 3, checkpointEvery: 1 };
    const learningRate = (step: number) => (step === 2 ? 1e39 : 0.001);
    await expect(train(smallTask(), smallData(64), { ...options, learningRate })).rejects.toThrow(
      /expected finite numbers in "\w+" after step 3, got (NaN|-?Infinity) \(last good checkpoint: .*step-00000002/,
    );
    expect(await listCheckpoints(join(folder, "checkpoints"))).toEqual([1, 2]);
    const again = await train(smallTask(), smallData(64), { ...options, resume: true });
    expect(again.finished).toBe(true);
  });

  it("says so if it continues with another number of threads", async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const options = { ...recipe, folder, steps: 4, resume: true };
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    const onProgress = () => {
      controller.abort();
    };
    await train(smallTask(), smallData(64), {
      ...options,
      threads: 1,
      signal: controller.signal,
      onProgress,
    });
    const { signal } = new AbortController();
    await train(smallTask(), smallData(64), { ...options, threads: 2, signal, onWarning });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /trained with striate .*, cpu with 1 thread on .* and continues with striate .*, cpu with 2 threads on/,
    );
  });

  it("refuses folders of another run, checkpoints of another model and impossible settings", async () => {
    const folder = await temporaryFolder();
    await train(smallTask(), smallData(64), { ...recipe, folder, steps: 3 });
    const again = { ...recipe, folder, steps: 3 };
    await expect(train(smallTask(), smallData(64), again)).rejects.toThrow(/holds a run/);
    const other = { ...again, resume: true, batchSize: 16 };
    await expect(train(smallTask(), smallData(64), other)).rejects.toThrow(/batchSize/);
    await expect(train(smallTask(), smallData(64), { ...recipe, steps: 0 })).rejects.toThrow(/steps/);
    await expect(train(smallTask(), smallData(4), { ...recipe, steps: 1 })).rejects.toThrow(/batch/);
    const device = { ...recipe, steps: 1, device: "tpu" as "cpu" };
    await expect(train(smallTask(), smallData(64), device)).rejects.toThrow(/unknown device "tpu"/);
    const foreign = { step: 1, tensors: new Map([["filters", tensorData([1], [1])]]) };
    const opening = Trainer.open(smallTask(), smallData(64), recipe, nodeRuntime, { from: foreign });
    await expect(opening).rejects.toThrow('checkpoint: "filters": expected [4, 1, 3, 3], got [1]');
    const taken = join(folder, "file");
    await writeFile(taken, "not a folder");
    await expect(train(smallTask(), smallData(64), { ...recipe, folder: taken, steps: 1 })).rejects.toThrow(
      taken,
    );
    await mkdir(join(folder, "empty"));
  });
});

describe("memory", () => {
  it("stays flat over 10,000 steps", async () => {
    const trainer = await Trainer.open(smallTask(), smallData(64), recipe, workerRuntime, { threads: 1 });
    const used: number[] = [];
    for (let step = 1; step <= 10_000; step++) {
      await trainer.advance();
      if (step % 1000 === 0) used.push(process.memoryUsage().rss);
    }
    await trainer.close();
    // The first thousands fill pools and heaps up to the collector's usual size.
    const growth = (Math.max(...used.slice(6)) - Math.max(...used.slice(2, 6))) / 2 ** 20;
    console.log(
      `resident memory every 1,000 steps: ${used.map((bytes) => Math.round(bytes / 2 ** 20)).join(" ")} MiB`,
    );
    expect(growth).toBeLessThan(24);
  });

  it("is not begun with labels beyond the classes, which are named", async () => {
    const weight = parameter([2, 3], torchDefault());
    const model = { weight, forward: (images: Tensor) => matmul(images, weight) };
    const task = new ClassificationTask(model, [2]);
    const dataWith = (wrong: number) => ({
      count: 4,
      fill: (indices: ArrayLike<number>, { labels }: { labels?: Float32Array }) =>
        labels?.set(Array.from(indices, (index) => (index === 2 ? wrong : index % 3))),
    });
    const trained = (wrong: number) => train(task, dataWith(wrong), { seed: 1, batchSize: 4, steps: 1 });
    await expect(trained(3)).rejects.toThrow(
      '"labels" of image 2: expected a whole number from 0 to 2, got 3',
    );
    await expect(trained(0.5)).rejects.toThrow("got 0.5");
    expect((await trained(2)).step).toBe(1);
  });
});
