import type { Dim, Tensor } from "../../graph/index.js";
import { cast, input } from "../../graph/index.js";
import { NOISE, PUZZLE, SudokuNetwork, SudokuTask, SudokuTransformer } from "../../systems/akorn/index.js";
import type { InferenceGraph, Task } from "../../train/task.js";
import type { SudokuModelName, SudokuNetworkCell } from "./plan.js";

/**
 * The network of a cell. As in the authors' training, all oscillators of AKOrN share one natural frequency, which is
 * learnt and starts at 0.5.
 */
export function sudokuNetwork({ model, shape }: Pick<SudokuNetworkCell, "model" | "shape">) {
  const { channels, heads, timesteps, transformerLayers } = shape;
  switch (model) {
    case "akorn":
      return new SudokuNetwork({
        channels,
        heads,
        timesteps,
        omega: { initial: 0.5, shared: true, trained: true },
      });
    case "itrsa":
      return new SudokuTransformer({ channels, heads, timesteps, layers: 1 });
    case "transformer":
      return new SudokuTransformer({ channels, heads, timesteps: 1, layers: transformerLayers });
  }
}

/** Timesteps T in training. */
export function trainedSteps({ model, shape }: Pick<SudokuNetworkCell, "model" | "shape">): number {
  return model === "transformer" ? 1 : shape.timesteps;
}

export function trainingTask(cell: Pick<SudokuNetworkCell, "model" | "shape" | "lossSteps">): SudokuTask {
  return new SudokuTask(sudokuNetwork(cell), { lossSteps: Math.min(cell.lossSteps, trainedSteps(cell)) });
}

/**
 * A task whose network answers after several numbers T of timesteps in one run. The outputs are "logits.T"
 * [batch, 9, 9, 9] for each T, and for oscillators "energies" [largest T + 1, batch]. The first T + 1
 * energies are those of a run with T timesteps.
 */
export function readingTask(
  cell: Pick<SudokuNetworkCell, "model" | "shape">,
  timesteps: readonly number[],
): Task {
  const model = sudokuNetwork(cell);
  const training = new SudokuTask(model);
  return {
    parameters: training.parameters,
    loss: (batch) => training.loss(batch),
    inference: (batch) =>
      model instanceof SudokuNetwork
        ? readOscillators(model, timesteps, batch)
        : readTransformer(model, timesteps, batch),
  };
}

function readOscillators(model: SudokuNetwork, timesteps: readonly number[], batch: Dim): InferenceGraph {
  const puzzle = puzzleInput(batch);
  const noise = model.noiseInput(batch);
  const { logits, energies } = model.forwardAfter({ tokens: cast(puzzle, "int64"), noise }, timesteps);
  return {
    inputs: [puzzle, noise],
    noise: { [NOISE]: "normal" },
    outputs: { ...named(timesteps, logits), energies },
  };
}

function readTransformer(model: SudokuTransformer, timesteps: readonly number[], batch: Dim): InferenceGraph {
  const puzzle = puzzleInput(batch);
  const tokens = cast(puzzle, "int64");
  const logits =
    timesteps.length === 1
      ? [model.forward({ tokens }, timesteps[0]).logits]
      : model.forwardAfter({ tokens }, timesteps);
  return { inputs: [puzzle], outputs: named(timesteps, logits) };
}

function named(timesteps: readonly number[], logits: readonly Tensor[]): Record<string, Tensor> {
  return Object.fromEntries(timesteps.map((t, i) => [logitsAfter(t), logits[i]!]));
}

const puzzleInput = (batch: Dim): Tensor => input(PUZZLE, [batch, 9, 9]);

/** Name of the output after T timesteps. */
export const logitsAfter = (timesteps: number): string => `logits.${timesteps}`;

export const SUDOKU_MODEL_TEXTS: Readonly<
  Record<SudokuModelName, { readonly label: string; readonly description: string; readonly style: number }>
> = {
  akorn: {
    label: "AKOrN",
    description:
      "One layer of Kuramoto oscillators, coupled by attention; the oscillators of blank cells start at random.",
    style: 0,
  },
  itrsa: {
    label: "ItrSA",
    description: "Self-attention, repeated with the same weights.",
    style: 1,
  },
  transformer: {
    label: "Transformer",
    description: "Blocks with weights of their own, each used once, so it cannot run for more timesteps.",
    style: 3,
  },
};
