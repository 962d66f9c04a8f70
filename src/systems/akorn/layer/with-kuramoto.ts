import type { Tensor, WrittenOnnx } from "../../../graph/index.js";
import { input, lower, showShape, writeOnnx } from "../../../graph/index.js";
import { isStaticShape } from "../../../graph/dims.js";
import { changedModel } from "../../../graph/onnx/changed-model.js";
import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import { substitute } from "../../../graph/substitute.js";
import { scope } from "../../../graph/tensor.js";
import type { NamedParameters, State } from "../../../nn/module.js";
import { initialState, namedParameters } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { ModelDescription } from "../../../train/model-description.js";
import {
  describeModel,
  inputRoles,
  modelMetadata,
  noiseInputs,
  withDescription,
} from "../../../train/model-description.js";
import type { NoiseKind } from "../../../train/task.js";
import { StriateError, check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import { closest } from "../../../util/suggest.js";
import type { KuramotoLayerOptions, KuramotoTrace } from "./kuramoto-layer.js";
import { KuramotoLayer } from "./kuramoto-layer.js";
import { NOISE } from "./oscillators.js";
import { ReadOutConv } from "./readout.js";

/** Options of `withKuramoto`. */
export interface WithKuramotoOptions extends Omit<KuramotoLayerOptions, "channels"> {
  /** T, the number of Kuramoto steps. Default 8. */
  readonly steps?: number;
  /** The step size gamma. Default 1. */
  readonly stepSize?: number;
  /** Name of the new input for the initial oscillators, which are standard-normal draws. Default "noise". */
  readonly noise?: string;
  /** Random seed for the initial values of the new parameters. Default 0. */
  readonly seed?: number;
}

/** A model to which a Kuramoto layer has been added at one of its feature maps. */
export interface KuramotoModel {
  /** The model's inputs and the noise input. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The model's outputs, computed from the read-out instead of the feature map. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The read-out of the oscillators, in the feature map's shape. */
  readonly features: Tensor;
  readonly trace: KuramotoTrace;
  /** The new parameters, "kuramoto.*" and "readout.*". */
  readonly parameters: NamedParameters;
  /**
   * The values of the model's parameters under their own names, and the initial values of the new parameters.
   */
  readonly values: State;
  /** The kind of each noise input by name: the model's own noise inputs, and the initial oscillators. */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** The model's description for the metadata of files. It includes the new noise input. */
  readonly description: ModelDescription;
  /** The same network as an imported model, for further changes such as V1 in front. */
  readonly model: ImportedModel;
}

/**
 * Adds a Kuramoto layer to a model read from ONNX, at one of its feature maps. The feature map becomes the
 * stimulus of oscillators that start at random. A read-out of their last state replaces the feature map in
 * the rest of the model. The new parameters have to be trained.
 *
 * @param at name of a value or node in the file, of shape [batch, channels, height, width]
 * @throws StriateError if the file has no value or node of this name (the message suggests a similar name),
 * if the value is not a feature map of known size, or if the options do not fit it
 */
export function withKuramoto(model: ImportedModel, at: string, options: WithKuramotoOptions): KuramotoModel {
  const map = model.values.get(at) ?? model.nodes.get(at);
  if (map === undefined) {
    const near = closest(at, [...model.values.keys(), ...model.nodes.keys()]);
    const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
    throw new StriateError(`oscillators: the model has no value or node "${at}"${hint}`);
  }
  const { steps = 8, stepSize = 1, noise: noiseName = NOISE, seed = 0, ...layer } = options;
  check(
    map.rank === 4 && map.dtype === "float32" && isStaticShape(map.shape.slice(1)),
    () =>
      `oscillators: "${at}": expected a feature map [batch, channels, height, width] of known size, got ${map.dtype}${showShape(map.shape)}`,
  );
  check(
    model.inputs[noiseName] === undefined,
    () => `oscillators: the model already has an input "${noiseName}": choose another name for the noise`,
  );
  const channels = map.shape[1] as number;
  const kuramoto = new KuramotoLayer({ ...layer, channels });
  const readout = new ReadOutConv(channels, channels, kuramoto.n);
  const parameters = namedParameters({ kuramoto, readout });
  const noise = input(noiseName, map.shape);
  const trace = scope("oscillators", () => kuramoto.forward(noise, map, { steps, stepSize }));
  const features = readout.forward(trace.last);
  const replacements = new Map([[map, features]]);
  const outputs = substitute(model.outputs, replacements);
  const own = describeModel(model.metadata, "oscillators");
  const kinds = { ...inputRoles(model, own, "oscillators").noise, [noiseName]: "normal" } as const;
  const description = { ...own, noise: noiseInputs(outputs, kinds), system: "AKOrN" };
  const initial = initialState(parameters, (name) => Random.derive(seed, name));
  return {
    inputs: { ...model.inputs, [noiseName]: noise },
    outputs,
    features,
    trace,
    parameters,
    values: new Map([
      ...Array.from(model.parameters, ([name, { data }]) => [name, data] as const),
      ...initial,
    ]),
    noise: kinds,
    description,
    model: changedModel(model, {
      replacements,
      inputs: { [noiseName]: noise },
      parameters: new Map(
        Array.from(parameters, ([name, tensor]) => [name, { tensor, data: initial.get(name)! }]),
      ),
      metadata: withDescription(model.metadata, description),
    }),
  };
}

/**
 * Writes a model with oscillators as a standard ONNX file. The file's metadata describe what is needed to run
 * it.
 */
export function writeKuramotoModel(model: KuramotoModel, values: State = model.values): WrittenOnnx {
  const constants = { values: asConstants(values) };
  return writeOnnx(lower(model.outputs, "portable", constants), {
    ...constants,
    metadata: modelMetadata(model.description),
  });
}
