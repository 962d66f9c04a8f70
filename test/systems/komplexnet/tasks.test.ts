import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MultiMnist } from "../../../src/data/scenes/multi-mnist.js";
import { tensorData } from "../../../src/graph/index.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { readCoupling } from "../../../src/systems/komplexnet/coupling-file-node.js";
import {
  CouplingTask,
  KomplexNet,
  KomplexNetTask,
  TransformerBaseline,
  TransformerBaselineTask,
  gaussianCoupling,
  sceneData,
} from "../../../src/systems/komplexnet/index.js";
import { Evaluator } from "../../../src/train/evaluator.js";
import { Trainer, initialValues } from "../../../src/train/trainer.js";
import type { Task } from "../../../src/train/task.js";
import { writeSafetensors } from "../../../src/util/safetensors-node.js";
import { rectangleDigits } from "../../data/scenes.js";
import { temporaryFolder } from "../../support/folders.js";

const scenes = sceneData(new MultiMnist(rectangleDigits(300), { count: 256, seed: 2 }));

async function losses(task: Task, steps: number, learningRate: number, batchSize = 16): Promise<number[]> {
  const trainer = await Trainer.open(task, scenes, { batchSize, seed: 3, learningRate }, nodeRuntime, {
    threads: 1,
  });
  try {
    const found: number[] = [];
    for (let step = 0; step < steps; step++) found.push((await trainer.advance()).loss);
    return found;
  } finally {
    await trainer.close();
  }
}

/** What PyTorch 1.13 wrote, compressed: kernels [2, 2, size, size] whose planes [to, 0] and [to, 1] are two ramps. */
const TORCH = {
  /** {"kernel_kuramoto": planes of 3 x 3, "epsilon": torch.tensor([0.2])} */
  dictionary:
    "eNqtk79v00AUx88/4qQGkhBgrTowGAnSBNiQSoiQl0MQUiFFLMY4p9qKm8uzz1kQUhaGMmVoJyTUP4E/oX8ACFiZ+AMYkJhBfRebynYFFRJnff2su/e5r9+zb0A1nZBajZwaTdIibuT5wZxtjl3htmeT0O7XydPCWKgvgVijBgITFk1Z6EySyN3lgoPiCY5820lEEMamE7HnSRCOHcGmMY+c+U0TVMsaVRGNMdPdYaCliGmH3BXb6aQJ+kjBnA5URhpGb5aAQa8KqD6mxKIqXhrVBNQs2qJr+KwIWNvzPB6GzBMBn8bmo2jMIja+H3jCBPPaEM4JOD+ECytvNouDkE+h7uPb+JqfunWh4Rtyqya6UOUVXJS31p4v8UsCLg/hStIe0GqNv17/+AsJqcEfu1knRqGbmx27r2Ivs+UtQhaoIxS5S8gGqod6hlqglqhD1DvUEeoT6ivqO4r00LH3v/aRFR18+/JziRPLMyq6Xayoa/c7pb/j7PHh/YMt6XnvzYtDNCL6Xz0bWNRvzzmLYvy6dv/OP5vmxi1Tun9+u/NExf3Vlbsiw4l//vs2T71R+YSU6Xwv6wXyoUJKf0SZzfekyG6oJbZbZvMVNQrsfo7NejighnE9W17Xbpyk6qX4I4stLY3IyRNEKlmCspqrGCmjr/LT3GME/+UC",
  /** Old format: their first cells alone. */
  oldFormat:
    "eNpdT8tKAzEUnVcdGxHcunM5bgq2i3bnRroJvuomGwljJrSRMJmb3CkoFLpUV36AH+Cv+QmCC+84iGACyc25J/ecs01emP16m38e3b9fHY62yflHSucGokIcRFHUeIdOOSvX2gfjaoiJIPapYw2i1VLXlSlrSJ4EIxAfGi2DedQB0g1khRgQGFbOIwx4IlJ6mRphh2ci62a4egk5z9qWNBU6r1Yj2aKxgUmv71pjK4m6Ds7L9ZiRp0Lk3UBilksNcf+Fza0r8aYHGSRiSJyTyWQ6HY9nM0h/ZFXTQsazCzJyzaOCJ7RjHpOXoq+6On9WlNVqhRQ1sEtfaa+rM6OQwe7xAoYIbAF7ZPYWon8ycTnqIv2t19Pf+xsm32GL",
};

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("the transformer's task", () => {
  it("learns with dropout, and answers without", async () => {
    const task = new TransformerBaselineTask(
      new TransformerBaseline({ width: 16, layers: 1, feedForward: 16, patch: 8 }),
    );
    const { noise } = task.loss(4);
    expect(Object.values(noise ?? {})).toEqual(["uniform", "uniform", "uniform"]);
    const found = await losses(task, 60, 0.01);
    expect(mean(found.slice(-5))).toBeLessThan(mean(found.slice(0, 5)) - 0.05);
    expect(task.inference("batch").noise).toBeUndefined();
  });
});

describe("the task with feedback", () => {
  it("has the end-to-end loss also where Gabors and coupling are frozen", () => {
    const options = { timesteps: 2, kuramotoMode: "channels" } as const;
    const names = (task: Task) => Object.keys(task.loss(2).metrics ?? {});
    expect(names(new KomplexNetTask(new KomplexNet({ ...options, feedback: {} })))).toEqual([
      "crossEntropy",
      "synchronyLoss",
    ]);
    expect(names(new KomplexNetTask(new KomplexNet(options)))).toEqual([]);
  });

  it("answers with the complex outputs of its layers", () => {
    const task = new KomplexNetTask(new KomplexNet({ timesteps: 2, feedback: {} }), { layers: true });
    const { outputs } = task.inference(3);
    expect(outputs["layer.convolution"]!.shape).toEqual([2, 3, 8, 16, 16]);
    expect(outputs["layer.hidden"]!.shape).toEqual([2, 3, 50]);
    expect(outputs["layer.readout"]!.shape).toEqual([2, 3, 10]);
  });
});

