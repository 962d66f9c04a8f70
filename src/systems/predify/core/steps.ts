import { isStatic } from "../../../graph/dims.js";
import type { Dim, Tensor, TensorData } from "../../../graph/index.js";
import { add } from "../../../graph/index.js";
import type { StateStart } from "../../../train/model-description.js";
import type { StepGraph, StepState, SteppedModel } from "../../../train/step-graph.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import { checkHyperparameters } from "./hyperparameters.js";
import { HYPERPARAMETER_INPUTS } from "./hyperparameters.js";
import type { PredictiveNetwork } from "./network.js";
import { stateName } from "./network.js";
import type { AnswerOptions } from "./options.js";

/** Options of `predictiveSteps`, which select the inputs and outputs of one timestep. */
export interface PredictiveStepOptions extends Pick<
  AnswerOptions,
  "predictions" | "reconstructions" | "errors"
> {
  /**
   * Whether beta, lambda and alpha are graph inputs with one value for each PCoder ("inputs", default) or
   * constants.
   */
  readonly hyperparameters?: "inputs" | "constants";
}

/**
 * Makes a predictive network that runs one timestep at a time. Its state consists of "representation.pcoderI"
 * for each PCoder I, "timestep" (unless representations start at random), and the backbone's noise, which is
 * drawn once and does not change. Its outputs are "logits" and, if requested, "prediction.pcoderI",
 * "reconstruction.pcoderI" and "error.pcoderI" of the new representations. All results equal those of the
 * unrolled network.
 */
export function predictiveSteps(
  network: PredictiveNetwork,
  options: PredictiveStepOptions = {},
): SteppedModel {
  return {
    parameters: network.parameters,
    step: (batch) => traceStep(network, options, batch),
  };
}

function traceStep(network: PredictiveNetwork, options: PredictiveStepOptions, asked: Dim): StepGraph {
  const { backbone, pcoders } = network;
  const batch = typeof asked === "string" && isStatic(backbone.batch) ? backbone.batch : asked;
  const { hyperparameters = "inputs" } = options;
  const noise = backbone.noiseInputs(batch);
  const { pass, timestep } = network.step({ batch, hyperparameters, noise });
  const start: StateStart = network.options.randomInit === true ? { distribution: "normal" } : { value: 0 };
  const state: Record<string, StepState> = {};
  const readouts: Record<string, Tensor> = { logits: pass.logits };
  pass.representations.forEach((next, i) => {
    const pcoder = `pcoder${i + 1}`;
    state[stateName(i + 1)] = { next, start };
    if (options.predictions) readouts[`prediction.${pcoder}`] = pass.predictions[i]!.prediction;
    if (options.reconstructions) readouts[`reconstruction.${pcoder}`] = pass.reconstructions[i]!;
    if (options.errors) readouts[`error.${pcoder}`] = pass.predictions[i]!.error;
  });
  if (timestep !== undefined) state[TIMESTEP] = { next: add(timestep, 1), start: { value: 0 } };
  for (const [name, { tensor, kind }] of backbone.noise) {
    const drawn: StateStart =
      kind === "normal" ? { distribution: kind } : { distribution: kind, range: [0, 1] };
    state[name] = { next: noise.get(tensor)!, start: drawn };
  }
  const defaults = HYPERPARAMETER_INPUTS.map(
    (name) => [name, pcoders.map((pcoder) => pcoder.hyperparameters[name])] as const,
  );
  return {
    state,
    readouts,
    defaults: hyperparameters === "inputs" ? Object.fromEntries(defaults) : {},
    checkInputs: (values) => {
      if (hyperparameters === "inputs") checkSets(values, pcoders.length);
    },
  };
}

function checkSets(values: Readonly<Record<string, TensorData>>, count: number): void {
  for (let i = 0; i < count; i++) {
    const [feedforward, feedback, error] = HYPERPARAMETER_INPUTS.map((name) =>
      Number(values[name]?.data[i] ?? 0),
    ) as [number, number, number];
    checkHyperparameters({ feedforward, feedback, error }, `PCoder ${i + 1}`);
  }
}
