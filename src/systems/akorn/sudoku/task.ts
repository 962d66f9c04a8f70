import type { Dim, Tensor } from "../../../graph/index.js";
import { add, cast, input, mul, sub } from "../../../graph/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/over-time.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { checkWhole } from "../../../util/check.js";
import { StriateError } from "../../../util/errors.js";
import { SudokuTransformer } from "../iterative-baselines.js";
import { energiesOf, stateOf } from "../layer/layers-in-turn.js";
import { NOISE } from "../layer/oscillators.js";
import type { SudokuOutput } from "./network.js";
import { SIDE, SudokuNetwork } from "./network.js";

/** Names of the data fields of the task. */
export const PUZZLE = "puzzle";
/** Name of the data field with the digits of the solved boards. */
export const SOLUTION = "solution";

/** Options of `SudokuTask`. */
export interface SudokuTaskOptions {
  /**
   * Number of steps over whose answers the loss is averaged: the last step and others, evenly spaced. More than one
   * needs a network of one block. Default 1, as in the paper.
   */
  readonly lossSteps?: number;
  /** T for inference. Default: as in the model. */
  readonly timesteps?: number;
  /**
   * Whether outputs include the logits of the last layer after every step, "logits.steps" [T, batch, 9, 9, 9]. Default
   * false.
   */
  readonly everyStep?: boolean;
}

/**
 * Training to solve Sudoku. Fields: "puzzle" [batch, 9, 9] (digits, 0 for a blank) and "solution" [batch, 9, 9] (digits
 * from 1). The loss is the mean cross-entropy over all 81 cells. Outputs: "logits" [batch, 9, 9, 9], and for
 * oscillators "energies.LAYER" [T + 1, batch]. A timestep gives the same outputs without the time axis; its layers run
 * one after another.
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
    checkWhole("Sudoku: lossSteps", lossSteps, { to: timesteps });
    const steps = Array.from({ length: lossSteps }, (_, i) => Math.round((timesteps * (i + 1)) / lossSteps));
    const answers = lossSteps === 1 ? [forward().logits] : forwardAfter(steps);
    const solution = input(SOLUTION, [batch, SIDE, SIDE]);
    const sum = answers.map((logits) => this.lossOf(logits, solution)).reduce((a, b) => add(a, b));
    return { inputs: [...inputs, solution], noise, loss: lossSteps === 1 ? sum : mul(sum, 1 / lossSteps) };
  }

  /** Mean cross-entropy over all cells of logits [batch, 9, 9, 9] with digits [batch, 9, 9]. */
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
      throw new StriateError("Sudoku: step: expected a network with oscillators, got one without");
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

/** The results of a network for a batch of boards. */
interface SudokuTrace extends Required<Pick<LossGraph, "inputs" | "noise">> {
  readonly forward: (timesteps?: number) => Pick<SudokuOutput, "logits"> & Partial<SudokuOutput>;
  readonly forwardAfter: (timesteps: readonly number[]) => readonly Tensor[];
}
