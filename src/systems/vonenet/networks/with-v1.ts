import { changedModel } from "../../../graph/onnx/changed-model.js";
import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import type { Tensor, TensorData, WrittenOnnx } from "../../../graph/index.js";
import { lower, parameter, showShape, topologicalOrder, writeOnnx } from "../../../graph/index.js";
import { substitute } from "../../../graph/substitute.js";
import { inputsOf } from "../../../graph/topological-order.js";
import type { NamedParameters, State } from "../../../nn/module.js";
import { initialState } from "../../../nn/module.js";
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
import { checkPositive } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import { retinaMetadata } from "../subcortical/retina-metadata.js";
import type { SubcorticalBlock } from "../subcortical/subcortical-block.js";
import {
  bottleneckOutputs,
  bottleneckStart,
  checkFrontEnd,
  frontEndFeatures,
  frontEndInputs,
  frontEndNoise,
  frontEndPreprocessing,
} from "./front-end.js";
import { v1Metadata } from "../v1/v1-metadata.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** Options of `withV1`. */
export interface WithV1Options {
  /** V1. Behind a retina, it has as many `channels` as the retina. */
  readonly block: VOneBlock;
  /**
   * Retina and thalamus before V1, for images of the same size and visual angle (EVNet, Piper et al. 2025).
   * Default: none.
   */
  readonly retina?: SubcorticalBlock;
  /** Whether the retina's responses also bypass V1, as additional channels beside the bottleneck's. Default false. */
  readonly lgnToV2?: boolean;
  /**
   * Name in the file of the value that V1 and the bottleneck replace, usually the output of the model's own
   * first stage. Default: the input for images, so that V1 comes before the whole model.
   */
  readonly replaces?: string;
  /** Name of the model's input for images. It is required if several inputs could be images. */
  readonly images?: string;
  /** Random seed for the bottleneck's initial values. Default 0. */
  readonly seed?: number;
  /**
   * Factor by which the bottleneck's initial values are multiplied. The default, 1, is that of the authors'
   * code and suits a network with batch normalisation after the bottleneck. V1's responses are around 10, so
   * a network whose normalisation has been merged into its weights needs 0.05 or less.
   */
  readonly gain?: number;
}

/** An imported network with V1 in front. */
export interface V1Network {
  readonly block: VOneBlock;
  /** Retina and thalamus before V1, if there are any. */
  readonly retina: SubcorticalBlock | undefined;
  /**
   * The input for images, [batch, 3, size, size] with values in [-1, 1], or in [0, 1] for a retina that adapts
   * to light. It has the name of the model's own input.
   */
  readonly images: Tensor;
  /**
   * The kind of each noise input by name: those of the model, and "retina:noise" and "v1:noise" if these
   * stages have noise.
   */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** The description for the metadata of files: the model's own, but with the preprocessing that V1 needs. */
  readonly description: ModelDescription;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /**
   * The bottleneck's weight, and those parameters of the model that are still used. The latter are trainable
   * or not, as before.
   */
  readonly parameters: NamedParameters;
  /** The values of these parameters, with the bottleneck's weight at its initial value. */
  readonly values: State;
  /**
   * The same network as an imported model, for further changes such as a Kuramoto layer. Its metadata describe V1 and
   * the retina.
   */
  readonly model: ImportedModel;
}

/** Name of the bottleneck's weight, the learned 1 x 1 convolution from V1 to the model. */
export const BOTTLENECK = "bottleneck.weight";

/**
 * Puts V1 into a network from an ONNX file, in place of the network's first stage or before the whole network
 * (Dapello et al. 2020). A bottleneck connects V1 to the network; it is a 1 x 1 convolution [channels, cells,
 * 1, 1] without bias, normalisation or ReLU. The bottleneck has to be learned, so the network needs
 * fine-tuning. With `retina`, retina and thalamus come before V1 (Piper et al. 2025).
 *
 * @throws StriateError if the model has no value or input with a given name, if the height and width of V1's
 * responses differ from those of the value that they replace, or if V1 does not take what the retina gives.
 * @example
 * ```ts
 * import { loadOnnx } from "striate/node";
 * import { VOneBlock, sampleReceptiveFields, withV1, writeV1Network } from "striate/vonenet";
 *
 * const fields = sampleReceptiveFields({ variant: "biol" });
 * const block = new VOneBlock({ fields, imageSize: 64, visualDegrees: 2 });
 * const network = withV1(await loadOnnx("classifier.onnx"), { block });
 * const { bytes } = writeV1Network(network);
 * ```
 */
