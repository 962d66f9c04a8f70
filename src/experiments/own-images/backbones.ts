import { input, lower, writeOnnx } from "../../graph/index.js";
import type { Tensor } from "../../graph/index.js";
import type { ImportedModel } from "../../graph/onnx/read/read.js";
import { readOnnx } from "../../graph/onnx/read/read.js";
import { initialState, namedParameters } from "../../nn/module.js";
import { asConstants } from "../../nn/training-state.js";
import { NOISE, RecognitionNetwork } from "../../systems/akorn/index.js";
import { EfficientNet, ResNet, Vgg } from "../../systems/baselines/index.js";
import { IMAGES } from "../../data/dataset.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import type { ModelDescription } from "../../train/model-description.js";
import { modelMetadata, noiseInputs } from "../../train/model-description.js";
import { LOGITS } from "../../train/with-head.js";
import { checkOneOf } from "../../util/check.js";
import { Random } from "../../util/random.js";
import type { BackboneName } from "./choices.js";
import { BACKBONES } from "./choices.js";

/** Settings of a network that is trained from its beginning. */
export interface BackboneSettings {
  readonly classes: number;
  /** Height and width of the images in pixels. */
  readonly size: number;
  /** Factor of the numbers of channels. Default 1. */
  readonly width?: number;
  /** Random seed of the initial weights. */
  readonly seed: number;
}

/** A network before its weights have values. */
interface Untrained {
  readonly network: object;
  /** Calls the network on images [batch, 3, size, size]. */
  readonly logits: (images: Tensor) => Tensor;
  readonly description?: ModelDescription;
}

type Builder = (settings: BackboneSettings) => Untrained;

const plain = (network: { forward(images: Tensor): Tensor }): Untrained => ({
  network,
  logits: (images) => network.forward(images),
});

const resnet =
  (depth: 18 | 34 | 50): Builder =>
  ({ classes, size, width = 1 }) => {
    const stem = size <= 40 ? "small" : size <= 96 ? "tiny-imagenet" : "imagenet";
    return plain(new ResNet({ depth, classes, width, stem }));
  };
const vgg =
  (depth: 11 | 13 | 16): Builder =>
  ({ classes, size, width = 1 }) =>
    plain(
      new Vgg({
        depth,
        classes,
        width,
        batchNorm: true,
        // Small images leave few positions, for which the hidden layers of the paper would be out of proportion.
        ...(size < 128 && { grid: 1, hidden: Math.round(512 * width) }),
      }),
    );

const BUILDERS = {
  resnet18: resnet(18),
  resnet34: resnet(34),
  resnet50: resnet(50),
  vgg11: vgg(11),
  vgg13: vgg(13),
  vgg16: vgg(16),
  "efficientnet-b0": ({ classes, width = 1 }) => plain(new EfficientNet({ classes, width })),
  akorn: ({ classes, size, width = 1 }) => {
    const channels = Math.max(8, 4 * Math.round(16 * width));
    const network = new RecognitionNetwork({ classes, channels, imageSize: size });
    const noise = network.noiseInput("batch");
    return {
      network,
      logits: (images) => network.forward({ images, noise }).logits,
      // The network itself maps pixels to [-1, 1].
      description: {
        preprocessing: PREPROCESSINGS.unit,
        noise: { [NOISE]: { distribution: "normal", shape: noise.shape } },
        system: "AKOrN",
      },
    };
  },
} satisfies Readonly<Record<BackboneName, Builder>>;

/** Whether a name is one of {@link BACKBONES}. */
export function isBackbone(name: string): name is BackboneName {
  return Object.hasOwn(BUILDERS, name);
}

/**
 * A network with random weights as an imported model, so that V1, oscillators and predictive feedback can be added to it
 * as to a network from a file. Its images are the input "images", [batch, 3, size, size], and its output is "logits",
 * [batch, classes].
 *
 * @throws StriateError for an unknown name, and for images that are too small for the network
 */
export function freshBackbone(name: BackboneName, settings: BackboneSettings): ImportedModel {
  checkOneOf("network", name, BACKBONES);
  const build: Builder = BUILDERS[name];
  const { network, logits, description = {} } = build(settings);
  const parameters = namedParameters(network);
  const outputs = { [LOGITS]: logits(input(IMAGES, ["batch", 3, settings.size, settings.size])) };
  const values = initialState(parameters, (key) => Random.derive(settings.seed, "initial", key));
  const { noise = {} } = description;
  const kinds = Object.fromEntries(Object.entries(noise).map(([key, one]) => [key, one.distribution]));
  const { bytes } = writeOnnx(lower(outputs, "portable"), {
    values: asConstants(values),
    metadata: modelMetadata({ ...description, noise: noiseInputs(outputs, kinds) }),
  });
  return readOnnx(bytes, { what: name });
}
