import type { Tensor } from "../../../graph/index.js";
import { add, mean, parameter, relu, reshape, scope, transpose } from "../../../graph/index.js";
import { truncatedNormal } from "../../../nn/init.js";
import { MultiHeadAttention } from "../../../nn/layers/attention.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { Dropout } from "../../../nn/layers/dropout.js";
import type { TrainingPass } from "../../../nn/layers/layer.js";
import { Linear } from "../../../nn/layers/linear.js";
import { LayerNorm } from "../../../nn/layers/normalisation.js";
import { checkMultiple, checkOneOf, checkShape } from "../../../util/check.js";

/** Options of `TransformerBaseline`. */
export interface TransformerBaselineOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Side of the square images in pixels, a multiple of `patch`. Default 32. */
  readonly imageSize?: number;
  /** Default 1. */
  readonly inChannels?: number;
  /** Side of a patch in pixels. Default 4. */
  readonly patch?: number;
  /** Channels of a token. Default 64. */
  readonly width?: number;
  /** Default 3. */
  readonly layers?: number;
  /** Default 2. */
  readonly heads?: number;
  /** Number of hidden units in the feed-forward part of each layer. Default 128. */
  readonly feedForward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /**
   * The axis of attention. With `"token"` (default), the patches of one image attend to each other. With
   * `"batch"`, which the authors' code does, the patches at one position in all images of a batch attend to
   * each other. The logits of an image then depend on the rest of the batch.
   */
  readonly attentionAxis?: "token" | "batch";
}

/**
 * Transformer encoder layer with post-normalisation (Vaswani et al. 2017) for tensors [sequences, tokens,
 * width]. Dropout follows the attention, the ReLU and the feed-forward part.
 */
class EncoderLayer {
  readonly attention: MultiHeadAttention;
  readonly attentionNorm: LayerNorm;
  readonly expand: Linear;
  readonly contract: Linear;
  readonly feedForwardNorm: LayerNorm;
  readonly #dropout: Dropout;

  constructor({ width, heads, feedForward, dropout }: Required<TransformerBaselineOptions>) {
    this.attention = new MultiHeadAttention(width, heads);
    this.attentionNorm = new LayerNorm(width);
    this.expand = new Linear(width, feedForward);
    this.contract = new Linear(feedForward, width);
    this.feedForwardNorm = new LayerNorm(width);
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    const drop = (value: Tensor) => this.#dropout.forward(value, pass);
    const attended = this.attentionNorm.forward(add(x, drop(this.attention.forward(x))));
    const hidden = drop(relu(this.expand.forward(attended)));
    return this.feedForwardNorm.forward(add(attended, drop(this.contract.forward(hidden))));
  }
}

/**
 * The small transformer baseline for KomplexNet (TMLR 2025). Its tokens are patches with learned position
 * codes. It has no class token; the read-out classifies the mean over tokens.
 */
export class TransformerBaseline {
  readonly positions: Tensor;
  readonly patches: Conv2d;
  readonly layers: readonly EncoderLayer[];
  readonly readout: Linear;
  readonly config: Required<TransformerBaselineOptions>;

  constructor(options: TransformerBaselineOptions = {}) {
    const config = {
      classes: 10,
      imageSize: 32,
      inChannels: 1,
      patch: 4,
      width: 64,
      layers: 3,
      heads: 2,
      feedForward: 128,
      dropout: 0.1,
      attentionAxis: "token",
      ...options,
    } as const;
    const { classes, imageSize, inChannels, patch, width, attentionAxis } = config;
    checkOneOf("attentionAxis", attentionAxis, ["token", "batch"]);
    checkMultiple("transformer: imageSize", imageSize, patch);
    this.config = config;
    this.positions = parameter([1, (imageSize / patch) ** 2, width], truncatedNormal(0, 0.02));
    this.patches = new Conv2d(inChannels, width, patch, { stride: patch });
    this.layers = Array.from({ length: config.layers }, () => new EncoderLayer(config));
    this.readout = new Linear(width, classes);
  }

  /**
   * Maps images [batch, inChannels, imageSize, imageSize] to logits [batch, classes]. Throws `StriateError` if the
   * images have the wrong shape.
   */
  forward(images: Tensor, pass?: TrainingPass): Tensor {
    const { inChannels, imageSize, attentionAxis } = this.config;
    checkShape("images", images.shape, ["batch", inChannels, imageSize, imageSize]);
    const patches = transpose(flatten3(this.patches.forward(images)), [0, 2, 1]);
    let tokens = add(patches, this.positions);
    const turn = (x: Tensor) => (attentionAxis === "batch" ? transpose(x, [1, 0, 2]) : x);
    tokens = turn(tokens);
    for (const [i, layer] of this.layers.entries())
      tokens = scope(`layer${i}`, () => layer.forward(tokens, pass));
    return scope("readout", () => this.readout.forward(mean(turn(tokens), 1)));
  }
}

/** Joins the axes of rows and columns: [batch, width, rows, columns] to [batch, width, rows x columns]. */
function flatten3(x: Tensor): Tensor {
  return reshape(x, [x.shape[0]!, x.shape[1]!, -1]);
}
