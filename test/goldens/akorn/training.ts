import type { TensorData } from "../../../src/graph/index.js";
import { tensorData } from "../../../src/graph/index.js";
import { adam } from "../../../src/nn/optimizers.js";
import { initialTrainingState, modelValues } from "../../../src/nn/training-state.js";
import { trainingStep } from "../../../src/nn/training-step.js";
import {
  NOISE,
  ObjectTask,
  PUZZLE,
  SOLUTION,
  SudokuTask,
  VIEWS,
  authorsName,
} from "../../../src/systems/akorn/index.js";
import type { LossGraph } from "../../../src/train/task.js";
import type { Evaluate, Feeds } from "../evaluate.js";
import { digitsOf, elementOf, load, numberOf, parametersOf } from "./support.js";
import type { Loaded } from "./support.js";
import { objectNetwork, sudokuNetwork } from "./networks.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";

/** Some steps of Adam: losses, gradient norms before clipping, the parameters afterwards. */
async function trained(
  golden: GoldenCase,
  evaluate: Evaluate,
  loaded: Loaded,
  loss: LossGraph,
  feedsAt: (step: number) => Feeds,
): Promise<Results> {
  const clipNorm = numberOf(golden, "clip_grad_norm", 0);
  const step = trainingStep({
    inputs: loss.inputs,
    loss: loss.loss,
    parameters: loaded.parameters,
    optimizer: adam(),
    ...(clipNorm > 0 && { clipNorm }),
  });
  let state = initialTrainingState(step, loaded.state);
  const [losses, norms] = [[] as number[], [] as number[]];
  for (let i = 0; i < numberOf(golden, "steps"); i++) {
    const results = await evaluate(step.outputs, {
      ...feedsAt(i),
      [NOISE]: tensorOf(golden, `noise.${i}`),
      learningRate: tensorData([numberOf(golden, "lr")], []),
      step: tensorData([i], []),
      ...Object.fromEntries(loaded.state),
      ...Object.fromEntries(state),
    });
    losses.push(Number(results.loss!.data[0]));
    norms.push(Number(results.gradientNorm!.data[0]));
    state = new Map(step.state.map((spec) => [spec.name, results[spec.output]!]));
  }
  const after = [...modelValues(step, state, loaded.state)].map(([name, value]): [string, TensorData] => [
    `output.param_after.${authorsName(loaded.kind, name)}`,
    value,
  ]);
  return new Map([["output.losses", tensorData(losses)], ["output.grad_norms", tensorData(norms)], ...after]);
}

const trainsOn = ({ tensors }: GoldenCase, name: string): boolean =>
  tensors.has("output.losses") && tensors.has(name);

const objects: GoldenKind = {
  name: "training of the object network",
  matches: (golden) => trainsOn(golden, "input.image"),
  run: (golden, evaluate) => {
    const images = tensorOf(golden, "input.image");
    const model = objectNetwork(golden);
    const loaded = load("objectNetwork", model, parametersOf(golden));
    const temperature = numberOf(golden, "temp", 0.1);
    const task = new ObjectTask(model, images.shape.at(-1)!, { temperature });
    return trained(golden, evaluate, loaded, task.loss(images.shape[1]! / 2), (step) => ({
      [VIEWS]: elementOf(images, step),
    }));
  },
};

const sudoku: GoldenKind = {
  name: "training of the Sudoku network",
  matches: (golden) => trainsOn(golden, "input.X"),
  run: (golden, evaluate) => {
    const [X, Y] = [tensorOf(golden, "input.X"), tensorOf(golden, "input.Y")];
    const model = sudokuNetwork(golden);
    const loaded = load("sudokuNetwork", model, parametersOf(golden));
    const loss = new SudokuTask(model).loss(X.shape[1]!);
    return trained(golden, evaluate, loaded, loss, (step) => ({
      [PUZZLE]: digitsOf(elementOf(X, step)),
      [SOLUTION]: digitsOf(elementOf(Y, step)),
    }));
  },
};

export const trainingKinds: readonly GoldenKind[] = [objects, sudoku];