export function withV1(model: ImportedModel, options: WithV1Options): V1Network {
  const { block, retina, replaces, seed = 0, gain = 1 } = options;
  checkFrontEnd(options);
  const ownDescription = describeModel(model.metadata, "withV1");
  const drawn = inputRoles(model, ownDescription, "withV1").noise;
  const [imageName, modelImages] = imageInput(model, options.images, drawn);
  const replaced = replaces === undefined ? modelImages : model.values.get(replaces);
  check(replaced, () => `withV1: the model has no value "${replaces!}"`);
  const channels = checkFits(replaced, block, replaces ?? imageName);

  const inputs = frontEndInputs(options, modelImages.shape[0]!, imageName);
  checkPositive("withV1: gain", gain);
  const start = bottleneckStart(options);
  const weight = parameter(
    [bottleneckOutputs(options, channels), block.cells, 1, 1],
    (shape, random) => start(shape, random).map((value) => gain * value),
    { name: BOTTLENECK },
  );
  check(!model.parameters.has(BOTTLENECK), () => `withV1: the model already has a parameter "${BOTTLENECK}"`);
  const features = frontEndFeatures(options, inputs, weight);
  const replacements = new Map([[replaced, features]]);
  const outputs = substitute(model.outputs, replacements);

  const leaves = new Set(
    topologicalOrder(Object.values(outputs)).flatMap((node) => (node.leaf ? node.outputs : [])),
  );
  check(leaves.has(weight), () => `withV1: no output of the model depends on "${replaces ?? imageName}"`);
  check(
    !leaves.has(modelImages),
    () =>
      `withV1: some paths from the images to the model's outputs bypass "${replaces!}": name a value through which all paths go`,
  );
  const noise: Record<string, NoiseKind> = { ...drawn, ...frontEndNoise(options) };
  const usedParameters = [...model.parameters].filter(([, { tensor }]) => leaves.has(tensor));
  const bottleneck: NamedParameters = new Map([[BOTTLENECK, weight]]);
  const description: ModelDescription = {
    ...ownDescription,
    preprocessing: frontEndPreprocessing(options),
    noise: noiseInputs(outputs, noise),
    system: retina ? "EVNet" : "VOneNet",
  };
  const initial = initialState(bottleneck, (name) => Random.derive(seed, name));
  return {
    block,
    retina,
    images: inputs.images,
    noise,
    description,
    outputs,
    parameters: new Map([
      ...bottleneck,
      ...usedParameters.map(([name, { tensor }]) => [name, tensor] as const),
    ]),
    values: new Map<string, TensorData>([
      ...initial,
      ...usedParameters.map(([name, { data }]) => [name, data] as const),
    ]),
    model: changedModel(model, {
      replacements,
      inputs: Object.fromEntries(inputsOf(Object.values(outputs))),
      parameters: new Map([[BOTTLENECK, { tensor: weight, data: initial.get(BOTTLENECK)! }]]),
      metadata: {
        ...withDescription(model.metadata, description),
        ...v1Metadata(block, { behindRetina: retina !== undefined }),
        ...(retina && retinaMetadata(retina)),
      },
    }),
  };
}

function imageInput(
  model: ImportedModel,
  name: string | undefined,
  noise: Readonly<Record<string, NoiseKind>>,
): readonly [string, Tensor] {
  const inputs = Object.entries(model.inputs).filter(([key]) => noise[key] === undefined);
  const found =
    name === undefined ? inputs.filter(([, { rank }]) => rank === 4) : inputs.filter(([key]) => key === name);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const names = inputs.map(([key, { shape }]) => `"${key}" ${showShape(shape)}`).join(", ");
    throw new StriateError(
      `withV1: expected one input for images${name === undefined ? "" : ` named "${name}"`}, got ${names}`,
    );
  }
  return first;
}

/**
 * Returns the number of channels of the value that V1 replaces. Throws `StriateError` if V1's responses do
 * not fit it.
 */
function checkFits({ shape, dtype }: Tensor, block: VOneBlock, name: string): number {
  const { outputSize, imageSize, stride } = block;
  const channels = shape[1];
  check(
    shape.length === 4 && typeof channels === "number" && dtype === "float32",
    () =>
      `withV1: "${name}": expected float32[batch, channels, height, width], got ${dtype}${showShape(shape)}`,
  );
  check(
    shape.slice(2).every((length) => typeof length === "string" || length === outputSize),
    () =>
      `withV1: "${name}": expected a height and width of ${outputSize} x ${outputSize}, as V1's responses have for images of ` +
      `${imageSize} pixels and stride ${stride}, got ${showShape(shape)}: choose another image size or stride`,
  );
  return channels;
}

/**
 * Writes a network with V1 as a standard ONNX file. The file's metadata describe every cell of V1 (under
 * `v1.*`), the retina if there is one (under `retina.*`), and the preprocessing of pixels.
 */
export function writeV1Network(network: V1Network, values: State = network.values): WrittenOnnx {
  return writeOnnx(lower(network.outputs, "portable"), {
    values: asConstants(values),
    metadata: {
      ...v1Metadata(network.block, { behindRetina: network.retina !== undefined }),
      ...(network.retina && retinaMetadata(network.retina)),
      ...modelMetadata(network.description),
    },
  });
}
