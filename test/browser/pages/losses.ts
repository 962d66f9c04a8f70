import { KomplexNet, KomplexNetTask, Trainer, exportOnnx, initialValues, readOnnx } from "striate";
import type { Runtime } from "striate";

/** A small KomplexNet, data that need no files, and a recipe: the same run on every device. */
export function smallRun() {
  const model = new KomplexNet({ timesteps: 2, channels: 2, hidden: 6, coupling: { size: 5 } });
  const data = {
    count: 16,
    fill: (indices: ArrayLike<number>, fields: Readonly<Record<string, Float32Array>>) => {
      for (const values of Object.values(fields)) {
        values.forEach((_, i) => (values[i] = (i * 7 + indices[0]! * 3) % 11 < 2 ? 1 : 0));
      }
    },
  };
  const recipe = { batchSize: 4, seed: 5, learningRate: 0.01, clipNorm: 2 };
  return { task: new KomplexNetTask(model), data, recipe };
}

/** Losses of some of its training steps. */
export async function losses(runtime: Runtime, steps = 4): Promise<number[]> {
  const { task, data, recipe } = smallRun();
  const trainer = await Trainer.open(task, data, recipe, runtime);
  const values: number[] = [];
  for (let step = 0; step < steps; step++) values.push((await trainer.advance()).loss);
  await trainer.close();
  return values;
}

/** Answers of an exported KomplexNet of 15 timesteps, whose graph joins more tensors than a shader can bind. */
export async function answers(runtime: Runtime): Promise<number[]> {
  const task = new KomplexNetTask(
    new KomplexNet({ timesteps: 15, channels: 2, hidden: 6, coupling: { size: 5 } }),
  );
  return answersOf(runtime, exportOnnx(task, initialValues(task, { seed: 3 })).bytes);
}

/** What a model file answers to two made-up images, and draws. */
export async function answersOf(runtime: Runtime, model: Uint8Array): Promise<number[]> {
  const feeds = Object.entries(readOnnx(model).inputs).map(([name, { shape }]) => {
    const dims = shape.map((dim) => (typeof dim === "number" ? dim : 2));
    const data = Float32Array.from(
      { length: dims.reduce((a, b) => a * b, 1) },
      (_, i) => ((i * 7) % 13) / 13,
    );
    return [name, { dtype: "float32" as const, shape: dims, data }] as const;
  });
  const session = await runtime.createSession(model);
  const { logits } = await session.run(Object.fromEntries(feeds));
  await session.close();
  return Array.from(logits!.data as Float32Array);
}
