import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, asConstants, initialState } from "striate";
import type { TensorData } from "striate/graph";
import { gradients, lower, tensorData, writeOnnx } from "striate/graph";
import { nodeRuntime, train } from "striate/node";
import { gratings } from "./gratings.js";
import { StuartLandau, StuartLandauTask } from "./stuart-landau.js";

const [size, batch] = [8, 3];
const taskOf = () =>
  new StuartLandauTask(new StuartLandau({ channels: 4, timesteps: 4, classes: 4, dt: 0.2 }), size);

test("gradients of all parameters agree with finite differences", async () => {
  const task = taskOf();
  const names = [...task.parameters.keys()];
  const { loss } = task.loss(batch);
  const found = gradients(loss, [...task.parameters.values()]);
  const values = initialState(task.parameters, (name) => Random.derive(1, name));
  const fields = { images: new Float32Array(batch * size * size), labels: new Float32Array(batch) };
  gratings(batch, size, 1).fill([0, 1, 2], fields);
  const feeds = {
    images: tensorData(fields.images, [batch, 1, size, size]),
    labels: tensorData(fields.labels, [batch]),
  };
  const outputs = { loss, ...Object.fromEntries(names.map((name, i) => [`gradient.${name}`, found[i]!])) };
  const runWith = async (changed: ReadonlyMap<string, TensorData>) => {
    const session = await nodeRuntime.createSession(
      writeOnnx(lower(outputs, "cpu"), { values: asConstants(changed) }),
    );
    const results = await session.run(feeds);
    await session.close();
    return results;
  };
  const base = await runWith(values);
  for (const name of names) {
    const { data, shape } = values.get(name)!;
    const element = Math.floor(data.length / 2);
    const lossAt = async (change: number) => {
      const moved = Float32Array.from(data as Float32Array);
      moved[element]! += change;
      return Number((await runWith(new Map(values).set(name, tensorData(moved, shape)))).loss!.data[0]);
    };
    const expected = ((await lossAt(0.01)) - (await lossAt(-0.01))) / 0.02;
    const gradient = Number(base[`gradient.${name}`]!.data[element]);
    assert.ok(
      Math.abs(gradient - expected) < 0.002 + 0.02 * Math.abs(expected),
      `${name}: ${gradient}, ${expected}`,
    );
  }
});

test("a few steps of training lower the loss", async () => {
  const losses: number[] = [];
  await train(taskOf(), gratings(320, size, 1), {
    ...{ epochs: 2, batchSize: 16, seed: 1, learningRate: 0.02, clipNorm: 1 },
    onProgress: ({ loss }) => {
      if (loss !== undefined) losses.push(loss);
    },
  });
  assert.ok(losses.at(-1)! < 0.8 * losses[0]!, `${losses[0]} to ${losses.at(-1)}`);
});
