import { IMAGES, LABELS } from "../../../data/images/prepared-images.js";
import type { Dim, Tensor } from "../../../graph/index.js";
import { addAll, cast, constant, div, input, square, sub } from "../../../graph/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import type { StepGraph, SteppedModel } from "../../../train/step-graph.js";
import { overTime } from "../../../train/stack-timesteps.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task } from "../../../train/task.js";
import { checkLength, checkPositive } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { MixingWeights } from "../core/hyperparameters.js";
import { trainableParts } from "../core/hyperparameters.js";
import type { PredictiveNetwork, Unrolled } from "../core/network.js";
import type { AnswerOptions } from "../core/options.js";
import type { PCoder } from "../core/pcoder.js";
import { stateName } from "../core/network.js";
import { predictiveSteps } from "../core/steps.js";

/** Mean and standard deviation of each channel. The graph computes (x - mean) / std from pixels x. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Normalises each channel of images [batch, channels, ...]: subtracts the mean and divides by the standard deviation.
 */
export function normalised(image: Tensor, { mean, std }: Normalisation): Tensor {
  const channels = image.shape[1];
  check(
    typeof channels === "number",
    () => `normalisation: expected a known number of channels, got ${String(channels)}`,
  );
  checkLength("normalisation: mean", mean, channels);
  checkLength("normalisation: std", std, channels);
  for (const value of std) checkPositive("normalisation: std", value);
  const vector = (values: readonly number[]) =>
    constant(values, [values.length, ...image.shape.slice(2).map(() => 1)]);
  return div(sub(image, vector(mean)), vector(std));
}

/**
 * Returns the outputs of an unrolled network by name: "logits" [timesteps + 1, ...output shape] and those
 * that `options` request.
 */
export function answers(
  { passes }: Unrolled,
  options: Omit<AnswerOptions, "timesteps">,
): Record<string, Tensor> {
  const outputs: Record<string, Tensor> = { logits: overTime(passes.map(({ logits }) => logits)) };
  const count = passes[0]!.representations.length;
  for (let i = 0; i < count; i++) {
    const pcoder = `pcoder${i + 1}`;
    passes.forEach((pass, t) => {
      if (options.representations) outputs[`${stateName(i + 1)}.t${t}`] = pass.representations[i]!;
      if (options.predictions) outputs[`prediction.${pcoder}.t${t}`] = pass.predictions[i]!.prediction;
      if (options.reconstructions) outputs[`reconstruction.${pcoder}.t${t}`] = pass.reconstructions[i]!;
    });
    if (options.errors)
      outputs[`error.${pcoder}`] = overTime(passes.map((pass) => pass.predictions[i]!.error));
  }
  return outputs;
}

/**
 * Returns the kind of each noise input of a network: those of the backbone, and the representations if they
 * start at random.
 */
export function noiseOf({
  backbone,
  pcoders,
  options,
}: PredictiveNetwork): Readonly<Record<string, NoiseKind>> {
  const fromBackbone = Array.from(backbone.noise, ([name, { kind }]) => [name, kind] as const);
  const states = options.randomInit === true ? pcoders : [];
  return Object.fromEntries([
    ...fromBackbone,
    ...states.map(({ number }) => [stateName(number), "normal" as const] as const),
  ]);
}

/** An error divided by the variance of the PCoder's target, so that training does not depend on units. */
function inUnits(error: Tensor, { units }: PCoder): Tensor {
  return units === undefined ? error : div(error, square(units.target));
}

/**
 * Unsupervised training of the decoders. The loss is the sum over PCoders of the mean squared prediction
 * error in the first pass (t = 0), each divided by the variance of its target if units are measured. In that pass, representations are values of the frozen backbone, so each
 * decoder learns only from its own term of the sum. Data field: "images", prepared as the backbone expects
 * them. Metrics: "error.pcoderI". In inference, the outputs are those of the unrolled network; `step` gives
 * those of one timestep ({@link predictiveSteps}).
 */
export class FeedbackTask implements Task, SteppedModel {
  readonly parameters: NamedParameters;

