import type { Dim, Tensor } from "../../../graph/index.js";
import { add, cast, input, mul, sub } from "../../../graph/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/stack-timesteps.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { checkWhole } from "../../../util/check.js";
import { StriateError } from "../../../util/errors.js";
import { SudokuTransformer } from "../iterative-baselines.js";
import { energiesOf, stateOf } from "../layer/layers-in-turn.js";
import { NOISE } from "../layer/oscillators.js";
import type { SudokuOutput } from "./network.js";
import { SIDE, SudokuNetwork } from "./network.js";

/** Name of the data field with the digits of the puzzles. */
export const PUZZLE = "puzzle";
/** Name of the data field with the digits of the solved boards. */
export const SOLUTION = "solution";

/** Options of `SudokuTask`. */
export interface SudokuTaskOptions {
  /**
   * Number of steps after which the answer enters the loss. They are evenly spaced and include the last step;
   * the loss is the mean over them. A number above 1 needs a network of one layer. Default 1, as in the
   * paper.
   */
  readonly lossSteps?: number;
  /** T, the number of steps in inference. Default: as in the model. */
  readonly timesteps?: number;
  /**
   * Whether outputs include the logits of the last layer after every step, as "logits.steps" [T, batch, 9, 9,
   * 9]. Default false.
   */
  readonly everyStep?: boolean;
}

/**
 * Training to solve Sudoku. Data fields: "puzzle" [batch, 9, 9], with 0 for a blank, and "solution" [batch,
 * 9, 9], with digits from 1. The loss is the mean cross-entropy over all 81 cells. Outputs: "logits" [batch,
 * 9, 9, 9] and, if the network has oscillators, "energies.LAYER" [T + 1, batch]. `step` returns the graph of
 * one timestep, whose outputs lack the time axis; the layers run one after another.
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

  /**
   * Computes the cross-entropy of logits [batch, 9, 9, 9] with the digits of the solutions, [batch, 9, 9],
   * averaged over all cells.
   */
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

/** The inputs of a network for a batch of boards, and functions that write its graph. */
interface SudokuTrace extends Required<Pick<LossGraph, "inputs" | "noise">> {
  readonly forward: (timesteps?: number) => Pick<SudokuOutput, "logits"> & Partial<SudokuOutput>;
  readonly forwardAfter: (timesteps: readonly number[]) => readonly Tensor[];
}
