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
import type { AnswerOptions } from "../training/tasks.js";
import { answers, noiseOf } from "../training/tasks.js";
import { checkValues } from "../core/values.js";

interface WriteOptions {
  /** Images at once (default: as the backbone's file has it, usually any number). */
  readonly batch?: Dim;
  /** Whether beta, lambda and alpha are graph inputs of one value for each PCoder (default), or written into the file. */
  readonly hyperparameters?: "inputs" | "constants";
  /** Default "portable": standard operators only. */
  readonly target?: Target;
  /** How pixels reach the network, for the file's metadata. Default: what the backbone's file says. */
  readonly preprocessing?: Preprocessing | undefined;
}

/** What `writeUnrolled` puts into its graph and its file. */
export type UnrolledOptions = AnswerOptions & WriteOptions;

/**
 * All timesteps as one ONNX graph. Inputs: the image (under the backbone's name), "feedforward", "feedback" and "error"
 * [PCoders] unless constants, "prior" and "representation.pcoderI" where the network has them. Outputs: "logits"
 * [timesteps + 1, ...answer], and what else is asked for. The last pass does no decoder work unless it is asked for.
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
 * One timestep as an ONNX graph, for streams and browsers: state in, state and answers out, see {@link predictiveSteps}.
 * Inputs: the image, "feedforward", "feedback" and "error" [PCoders] unless constants, "prior" where the network has one.
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

/** The network's own beta, lambda and alpha, for those that are inputs of a graph. */
function hyperparameterDefaults(
  { pcoders }: PredictiveNetwork,
  outputs: Readonly<Record<string, Tensor>>,
): Record<string, readonly number[]> {
  const present = inputNames(outputs);
  const own = HYPERPARAMETER_INPUTS.filter((name) => present.has(name));
  return Object.fromEntries(
    own.map((name) => [name, pcoders.map(({ hyperparameters }) => hyperparameters[name])]),
  );
}