  constructor(
    readonly network: PredictiveNetwork,
    readonly options: AnswerOptions = { timesteps: 0, errors: true },
  ) {
    this.parameters = network.parameters;
  }

  loss(batch: number): LossGraph {
    const image = input(IMAGES, [batch, ...this.network.backbone.imageShape]);
    const noise = this.network.backbone.noiseInputs(batch);
    const errors = feedforwardErrors(this.network, image, noise);
    return {
      inputs: [image, ...noise.values()],
      noise: noiseOf(this.network),
      loss: addAll(errors.map((error, i) => inUnits(error, this.network.pcoders[i]!))),
      metrics: Object.fromEntries(errors.map((error, i) => [`error.pcoder${i + 1}`, error])),
    };
  }

  inference(batch: Dim): InferenceGraph {
    const unrolled = this.network.unroll(this.options.timesteps, { batch, hyperparameters: "constants" });
    return {
      inputs: unrolled.inputs,
      noise: noiseOf(this.network),
      outputs: answers(unrolled, this.options),
      overTime: "logits",
    };
  }

  step(batch: Dim): StepGraph {
    return predictiveSteps(this.network, this.options).step(batch);
  }
}

/**
 * Computes the prediction errors of the first pass, in which every representation is the backbone's own
 * value.
 */
function feedforwardErrors(
  network: PredictiveNetwork,
  image: Tensor,
  noise: ReadonlyMap<Tensor, Tensor>,
): Tensor[] {
  const representations = network.feedforward(image, noise);
  return network.pcoders.map(
    (pcoder, i) => pcoder.predict(representations[i]!, i === 0 ? image : representations[i - 1]!).error,
  );
}

/** Options for tuning hyper-parameters. */
export interface TuningOptions {
  /** Index of the last timestep, whose cross-entropy is minimised. */
  readonly timesteps: number;
  /** Whether the decoders are trained together with the hyper-parameters. Default false. */
  readonly decoders?: boolean;
}

/**
 * Tunes beta, lambda and alpha by gradient descent on their parts ({@link valuesFromParts}), so that beta +
 * lambda + memory = 1 always holds; alpha is not bounded. The loss is the mean cross-entropy at the last
 * timestep. Its gradient goes back through all passes and treats the error gradients inside the PCoders as
 * constants. Data fields: "images" and "labels" [batch] (whole numbers). Parameters: "ff_part1", "fb_part1",
 * "mem_part1", "errorm1", "ff_part2" and so on; if all PCoders share them, "ff_part", "fb_part", "mem_part"
 * and "errorm".
 */
export class HyperparameterTask implements Task {
  readonly parameters: NamedParameters;
  readonly weights: readonly MixingWeights[];

  constructor(
    readonly network: PredictiveNetwork,
    readonly options: TuningOptions,
  ) {
    const values = network.pcoders.map(({ hyperparameters }) => hyperparameters);
    const { parameters, weights } = trainableParts(values, network.options.sharedHyperparameters === true);
    this.parameters = new Map([...namedParameters(parameters), ...network.parameters]);
    this.weights = weights;
  }

  /** Returns whether training changes a parameter. Pass this as the option `trainable` of `train`. */
  trainable(name: string): boolean {
    return this.options.decoders === true || !this.network.parameters.has(name);
  }

  loss(batch: number): LossGraph {
    const image = input(IMAGES, [batch, ...this.network.backbone.imageShape]);
    const labels = input(LABELS, [batch]);
    const { inputs, passes } = this.#unroll(image);
    const { logits } = passes.at(-1)!;
    return {
      inputs: [image, labels, ...inputs],
      noise: noiseOf(this.network),
      classes: { [LABELS]: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32")),
    };
  }

  inference(batch: Dim): InferenceGraph {
    const image = input(IMAGES, [batch, ...this.network.backbone.imageShape]);
    const unrolled = this.#unroll(image);
    return {
      inputs: [image, ...unrolled.inputs],
      noise: noiseOf(this.network),
      outputs: answers(unrolled, {}),
      overTime: "logits",
    };
  }

  #unroll(image: Tensor): Unrolled {
    return this.network.unroll(this.options.timesteps, { image, hyperparameters: this.weights });
  }
}
