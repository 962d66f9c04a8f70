import type { Preprocessing } from "../../../data/images/preprocessing.js";
import { PREPROCESSINGS } from "../../../data/images/preprocessing.js";
import type { Dim, Tensor } from "../../../graph/index.js";
import { concat, conv, input, maxPool, scope } from "../../../graph/index.js";
import { kaimingNormal, uniform } from "../../../nn/init.js";
import type { Initialiser } from "../../../graph/index.js";
import type { NoiseKind } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import type { SubcorticalBlock } from "../subcortical/subcortical-block.js";
import { RETINA_NOISE } from "../subcortical/subcortical-block.js";
import type { VOneBlock } from "../v1/vone-block.js";
import { V1_NOISE } from "../v1/vone-block.js";

/** The fixed stages before a network: V1, and perhaps retina and thalamus before V1. */
export interface FrontEnd {
  readonly block: VOneBlock;
  readonly retina?: SubcorticalBlock | undefined;
  /**
   * Whether the responses of the retina also bypass V1. They then are the last channels of the features,
   * after max pooling to the positions of V1. Default false.
   */
  readonly lgnToV2?: boolean | undefined;
}

/** The inputs of a traced front end for a batch. */
export interface FrontEndInputs {
  readonly images: Tensor;
  /** Standard-normal draws by the name of their input; only for stages with noise. */
  readonly noise: Readonly<Record<string, Tensor>>;
}

/**
 * Throws `StriateError` unless V1 takes the responses of the retina: as many channels, the same image size
 * and the same resolution.
 */
export function checkFrontEnd({ block, retina, lgnToV2 = false }: FrontEnd): void {
  if (retina === undefined) {
    check(
      !lgnToV2 && block.channels === 3,
      () =>
        `V1: expected a retina with ${block.channels} channels before V1${lgnToV2 ? " for lgnToV2" : ""}, got none`,
    );
    return;
  }
  check(
    block.channels === retina.channels,
    () =>
      `V1 behind a retina: expected V1 with ${retina.channels} channels (${retina.p} P and ${retina.m} M cells), ` +
      `got ${block.channels}: pass \`channels: ${retina.channels}\` to V1 and draw colours for as many channels`,
  );
  const shown = (stage: SubcorticalBlock | VOneBlock) =>
    `${stage.imageSize} pixels at ${stage.pixelsPerDegree} pixels per degree`;
  check(
    block.imageSize === retina.imageSize && block.pixelsPerDegree === retina.pixelsPerDegree,
    () => `V1 behind a retina: expected ${shown(retina)}, as the retina has, got ${shown(block)}`,
  );
  const pooled =
    Math.floor((retina.imageSize - 1 + poolPadding(block) * 2 - block.stride) / block.stride) + 1;
  check(
    !lgnToV2 || pooled === block.outputSize,
    () =>
      `lgnToV2: expected an even stride of V1, so that pooling gives its ${block.outputSize} positions, ` +
      `got ${block.stride}, which gives ${pooled}`,
  );
}

const poolPadding = ({ stride }: VOneBlock): number => (stride + 1) >> 1;

/** The stages that have inputs: a retina, V1, or both. */
type Stages = { readonly [K in "block" | "retina"]?: FrontEnd[K] | undefined };

/** Makes the inputs of a front end. Images have the name `name`. */
export function frontEndInputs({ block, retina }: Stages, batch: Dim, name: string): FrontEndInputs {
  const { imageSize } = (retina ?? block)!;
  // Files list their inputs in the order in which they are made.
  const images = input(name, [batch, retina?.colours ?? 3, imageSize, imageSize]);
  const drawn = [
    [RETINA_NOISE, retina?.noiseInput(batch)],
    [V1_NOISE, block?.noiseInput(batch)],
  ] as const;
  const noise = drawn.flatMap(([key, tensor]) => (tensor ? [[key, tensor] as const] : []));
  return { images, noise: Object.fromEntries(noise) };
}

/** The kind of each noise input of a front end. */
export function frontEndNoise({ block, retina }: Stages): Record<string, NoiseKind> {
  return {
    ...(retina?.noise && { [RETINA_NOISE]: "normal" as const }),
    ...(block?.noise && { [V1_NOISE]: "normal" as const }),
  };
}

/**
 * The features for the network behind a front end: V1 and the bottleneck `weight` [outputs, cells, 1, 1], and
 * with `lgnToV2` the pooled responses of the retina. Pooling takes the largest value of stride + 1 pixels
 * along each axis; positions outside the image do not count.
 */
export function frontEndFeatures(frontEnd: FrontEnd, inputs: FrontEndInputs, weight: Tensor): Tensor {
  const { block, retina, lgnToV2 = false } = frontEnd;
  const { images, noise } = inputs;
  const seen = retina ? retina.forward(images, noise[RETINA_NOISE]) : images;
  const responses = block.forward(seen, noise[V1_NOISE]);
  const features = scope("bottleneck", () => conv(responses, weight));
  if (!lgnToV2) return features;
  const { stride } = block;
  return concat([features, maxPool(seen, stride + 1, { stride, padding: poolPadding(block) })], 1);
}

/** Number of outputs of the bottleneck, if the network behind it takes `features` channels. */
export function bottleneckOutputs({ retina, lgnToV2 = false }: FrontEnd, features: number): number {
  if (!lgnToV2) return features;
  check(
    features > retina!.channels,
    () =>
      `lgnToV2: expected a network with more than ${retina!.channels} input channels, of which the retina takes ` +
      `${retina!.channels}, got ${features}`,
  );
  return features - retina!.channels;
}

/**
 * The published initial values of a bottleneck: normal with standard deviation sqrt(2 / outputs) behind V1
 * alone (Dapello et al. 2020), and uniform within 1 / sqrt(cells) of 0 behind a retina (Piper et al. 2025).
 */
export function bottleneckStart({ block, retina }: FrontEnd): Initialiser {
  if (retina === undefined) return kaimingNormal({ mode: "fanOut" });
  const bound = 1 / Math.sqrt(block.cells);
  return uniform(-bound, bound);
}

/** The preprocessing of images for a front end. */
export function frontEndPreprocessing({ retina }: FrontEnd): Preprocessing {
  return retina === undefined || retina.lightAdaptation === "none"
    ? PREPROCESSINGS.symmetric
    : PREPROCESSINGS.unit;
}
