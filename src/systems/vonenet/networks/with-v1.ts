import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import type { Tensor, TensorData, WrittenOnnx } from "../../../graph/index.js";
import {
  conv,
  input,
  lower,
  parameter,
  scope,
  showShape,
  topologicalOrder,
  writeOnnx,
} from "../../../graph/index.js";
import { substitute } from "../../../graph/substitute.js";
import { kaimingNormal } from "../../../nn/init.js";
import type { NamedParameters, State } from "../../../nn/module.js";
import { initialState } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { ModelDescription } from "../../../train/model-description.js";
import { describeModel, inputRoles, modelMetadata, noiseInputs } from "../../../train/model-description.js";
import type { NoiseKind } from "../../../train/task.js";
import { checkPositive } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import { V1_PREPROCESSING } from "./recipe.js";
import { v1Metadata } from "../v1/v1-metadata.js";
import { V1_NOISE } from "../v1/vone-block.js";
import type { VOneBlock } from "../v1/vone-block.js";

/** Options of `withV1`. */
export interface WithV1Options {
  readonly block: VOneBlock;
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
  /**
   * The input for images, [batch, 3, size, size] with values in [-1, 1]. It has the name of the model's own
   * input.
   */
  readonly images: Tensor;
  /** The kind of each noise input by name: those of the model, and "v1:noise" if the block has noise. */
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
}

/** Name of the bottleneck's weight, the learned 1 x 1 convolution from V1 to the model. */
export const BOTTLENECK = "bottleneck.weight";

/**
 * Puts V1 into a network from an ONNX file, in place of the network's first stage or before the whole network
 * (Dapello et al. 2020). A bottleneck connects V1 to the network; it is a 1 x 1 convolution [channels, cells,
 * 1, 1] without bias, normalisation or ReLU. The bottleneck has to be learned, so the network needs
 * fine-tuning.
 *
 * @throws StriateError if the model has no value or input with a given name, or if the height and width of
 * V1's responses differ from those of the value that they replace.
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
  const { block, replaces, seed = 0, gain = 1 } = options;
  const ownDescription = describeModel(model.metadata, "withV1");
  const drawn = inputRoles(model, ownDescription, "withV1").noise;
  const [imageName, modelImages] = imageInput(model, options.images, drawn);
  const replaced = replaces === undefined ? modelImages : model.values.get(replaces);
  check(replaced, () => `withV1: the model has no value "${replaces!}"`);
  const channels = checkFits(replaced, block, replaces ?? imageName);

  const images = input(imageName, [modelImages.shape[0]!, 3, block.imageSize, block.imageSize]);
  checkPositive("withV1: gain", gain);
  const start = kaimingNormal({ mode: "fanOut" });
  const weight = parameter(
    [channels, block.cells, 1, 1],
    (shape, random) => start(shape, random).map((value) => gain * value),
    { name: BOTTLENECK },
  );
  check(!model.parameters.has(BOTTLENECK), () => `withV1: the model already has a parameter "${BOTTLENECK}"`);
  const responses = block.forward(images, block.noiseInput(modelImages.shape[0]!));
  const features = scope("bottleneck", () => conv(responses, weight));
  const outputs = substitute(model.outputs, new Map([[replaced, features]]));

  const leaves = new Set(
    topologicalOrder(Object.values(outputs)).flatMap((node) => (node.leaf ? node.outputs : [])),
  );
  check(leaves.has(weight), () => `withV1: no output of the model depends on "${replaces ?? imageName}"`);
  check(
    !leaves.has(modelImages),
    () =>
      `withV1: some paths from the images to the model's outputs bypass "${replaces!}": name a value through which all paths go`,
  );
  const noise: Record<string, NoiseKind> = {
    ...drawn,
    ...(block.noise !== undefined && { [V1_NOISE]: "normal" }),
  };
  const usedParameters = [...model.parameters].filter(([, { tensor }]) => leaves.has(tensor));
  const bottleneck: NamedParameters = new Map([[BOTTLENECK, weight]]);
  return {
    block,
    images,
    noise,
    description: {
      ...ownDescription,
      preprocessing: V1_PREPROCESSING,
      noise: noiseInputs(outputs, noise),
      system: "VOneNet",
    },
    outputs,
    parameters: new Map([
      ...bottleneck,
      ...usedParameters.map(([name, { tensor }]) => [name, tensor] as const),
    ]),
    values: new Map<string, TensorData>([
      ...initialState(bottleneck, (name) => Random.derive(seed, name)),
      ...usedParameters.map(([name, { data }]) => [name, data] as const),
    ]),
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
 * Writes a network with V1 as a standard ONNX file. The file's metadata describe every cell (under `v1.*`)
 * and the preprocessing of pixels.
 */
export function writeV1Network(network: V1Network, values: State = network.values): WrittenOnnx {
  return writeOnnx(lower(network.outputs, "portable"), {
    values: asConstants(values),
    metadata: { ...v1Metadata(network.block), ...modelMetadata(network.description) },
  });
}
