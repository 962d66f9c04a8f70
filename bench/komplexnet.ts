import { lower, tensorData, writeOnnx } from "../src/graph/index.js";
import type { Port } from "../src/graph/index.js";
import { adam } from "../src/nn/optimizers.js";
import { initialState } from "../src/nn/module.js";
import { asConstants, initialTrainingState, writeTrainingStep } from "../src/nn/training-state.js";
import { trainingStep } from "../src/nn/training-step.js";
import { nodeRuntime } from "../src/runtime/node.js";
import type { Values } from "../src/runtime/runtime.js";
import type { KomplexNetOptions } from "../src/systems/komplexnet/config.js";
import { KomplexNet } from "../src/systems/komplexnet/model.js";
import { KomplexNetTask } from "../src/systems/komplexnet/training/tasks.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

const BATCH = 64;
const TIMESTEPS = 15;

/** Inputs: images with a fifth of their pixels lit, about two labels for each image, uniform phases. */
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

/**
 * The paper's default network: a training step end to end, with both losses, clipping and Adam, and
 * inference.
 */
export function komplexnetCases(): BenchCase[] {
  return cases("KomplexNet", {}, { peer: "komplexnet", training: 1.5, inference: 2 });
}

/**
 * The recurrent model: a training step and inference. Its peer broadcasts the feedback over the image, as the
 * equations are written.
 */
export function feedbackCases(): BenchCase[] {
  return cases(
    "KomplexNet with feedback",
    { feedback: {} },
    { peer: "komplexnet_feedback", training: 3, inference: 3 },
  );
}

/** Opens one training step of the recurrent model, as its case runs it. */
export const openFeedbackTraining = (): ReturnType<BenchCase["open"]> => openTraining({ feedback: {} });

function cases(
  name: string,
  options: KomplexNetOptions,
  { peer, ...bars }: { readonly peer: string; readonly training: number; readonly inference: number },
): BenchCase[] {
  const shared = { amount: BATCH, unit: "images/s" as const };
  const peerOf = (train: boolean) => ({ name: peer, options: { batch: BATCH, steps: TIMESTEPS, train } });
  return [
    {
      ...shared,
      name: `${name} training, batch ${BATCH}, T ${TIMESTEPS}`,
      bar: bars.training,
      peer: peerOf(true),
      open: () => openTraining(options),
    },
    {
      ...shared,
      name: `${name} inference, batch ${BATCH}, T ${TIMESTEPS}`,
      bar: bars.inference,
      peer: peerOf(false),
      open: () => openInference(options),
    },
  ];
}

const taskOf = (options: KomplexNetOptions) =>
  new KomplexNetTask(new KomplexNet({ timesteps: TIMESTEPS, ...options }));
const valuesOf = ({ parameters }: KomplexNetTask) =>
  initialState(parameters, (name) => Random.derive(1, name));

async function openTraining(options: KomplexNetOptions): ReturnType<BenchCase["open"]> {
  const task = taskOf(options);
  const { inputs, loss } = task.loss(BATCH);
  const { parameters } = task;
  const step = trainingStep({ inputs, loss, parameters, optimizer: adam(), clipNorm: 2 });
  const initial = valuesOf(task);
  const written = writeTrainingStep(step, initial, "cpu");
  const state = Object.fromEntries(initialTrainingState(step, initial));
  const program = await nodeRuntime.createProgram({ model: written.bytes, state }, { threads: 2 });
  const feeds = feedsFor(written.inputs.filter(({ name }) => state[name] === undefined));
  return { run: () => program.step(feeds), close: () => program.close() };
}

async function openInference(options: KomplexNetOptions): ReturnType<BenchCase["open"]> {
  const task = taskOf(options);
  const constants = { values: asConstants(valuesOf(task)) };
  const written = writeOnnx(lower(task.inference(BATCH).outputs, "cpu", constants), constants);
  const session = await nodeRuntime.createSession(written.bytes, { threads: 2 });
  const feeds = feedsFor(written.inputs);
  return { run: () => session.run(feeds), close: () => session.close() };
}
