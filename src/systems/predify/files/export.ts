import type { Preprocessing } from "../../../data/images/preprocessing.js";
import type { Target, Tensor, WrittenOnnx } from "../../../graph/index.js";
import { lower, writeOnnx } from "../../../graph/index.js";
import type { Dim } from "../../../graph/index.js";
import type { ModelDescription } from "../../../train/model-description.js";
import { inputNames, modelMetadata, noiseInputs } from "../../../train/model-description.js";
import { describeStep, stepOutputs } from "../../../train/step-graph.js";
import { HYPERPARAMETER_INPUTS } from "../core/hyperparameters.js";
import type { State } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { PredictiveNetwork } from "../core/network.js";
import type { PredictiveStepOptions } from "../core/steps.js";
import { predictiveSteps } from "../core/steps.js";
import type { AnswerOptions } from "../core/options.js";
import { answers, noiseOf } from "../training/tasks.js";
import { checkValues } from "../core/values.js";

interface WriteOptions {
  /**
   * Batch size: a number, or a name if it may vary. Default: as in the backbone's file, in which it usually
   * may vary.
   */
  readonly batch?: Dim;
  /**
   * Whether beta, lambda and alpha are graph inputs with one value for each PCoder ("inputs", default) or
   * constants of the file.
   */
  readonly hyperparameters?: "inputs" | "constants";
  /** The device for which the graph is lowered. Default "portable", which uses standard operators only. */
  readonly target?: Target;
  /**
   * How pixels are prepared for the network, as the file's metadata will state it. Default: as in the
   * backbone's file.
   */
  readonly preprocessing?: Preprocessing | undefined;
}

/** Options of `writeUnrolled`, which select its outputs and the form of the file. */
export type UnrolledOptions = AnswerOptions & WriteOptions;

/**
 * Writes all timesteps as one ONNX graph. Its inputs are the image (under the name that it has in the
 * backbone); "feedforward", "feedback" and "error" with one value for each PCoder, unless they are constants;
 * and "prior" and "representation.pcoderI" if the network has them. Its outputs are "logits" [timesteps + 1,
 * ...output shape] and those that `options` request. The last pass runs the decoders only if a requested
 * output depends on them.
 */
export function writeUnrolled(
  network: PredictiveNetwork,
  values: State,
  options: UnrolledOptions,
): WrittenOnnx {
  const { timesteps } = options;
  const outputs = answers(network.unroll(timesteps, options), options);
  return write(
    network,
    values,
    outputs,
    options,
    { form: "unrolled", timesteps },
    {
      noise: noiseInputs(outputs, noiseOf(network)),
      inputs: hyperparameterDefaults(network, outputs),
      timesteps: { output: "logits", count: timesteps + 1 },
    },
  );
}

/**
 * Writes one timestep as an ONNX graph, for streams and browsers. The graph maps the state to the next state
 * and the outputs; see {@link predictiveSteps}. Its other inputs are the image; "feedforward", "feedback" and
 * "error" with one value for each PCoder, unless they are constants; and "prior" if the network has one.
 */
export function writeStep(
  network: PredictiveNetwork,
  values: State,
  options: WriteOptions & PredictiveStepOptions = {},
): WrittenOnnx {
  const graph = predictiveSteps(network, options).step(options.batch ?? network.backbone.batch);
  const description = describeStep(graph, values);
  return write(network, values, stepOutputs(graph), options, { form: "step" }, description);
}

function write(
  network: PredictiveNetwork,
  values: State,
  outputs: Record<string, Tensor>,
  { target = "portable", preprocessing = network.backbone.preprocessing }: WriteOptions,
  about: { readonly form: "step" } | { readonly form: "unrolled"; readonly timesteps: number },
  description: ModelDescription,
): WrittenOnnx {
  checkValues(network, values);
  const pcoders = network.pcoders.map(({ cut, hyperparameters, shape, target: predicted }) => ({
    after: cut.name,
    shape,
    predicts: predicted,
    ...hyperparameters,
  }));
  const { classes, labels } = network.backbone.description;
  const metadata = {
    ...modelMetadata({
      preprocessing,
      ...description,
      ...(classes && { classes }),
      ...(labels && { labels }),
      system: "Predify",
    }),
    predify: JSON.stringify({ name: network.options.name ?? "network", ...about, pcoders }),
  };
  const constants = { values: asConstants(values) };
  return writeOnnx(lower(outputs, target, constants), { ...constants, metadata, name: "predify" });
}

/**
 * Returns the default values of the graph inputs for hyper-parameters, which are the network's beta, lambda
 * and alpha.
 */
function hyperparameterDefaults(
  { pcoders }: PredictiveNetwork,
  outputs: Readonly<Record<string, Tensor>>,
): Record<string, readonly number[]> {
  const present = inputNames(outputs);
  const names = HYPERPARAMETER_INPUTS.filter((name) => present.has(name));
  return Object.fromEntries(
    names.map((name) => [name, pcoders.map(({ hyperparameters }) => hyperparameters[name])]),
  );
}
