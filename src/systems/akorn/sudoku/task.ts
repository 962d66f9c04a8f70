import type { Dim, Tensor } from "../../../graph/index.js";
import { add, cast, input, mul, sub } from "../../../graph/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/over-time.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { StriateError, check } from "../../../util/errors.js";
import { SudokuTransformer } from "../iterative-baselines.js";
import { energiesOf, stateOf } from "../layer/layers-in-turn.js";
import { NOISE } from "../layer/oscillators.js";
import type { SudokuOutput } from "./network.js";
import { SIDE, SudokuNetwork } from "./network.js";

/** Names of the data fields that the task reads. */
export const PUZZLE = "puzzle";
/** Name of the input with the digits of the solved boards. */
export const SOLUTION = "solution";

/** What a `SudokuTask` learns from and reads out. */
export interface SudokuTaskOptions {
  /**
   * How many answers the loss is the mean over: those after the last step and after others, evenly spaced. More than one
   * needs a network of one block. Default 1, as in the paper.
   */
  readonly lossSteps?: number;
  /** T when answering; default that of the model. */
  readonly timesteps?: number;
  /** Whether answers include logits after every step, "logits.steps" [T, batch, 9, 9, 9]: the last layer's read-out. Default false. */
  readonly everyStep?: boolean;
}

/**
 * Sudoku: reads "puzzle" [batch, 9, 9] (digits, 0 for a blank) and "solution" [batch, 9, 9] (digits from 1). Loss:
 * cross-entropy over all 81 cells. Answers: "logits" [batch, 9, 9, 9], and "energies.LAYER" [T + 1, batch] of oscillators.
 * A step answers the same without the axis of time, one layer after another.
 */
export class SudokuTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: SudokuNetwork | SudokuTransformer,
    readonly options: SudokuTaskOptions = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const { inputs, noise, forward, forwardAfter } = this.#trace(batch);
    const { lossSteps = 1 } = this.options;
    const { timesteps } = this.model;
    checkLossSteps(lossSteps, timesteps);
    const steps = Array.from({ length: lossSteps }, (_, i) => Math.round((timesteps * (i + 1)) / lossSteps));
    const answers = lossSteps === 1 ? [forward().logits] : forwardAfter(steps);
    const solution = input(SOLUTION, [batch, SIDE, SIDE]);
    const sum = answers.map((logits) => this.lossOf(logits, solution)).reduce((a, b) => add(a, b));
    return { inputs: [...inputs, solution], noise, loss: lossSteps === 1 ? sum : mul(sum, 1 / lossSteps) };
  }

  /** Cross-entropy of logits [batch, 9, 9, 9] with digits [batch, 9, 9], mean over all cells. */
  lossOf(logits: Tensor, solution: Tensor): Tensor {
    return crossEntropy(logits, sub(cast(solution, "int32"), 1), { axis: 3 });
  }

  inference(batch: Dim): InferenceGraph {
    const { inputs, noise, forward } = this.#trace(batch);
    const { logits, layers = [] } = forward(this.options.timesteps);
    const outputs: Record<string, Tensor> = { logits };
    layers.forEach(({ energies }, i) => (outputs[`energies.${i}`] = energies));
    if (this.options.everyStep === true && this.model instanceof SudokuNetwork) {
      const { model } = this;
      outputs["logits.steps"] = overTime(layers.at(-1)!.states.map((state) => model.read(state)));
    }
    return { inputs, noise, outputs };
  }

  step(batch: Dim): StepGraph {
    const { model } = this;
    if (!(model instanceof SudokuNetwork))
      throw new StriateError("Sudoku: a stepper needs oscillators, this network has none");
    const puzzle = input(PUZZLE, [batch, SIDE, SIDE]);
    const step = model.step(cast(puzzle, "int64"), this.options.timesteps);
    return { ...stateOf(step), readouts: { logits: step.logits, ...energiesOf(step) } };
  }

  #trace(batch: Dim): SudokuTrace {
    const { model } = this;
    const puzzle = input(PUZZLE, [batch, SIDE, SIDE]);
    const tokens = cast(puzzle, "int64");
    if (model instanceof SudokuTransformer) {
      return {
        inputs: [puzzle],
        noise: {},
        forward: (timesteps) => model.forward({ tokens }, timesteps),
        forwardAfter: (timesteps) => model.forwardAfter({ tokens }, timesteps),
      };
    }
    const noise = model.noiseInput(batch);
    return {
      inputs: [puzzle, noise],
      noise: { [NOISE]: "normal" },
      forward: (timesteps) => model.forward({ tokens, noise }, timesteps),
      forwardAfter: (timesteps) => model.forwardAfter({ tokens, noise }, timesteps).logits,
    };
  }
}

/** What a network computes from the boards of a batch. */
interface SudokuTrace extends Required<Pick<LossGraph, "inputs" | "noise">> {
  readonly forward: (timesteps?: number) => Pick<SudokuOutput, "logits"> & Partial<SudokuOutput>;
  readonly forwardAfter: (timesteps: readonly number[]) => readonly Tensor[];
}

function checkLossSteps(lossSteps: number, timesteps: number): void {
  check(
    Number.isInteger(lossSteps) && lossSteps >= 1 && lossSteps <= timesteps,
    () => `Sudoku: expected a loss over 1 to ${timesteps} (T) steps, got ${lossSteps}`,
  );
}
