import { generateSudoku } from "../src/data/sudoku/generator.js";
import { lower, tensorData, writeOnnx } from "../src/graph/index.js";
import type { Port } from "../src/graph/index.js";
import { initialState } from "../src/nn/module.js";
import { adam } from "../src/nn/optimizers.js";
import { asConstants, initialTrainingState, writeTrainingStep } from "../src/nn/training-state.js";
import { trainingStep } from "../src/nn/training-step.js";
import { nodeRuntime } from "../src/runtime/node.js";
import type { Values } from "../src/runtime/runtime.js";
import {
  EnergyVoter,
  NOISE,
  ObjectNetwork,
  ObjectTask,
  PUZZLE,
  RecognitionNetwork,
  RecognitionTask,
  SOLUTION,
  SudokuNetwork,
  SudokuTask,
} from "../src/systems/akorn/index.js";
import type { Task } from "../src/train/task.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

type Opened = ReturnType<BenchCase["open"]>;

/** The settings with which one of the three networks runs, here and in the peer. */
interface Network {
  readonly title: string;
  readonly peer: string;
  /** Number of images in a training step. */
  readonly batch: number;
  /** Number of images in a run of inference. */
  readonly images: number;
  readonly timesteps: number;
  readonly bars: { readonly inference: number; readonly training: number };
  readonly clipNorm?: number;
  task(timesteps: number): Task;
}

const OBJECTS: Network = {
  title: "AKOrN objects, 128 channels",
  peer: "objects",
  batch: 64,
  images: 128,
  timesteps: 8,
  bars: { inference: 4, training: 3 },
  task: (timesteps) =>
    new ObjectTask(
      new ObjectNetwork({ channels: 128, imageSize: 32, patch: 4, timesteps, stimulusNorm: "none" }),
      32,
    ),
};

const SUDOKU: Network = {
  title: "AKOrN Sudoku, 128 channels",
  peer: "sudoku",
  batch: 50,
  images: 50,
  timesteps: 16,
  bars: { inference: 3, training: 2.5 },
  clipNorm: 1,
  task: (timesteps) =>
    new SudokuTask(new SudokuNetwork({ channels: 128, timesteps, omega: { initial: 0.5, shared: true } })),
};

const RECOGNITION: Network = {
  title: "AKOrN CIFAR-10, 64 channels",
  peer: "recognition",
  batch: 32,
  images: 32,
  timesteps: 3,
  bars: { inference: 2, training: 1.5 },
  task: (timesteps) => new RecognitionTask(new RecognitionNetwork({ rotatingDimensions: 2, timesteps })),
};

/** Inputs: random Sudoku boards, which need not have a solution, and images of noise. */
function feedsFor(ports: readonly Port[]): Values {
  return Object.fromEntries(
    ports.map(({ name, shape }) => {
      const dims = shape as number[];
      const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
      const random = Random.derive("bench", name);
      if (name === NOISE) random.fillNormal(values);
      else if (name === "learningRate") values.fill(0.001);
      else if (name !== "step") random.fillUniform(values);
      const digit = (u: number) => Math.floor(9 * u) + 1;
      if (name === PUZZLE) values.forEach((u, i) => (values[i] = u < 0.4 ? digit(u / 0.4) : 0));
      if (name === SOLUTION) values.forEach((u, i) => (values[i] = digit(u)));
      if (name === "labels") values.forEach((u, i) => (values[i] = digit(u)));
      return [name, tensorData(values, dims)];
    }),
  );
}

const valuesOf = ({ parameters }: Task) => initialState(parameters, (name) => Random.derive(1, name));

async function openInference(task: Task, images: number): Opened {
  const { outputs } = task.inference(images);
  const answer = { answer: outputs.features ?? outputs.logits! };
  const written = writeOnnx(lower(answer, "cpu"), { values: asConstants(valuesOf(task)) });
  const session = await nodeRuntime.createSession(written.bytes, { threads: 2 });
  const feeds = feedsFor(written.inputs);
  return { run: () => session.run(feeds), close: () => session.close() };
}

async function openTraining(network: Network): Opened {
  const { batch, clipNorm } = network;
  const task = network.task(network.timesteps);
  const { inputs, loss, updates } = task.loss(batch);
  const step = trainingStep({
    inputs,
    loss,
    parameters: task.parameters,
    optimizer: adam(),
    ...(updates && { updates }),
    ...(clipNorm !== undefined && { clipNorm }),
  });
  const initial = valuesOf(task);
  const written = writeTrainingStep(step, initial, "cpu");
  const state = Object.fromEntries(initialTrainingState(step, initial));
  const program = await nodeRuntime.createProgram({ model: written.bytes, state }, { threads: 2 });
  const feeds = feedsFor(written.inputs.filter(({ name }) => state[name] === undefined));
  return { run: () => program.step(feeds), close: () => program.close() };
}

function networkCases(network: Network): BenchCase[] {
  const { title, peer, images, timesteps, bars } = network;
  const shared = { amount: images, unit: "images/s" as const };
  const peerOf = (train: boolean) => ({
    name: "akorn",
    options: { net: peer, batch: images, steps: timesteps, train },
  });
  return [
    {
      ...shared,
      name: `${title}, T ${timesteps}, ${images} images, inference`,
      bar: bars.inference,
      peer: peerOf(false),
      open: () => openInference(network.task(timesteps), images),
    },
    {
      ...shared,
      name: `${title}, T ${timesteps}, ${images} images, training step`,
      bar: bars.training,
      peer: peerOf(true),
      open: () => openTraining(network),
    },
  ];
}

export function akornCases(): BenchCase[] {
  return [OBJECTS, SUDOKU, RECOGNITION].flatMap(networkCases);
}

/**
 * Cost against the number of timesteps, as Kuramoto steps of a batch in a second. This rate stays the same if
 * the cost is linear.
 */
export function akornStepCases(): BenchCase[] {
  const lengths = [8, 32, 128, 256];
  const batch = 16;
  const long = [OBJECTS, SUDOKU].flatMap((network) =>
    lengths.map((timesteps): BenchCase => ({
      name: `${network.title}, T ${timesteps}, ${batch} images, inference`,
      amount: timesteps,
      unit: "steps/s",
      open: () => openInference(network.task(timesteps), batch),
    })),
  );
  return [...long, votingCase()];
}

/** Voting on one board over 100 starting states of 128 timesteps each. */
function votingCase(): BenchCase {
  return {
    name: "AKOrN Sudoku, 128 channels, T 128, voting over 100 draws, one board",
    amount: 1,
    unit: "boards/s",
    open: async () => {
      const model = new SudokuNetwork({ channels: 128, omega: { initial: 0.5, shared: true } });
      const task = new SudokuTask(model);
      const voter = await EnergyVoter.open(model, valuesOf(task), nodeRuntime, {
        timesteps: 128,
        draws: 100,
        threads: 2,
      });
      const { puzzles } = generateSudoku({ count: 1, givens: 30, seed: 1 });
      return { run: () => voter.solve(puzzles, "bench"), close: () => voter.close() };
    },
  };
}
