import { tensorData } from "../../src/graph/index.js";
import { initialState } from "../../src/nn/module.js";
import { sgd } from "../../src/nn/optimizers.js";
import { writeTrainingStep } from "../../src/nn/training-state.js";
import { trainingStep } from "../../src/nn/training-step.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { KomplexNet } from "../../src/systems/komplexnet/model.js";
import { KomplexNetTask } from "../../src/systems/komplexnet/training/tasks.js";
import {
  IterativeObjectNetwork,
  ObjectNetwork,
  ObjectTask,
  PUZZLE,
  SOLUTION,
  SudokuNetwork,
  SudokuTask,
} from "../../src/systems/akorn/index.js";
import { HyperparameterTask, predify } from "../../src/systems/predify/index.js";
import type { Task } from "../../src/train/task.js";
import { Random } from "../../src/util/random.js";
import { smallBackbone } from "../systems/predify/support.js";

/** Networks that unroll timesteps, by the name of their system. */
export const tasks: Readonly<Record<string, (timesteps: number) => Task>> = {
  "AKOrN objects": (timesteps) =>
    new ObjectTask(
      new ObjectNetwork({ channels: 64, imageSize: 32, patch: 4, timesteps, stimulusNorm: "none" }),
      32,
    ),
  ItrSA: (timesteps) =>
    new ObjectTask(new IterativeObjectNetwork({ channels: 16, imageSize: 16, patch: 4, timesteps }), 16),
  "AKOrN Sudoku": (timesteps) => new SudokuTask(new SudokuNetwork({ channels: 16, heads: 4, timesteps })),
  KomplexNet: (timesteps) => new KomplexNetTask(new KomplexNet({ timesteps, kuramotoMode: "endtoend" })),
  "KomplexNet with feedback": (timesteps) => new KomplexNetTask(new KomplexNet({ timesteps, feedback: {} })),
  Predify: (timesteps) =>
    new HyperparameterTask(predify(smallBackbone(), { pcoders: 2 }), { timesteps, decoders: true }),
};

/** Runs a training step on random numbers, `runs` times the same one, and returns everything that it gives back. */
export async function runStep(
  task: Task,
  batch: number,
  recompute: boolean,
  runs = 1,
): Promise<Record<string, number[]>> {
  const { inputs, loss, updates } = task.loss(batch);
  const { parameters } = task;
  const step = trainingStep({
    inputs,
    loss,
    parameters,
    optimizer: sgd({}),
    recompute,
    ...(updates && { updates }),
  });
  const initial = initialState(parameters, (name) => Random.derive(1, name));
  const written = writeTrainingStep(step, initial, "cpu");
  const session = await nodeRuntime.createSession(written.bytes, { threads: 1 });
  const feeds = Object.fromEntries(
    written.inputs.map(({ name, shape }) => {
      const dims = shape as number[];
      const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
      Random.derive(2, name).fillUniform(values);
      // The digits of a Sudoku are whole numbers from 1 to 9.
      if (name === PUZZLE || name === SOLUTION) values.forEach((u, i) => (values[i] = 1 + Math.floor(9 * u)));
      return [name, initial.get(name) ?? tensorData(values, dims)];
    }),
  );
  let results = await session.run(feeds);
  for (let run = 1; run < runs; run++) results = await session.run(feeds);
  await session.close();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}
