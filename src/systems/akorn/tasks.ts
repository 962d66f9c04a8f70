import type { Dim, Tensor } from "../../graph/index.js";
import { add, cast, input, mul, slice, sub } from "../../graph/index.js";
import { VIEWS } from "../../data/augmentation/simclr.js";
import type { ContrastiveOptions } from "../../nn/contrastive-loss.js";
import { contrastiveLoss } from "../../nn/contrastive-loss.js";
import type { Size } from "../../nn/layers/convolution.js";
import { TrainingPass } from "../../nn/layers/layer.js";
import { crossEntropy } from "../../nn/losses.js";
import type { NamedParameters } from "../../nn/module.js";
import { namedParameters } from "../../nn/module.js";
import { overTime } from "../../train/over-time.js";
import type { StepGraph, SteppedModel } from "../../train/step-graph.js";
import type { InferenceGraph, LossGraph, Task } from "../../train/task.js";
import { StriateError, check } from "../../util/errors.js";
import { gridOf } from "./layer/grid.js";
import { IterativeObjectNetwork, SudokuTransformer } from "./iterative-baselines.js";
import type { StepInTurn } from "./layer/layers-in-turn.js";
import { NOISE, ObjectNetwork } from "./objects/object-network.js";
import type { RecognitionNetwork } from "./recognition/recognition-network.js";
import { ensembleLogits } from "./recognition/recognition-network.js";
import type { SudokuOutput } from "./sudoku/sudoku-network.js";
import { SIDE, SudokuNetwork } from "./sudoku/sudoku-network.js";

/** Names of the data fields that the tasks read. */
export { VIEWS };
export const IMAGES = "images";
export const LABELS = "labels";
export const PUZZLE = "puzzle";
export const SOLUTION = "solution";

export interface ObjectTaskOptions extends ContrastiveOptions {
  /** Whether answers include the states after every step, "states.LAYER" [T, batch, ...]. Default false. */
  readonly states?: boolean;
}

/**
 * Object discovery by contrast (arXiv:2410.13821, appendix; SimCLR, Chen et al. 2020): reads "views" [2 batch, 3, height,
 * width], two augmentations of image i at 2 i and 2 i + 1. Answers of "images" [batch, 3, height, width]: "features" [batch,
 * channels, height, width], and "energies.LAYER" [T + 1, batch] of oscillators. A step answers the same without
 * the axis of time, one layer after another.
 */
export class ObjectTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: ObjectNetwork | IterativeObjectNetwork,
    /** Height and width of the images in pixels, or one number for both. */
    readonly imageSize: Size,
    readonly options: ObjectTaskOptions = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const views = input(VIEWS, [2 * batch, 3, ...gridOf(this.imageSize)]);
    const { inputs, noise, output } = this.#trace(views);
    const of = (view: number) => slice(output.projection, [{ axis: 0, start: view, step: 2 }]);
    return { inputs, noise, loss: contrastiveLoss(of(0), of(1), this.options) };
  }

  inference(batch: Dim): InferenceGraph {
    const images = input(IMAGES, [batch, 3, ...gridOf(this.imageSize)]);
    const { inputs, noise, output } = this.#trace(images);
    const layers = "layers" in output ? output.layers : [];
    const outputs: Record<string, Tensor> = { features: output.features };
    layers.forEach((layer, i) => {
      outputs[`energies.${i}`] = layer.energies;
      if (this.options.states === true) outputs[`states.${i}`] = overTime(layer.states);
    });
    return { inputs, noise, outputs };
  }

  step(batch: Dim): StepGraph {
    const { model } = this;
    if (!(model instanceof ObjectNetwork))
      throw new StriateError("object discovery: a stepper needs oscillators, this network has none");
    const step = model.step(input(IMAGES, [batch, 3, ...gridOf(this.imageSize)]));
    const states = this.options.states === true ? step.states : [];
    return {
      ...stateOf(step),
      readouts: {
        features: step.features,
        ...energiesOf(step),
        ...Object.fromEntries(states.map((state, layer) => [`states.${layer}`, state])),
      },
    };
  }

  #trace(images: Tensor) {
    const { model } = this;
    if (model instanceof IterativeObjectNetwork)
      return { inputs: [images], noise: {}, output: model.forward({ images }) };
    const noise = model.noiseInput(images.shape[0]!, this.imageSize);
    const output = model.forward({ images, noise });
    return { inputs: [images, noise], noise: { [NOISE]: "normal" } as const, output };
  }
}

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

/**
 * Image classification by oscillators: reads "images" [batch, 3, height, width] and "labels" [batch]. Loss: mean
 * cross-entropy. Answers: "logits" [batch, classes], the mean over `ensemble` (default 1) passes with noise of their own.
 * A step answers "logits", and "energies.LAYER" [batch] of oscillators, one layer after another, of a single pass.
 */
export class RecognitionTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly model: RecognitionNetwork,
    readonly options: { readonly ensemble?: number } = {},
  ) {
    this.parameters = namedParameters(model);
  }

  loss(batch: number): LossGraph {
    const images = this.#images(batch);
    const noise = this.model.noiseInput(batch);
    const labels = input(LABELS, [batch]);
    const pass = new TrainingPass();
    const { logits } = this.model.forward({ images, noise }, pass);
    return {
      inputs: [images, labels, noise],
      noise: { [NOISE]: "normal" },
      loss: crossEntropy(logits, cast(labels, "int32")),
      updates: pass.updates,
    };
  }

  inference(batch: Dim): InferenceGraph {
    const images = this.#images(batch);
    const names = Array.from({ length: this.options.ensemble ?? 1 }, (_, i) =>
      i === 0 ? NOISE : `${NOISE}:${i}`,
    );
    const noises = names.map((name) => this.model.noiseInput(batch, name));
    return {
      inputs: [images, ...noises],
      noise: Object.fromEntries(names.map((name) => [name, "normal"] as const)),
      outputs: { logits: ensembleLogits(this.model, images, noises) },
    };
  }

  step(batch: Dim): StepGraph {
    const { ensemble = 1 } = this.options;
    check(ensemble === 1, () => `recognition: a step is that of one pass, got an ensemble of ${ensemble}`);
    const step = this.model.step(this.#images(batch));
    return { ...stateOf(step), readouts: { logits: step.logits, ...energiesOf(step) } };
  }

  #images(batch: Dim): Tensor {
    return input(IMAGES, [batch, 3, ...this.model.imageSize]);
  }
}

function stateOf({ state, defaults }: StepInTurn): Pick<StepGraph, "state" | "defaults"> {
  return { state, defaults };
}

function energiesOf({ energies }: StepInTurn): Record<string, Tensor> {
  return Object.fromEntries(energies.map((energy, layer) => [`energies.${layer}`, energy]));
}
