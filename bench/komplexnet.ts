import { lower, tensorData, writeOnnx } from "../src/graph/index.js";
import type { Port } from "../src/graph/index.js";
import { adam } from "../src/nn/optimizers.js";
import { initialState } from "../src/nn/module.js";
import { baked, initialTrainingState, writeTrainingStep } from "../src/nn/training-state.js";
import { trainingStep } from "../src/nn/training-step.js";
import { nodeRuntime } from "../src/runtime/node.js";
import type { Values } from "../src/runtime/runtime.js";
import { KomplexNet } from "../src/systems/komplexnet/model.js";
import { KomplexNetTask } from "../src/systems/komplexnet/tasks.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

const BATCH = 64;
const TIMESTEPS = 15;

/** Pictures with a fifth of their pixels lit, two labels, uniform phases. */
function feedsFor(ports: readonly Port[]): Values {
  return Object.fromEntries(
    ports.map(({ name, shape }) => {
      const dims = shape as number[];
      const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
      const random = Random.derive("bench", name);
      random.fillUniform(values);
      if (name === "images" || name === "targets") values.forEach((u, i) => (values[i] = u < 0.2 ? 1 : 0));
      if (name === "masks") values.forEach((u, i) => (values[i] = u < 0.1 ? 1 : 0));
      if (name === "learningRate") values.fill(0.01);
      if (name === "step") values.fill(0);
      return [name, tensorData(values, dims)];
    }),
  );
}

/** The default network of the paper, end to end, with both losses, clipping and Adam; and its inference. */
export function komplexnetCases(): BenchCase[] {
  const task = () => new KomplexNetTask(new KomplexNet({ timesteps: TIMESTEPS }));
  const values = (parameters: KomplexNetTask["parameters"]) =>
    initialState(parameters, (name) => Random.derive(1, name));
  const shared = { amount: BATCH, unit: "images/s" as const };
  return [
    {
      ...shared,
      name: `KomplexNet training, batch ${BATCH}, T ${TIMESTEPS}`,
      bar: 1.5,
      peer: { name: "komplexnet", options: { batch: BATCH, steps: TIMESTEPS, train: true } },
      open: async () => {
        const model = task();
        const { inputs, loss } = model.loss(BATCH);
        const step = trainingStep({
          inputs,
          loss,
          parameters: model.parameters,
          optimizer: adam(),
          clipNorm: 2,
        });
        const initial = values(model.parameters);
        const written = writeTrainingStep(step, initial, "cpu");
        const state = Object.fromEntries(initialTrainingState(step, initial));
        const program = await nodeRuntime.createProgram({ model: written.bytes, state }, { threads: 2 });
        const feeds = feedsFor(written.inputs.filter(({ name }) => state[name] === undefined));
        return { run: () => program.step(feeds), close: () => program.close() };
      },
    },
    {
      ...shared,
      name: `KomplexNet inference, batch ${BATCH}, T ${TIMESTEPS}`,
      bar: 2,
      peer: { name: "komplexnet", options: { batch: BATCH, steps: TIMESTEPS, train: false } },
      open: async () => {
        const model = task();
        const written = writeOnnx(lower(model.inference(BATCH).outputs, "cpu"), {
          values: baked(values(model.parameters)),
        });
        const session = await nodeRuntime.createSession(written.bytes, { threads: 2 });
        const feeds = feedsFor(written.inputs);
        return { run: () => session.run(feeds), close: () => session.close() };
      },
    },
  ];
}