describe("training a coupling kernel on the synchrony loss", () => {
  it("lowers the loss, changes the kernel alone, and gives values that a network takes", async () => {
    const task = new CouplingTask({ timesteps: 3, coupling: { size: 5, kernel: "random" } });
    expect([...task.parameters.keys()].sort()).toEqual(["coupling", "frontEnd.weight"]);
    const trainer = await Trainer.open(
      task,
      scenes,
      { batchSize: 8, seed: 1, learningRate: 0.3 },
      nodeRuntime,
      { threads: 1 },
    );
    const before = await trainer.values({ averaged: true });
    const first = Float32Array.from(before.get("coupling")!.data as Float32Array);
    const gabors = Float32Array.from(before.get("frontEnd.weight")!.data as Float32Array);
    const found: number[] = [];
    for (let step = 0; step < 30; step++) found.push((await trainer.advance()).loss);
    const after = await trainer.values({ averaged: true });
    await trainer.close();
    expect(mean(found.slice(-4))).toBeLessThan(mean(found.slice(0, 4)) - 0.02);
    expect(after.get("coupling")!.data).not.toEqual(first);
    expect(after.get("frontEnd.weight")!.data).toEqual(gabors);

    const folder = await temporaryFolder();
    const path = join(folder, "kernel.safetensors");
    const { shape, data } = after.get("coupling")!;
    await writeSafetensors(
      path,
      new Map([["coupling", { dtype: "F32", shape, data: data as Float32Array<ArrayBuffer> }]]),
    );
    const values = await readCoupling(path);
    expect(values.data).toEqual(data);
    const network = new KomplexNet({
      timesteps: 3,
      kuramotoMode: "channels",
      coupling: { kernel: "learnt", values },
    });
    expect(network.config.coupling.size).toBe(5);
    const evaluator = await Evaluator.open(
      new KomplexNetTask(network, { synchrony: true }),
      8,
      new Map(),
      nodeRuntime,
      { threads: 1 },
    );
    const state = initialValues(new KomplexNetTask(network), { seed: 1 });
    const { synchronyLoss } = await evaluator.run(state, scenes, [0, 1, 2, 3, 4, 5, 6, 7], [1]);
    await evaluator.close();
    expect(synchronyLoss!.data).toHaveLength(3);
  });
});

describe("kernels from a file", () => {
  const kernel = (shape: readonly number[], value = 0.5) => ({
    dtype: "F32" as const,
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  });

  it("are found under the authors' name, among others", async () => {
    const path = join(await temporaryFolder(), "authors.safetensors");
    const plane = gaussianCoupling(3);
    const data = Float32Array.from({ length: 576 }, (_, i) => plane[i % 9]!);
    await writeSafetensors(
      path,
      new Map([
        ["kernel_kuramoto", { dtype: "F32", shape: [8, 8, 3, 3], data }],
        ["epsilon", kernel([1])],
      ]),
    );
    expect((await readCoupling(path)).data).toEqual(data);
  });

  it.each([
    ["four axes", kernel([8, 8, 3]), /oscillators, oscillators, size, size\], got \[8, 8, 3\]/],
    ["square planes", kernel([8, 8, 3, 5]), /got \[8, 8, 3, 5\]/],
    ["an odd side", kernel([8, 8, 4, 4]), /odd size.*got 4/],
    ["finite numbers", kernel([8, 8, 3, 3], NaN), /finite numbers, got NaN at position 0/],
  ])("must have %s", async (_name, tensor, message) => {
    const path = join(await temporaryFolder(), "bad.safetensors");
    await writeSafetensors(path, new Map([["coupling", tensor]]));
    await expect(readCoupling(path)).rejects.toThrow(message);
  });

  it("are read from PyTorch's files, of a state dictionary and of one tensor in the old format", async () => {
    const values = (cells: number) =>
      Float32Array.from({ length: 4 * cells }, (_, i) => (9 * (Math.floor(i / cells) % 2) + (i % cells)) / 8);
    for (const [name, size] of [
      ["dictionary", 3],
      ["oldFormat", 1],
    ] as const) {
      const path = join(await temporaryFolder(), "kernel.pt");
      await writeFile(path, inflateSync(Buffer.from(TORCH[name], "base64")));
      expect(await readCoupling(path)).toEqual({
        dtype: "float32",
        shape: [2, 2, size, size],
        data: values(size * size),
      });
    }
  });

  it("are refused where no tensor is a kernel, and where a PyTorch file is none", async () => {
    const program = join(await temporaryFolder(), "program.pt");
    await writeFile(program, "cos\nsystem\n(S'echo'\ntR.");
    await expect(readCoupling(program)).rejects.toThrow(/program\.pt/);
    const path = join(await temporaryFolder(), "other.safetensors");
    await writeSafetensors(
      path,
      new Map([
        ["a", kernel([1])],
        ["b", kernel([1])],
      ]),
    );
    await expect(readCoupling(path)).rejects.toThrow(/expected a tensor "coupling".*got a, b/s);
    expect(() => new CouplingTask({ coupling: { kernel: "learnt", values: tensorData([1]) } })).toThrow(
      /expected "gaussian" or "random" for training/,
    );
  });
});
