import type { Tensor, WrittenOnnx } from "../../../graph/index.js";
import { input, lower, showShape, writeOnnx } from "../../../graph/index.js";
import { isStaticShape } from "../../../graph/dims.js";
import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import { substitute } from "../../../graph/substitute.js";
import { scope } from "../../../graph/tensor.js";
import type { NamedParameters, State } from "../../../nn/module.js";
import { initialState, namedParameters } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { ModelDescription } from "../../../train/model-description.js";
import { describeModel, inputRoles, modelMetadata, noiseInputs } from "../../../train/model-description.js";
import type { NoiseKind } from "../../../train/task.js";
import { StriateError, check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import { closest } from "../../../util/suggest.js";
import type { KuramotoLayerOptions, KuramotoTrace } from "./kuramoto-layer.js";
import { KuramotoLayer } from "./kuramoto-layer.js";
import { NOISE } from "./oscillators.js";
import { ReadOutConv } from "./readout.js";

/** What the Kuramoto layer is like that `withKuramoto` puts into a model. */
export interface WithKuramotoOptions extends Omit<KuramotoLayerOptions, "channels"> {
  /** T. Default 8. */
  readonly steps?: number;
  /** gamma. Default 1. */
  readonly stepSize?: number;
  /** Name of the new input for the oscillators at the start, standard normal. Default "noise". */
  readonly noise?: string;
  /** Of the new parameters' first values. Default 0. */
  readonly seed?: number;
}

/** A model with oscillators on one of its feature maps. */
export interface KuramotoModel {
  /** The model's inputs and the noise. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The model's outputs, with the read-out in the feature map's place. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** The read-out of the oscillators, of the feature map's shape. */
  readonly features: Tensor;
  readonly trace: KuramotoTrace;
  /** The new parameters, "kuramoto.*" and "readout.*"; the model's own keep their names and values. */
  readonly parameters: NamedParameters;
  /** The model's values, and first ones of the new parameters. */
  readonly values: State;
  /** Inputs that stand for randomness: the model's own, and the oscillators at the start. */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** What files say of it: the model's own description, and the noise. */
  readonly description: ModelDescription;
}

/**
 * Puts oscillators on a feature map of a model that was read from ONNX: the map is their stimulus, they start at random,
 * and a read-out of their last states takes the map's place in all that follows. The new parameters are to be trained.
 *
 * @param at name of a value or node of the file, [batch, channels, height, width]
 * @throws StriateError for a name that the file does not hold (with the nearest one), for a value that is no feature map of
 * known size, and for options that do not fit it
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
      `oscillators: "${at}" is ${map.dtype}${showShape(map.shape)}: expected a feature map [batch, channels, height, width] of known size`,
  );
  check(
    model.inputs[noiseName] === undefined,
    () => `oscillators: the model has an input "${noiseName}" already: name the noise otherwise`,
  );
  const channels = map.shape[1] as number;
  const kuramoto = new KuramotoLayer({ ...layer, channels });
  const readout = new ReadOutConv(channels, channels, kuramoto.n);
  const parameters = namedParameters({ kuramoto, readout });
  const noise = input(noiseName, map.shape);
  const trace = scope("oscillators", () => kuramoto.forward(noise, map, { steps, stepSize }));
  const features = readout.forward(trace.last);
  const outputs = substitute(model.outputs, new Map([[map, features]]));
  const own = describeModel(model.metadata, "oscillators");
  const kinds = { ...inputRoles(model, own, "oscillators").noise, [noiseName]: "normal" } as const;
  return {
    inputs: { ...model.inputs, [noiseName]: noise },
    outputs,
    features,
    trace,
    parameters,
    values: new Map([
      ...Array.from(model.parameters, ([name, { data }]) => [name, data] as const),
      ...initialState(parameters, (name) => Random.derive(seed, name)),
    ]),
    noise: kinds,
    description: { ...own, noise: noiseInputs(outputs, kinds), system: "AKOrN" },
  };
}

/** A model with oscillators as a standard ONNX file, which says of itself what must be known to run it. */
export function writeKuramotoModel(model: KuramotoModel, values: State = model.values): WrittenOnnx {
  const constants = { values: asConstants(values) };
  return writeOnnx(lower(model.outputs, "portable", constants), {
    ...constants,
    metadata: modelMetadata(model.description),
  });
}
