import type { Tensor } from "../../graph/index.js";
import { constant, div, mul, parameter, scope, showShape, sub } from "../../graph/index.js";
import { groupNorm, instanceNorm, layerNorm } from "../../graph/operators/normalise/normalise.js";
import { batchNormInference, batchNormTraining } from "../../graph/operators/normalise/batch-norm.js";
import { checkBetween, checkMultiple, checkShape } from "../../util/check.js";
import { StriateError } from "../../util/errors.js";
import { ones, zeros } from "../init.js";
import { movingMean } from "../optimizer.js";
import type { Layer, TrainingPass } from "./layer.js";

/** Options of every normalisation layer. */
export interface NormalisationOptions {
  /** Small number that is added to the variance (default 1e-5). */
  readonly epsilon?: number;
  /** Whether the layer has a trained scale (`weight`, 1 at first) and shift (`bias`, 0 at first). */
  readonly affine?: boolean;
}

/** Options of `BatchNorm2d`. */
export interface BatchNorm2dOptions extends NormalisationOptions {
  /** Weight of each new batch in the running statistics (default 0.1). */
  readonly momentum?: number;
}

/** Scale and shift, either trained or fixed at 1 and 0. */
class Affine {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly epsilon: number;

  constructor(
    private readonly affineShape: readonly number[],
    { epsilon = 1e-5 }: NormalisationOptions,
    affine: boolean,
  ) {
    this.epsilon = epsilon;
    this.weight = affine ? parameter(affineShape, ones) : undefined;
    this.bias = affine ? parameter(affineShape, zeros) : undefined;
  }

  protected scaleAndShift(): [scale: Tensor, shift: Tensor] {
    const filled = (value: number) => {
      const size = this.affineShape.reduce((a, b) => a * b, 1);
      return constant({
        dtype: "float32",
        shape: this.affineShape,
        data: new Float32Array(size).fill(value),
      });
    };
    return [this.weight ?? filled(1), this.bias ?? filled(0)];
  }
}

/**
 * Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167): y = (x - mean) / sqrt(variance + epsilon) *
 * weight + bias for each channel of x, [batch, channels, height, width]. In training, mean and (biased)
 * variance are those of the batch. The pass gets updates of `runningMean` and `runningVar`, (1 - momentum)
 * old + momentum new, with the unbiased variance. Evaluation uses these running statistics. By default the
 * layer has a scale and shift. It equals PyTorch's `nn.BatchNorm2d`, except that it does not count batches.
 */
export class BatchNorm2d extends Affine implements Layer {
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
  readonly momentum: number;

  constructor(
    readonly channels: number,
    options: BatchNorm2dOptions = {},
  ) {
    super([channels], options, options.affine ?? true);
    const { momentum = 0.1 } = options;
    checkBetween("batch normalisation: momentum", momentum, 0, 1);
    this.momentum = momentum;
    this.runningMean = parameter([channels], zeros, { trainable: false });
    this.runningVar = parameter([channels], ones, { trainable: false });
  }

  forward(x: Tensor, pass?: TrainingPass): Tensor {
    checkShape("batch normalisation", x.shape, ["batch", this.channels, "height", "width"]);
    return scope("batchNorm2d", () => {
      const [weight, bias] = this.scaleAndShift();
      if (pass === undefined) {
        const statistics = { mean: this.runningMean, variance: this.runningVar };
        return batchNormInference(x, weight, bias, statistics, this.epsilon);
      }
      const { y, mean, variance, count } = batchNormTraining(x, weight, bias, this.epsilon);
      const unbiased = mul(variance, div(count, sub(count, 1)));
      this.#average(pass, this.runningMean, mean);
      this.#average(pass, this.runningVar, unbiased);
      return y;
    });
  }

  #average(pass: TrainingPass, buffer: Tensor, fresh: Tensor): void {
    pass.update(buffer, movingMean(pass.current(buffer), fresh, 1 - this.momentum));
  }
}

/**
 * Instance normalisation (Ulyanov et al. 2016, arXiv:1607.08022): normalises each channel of each image over
 * all positions. By default it has no scale and shift (`affine`). It equals PyTorch's `nn.InstanceNorm2d`
 * without running statistics.
 */
export class InstanceNorm2d extends Affine implements Layer {
  constructor(
    readonly channels: number,
    options: NormalisationOptions = {},
  ) {
    super([channels], options, options.affine ?? false);
  }

  forward(x: Tensor): Tensor {
    checkShape("instance normalisation", x.shape, ["batch", this.channels, "height", "width"]);
    return scope("instanceNorm2d", () => instanceNorm(x, ...this.scaleAndShift(), this.epsilon));
  }
}

/**
 * Group normalisation (Wu & He 2018, arXiv:1803.08494), equal to PyTorch's `nn.GroupNorm`. It splits the
 * channels into groups of equal size and normalises each group over its channels and all positions. By
 * default it has a scale and shift. Throws {@link StriateError} if the number of groups does not divide the
 * number of channels.
 */
export class GroupNorm extends Affine implements Layer {
  constructor(
    readonly groups: number,
    readonly channels: number,
    options: NormalisationOptions = {},
  ) {
    checkMultiple("group normalisation: channels", channels, groups);
    super([channels], options, options.affine ?? true);
  }

  forward(x: Tensor): Tensor {
    return scope("groupNorm", () => groupNorm(x, this.groups, this.weight, this.bias, this.epsilon));
  }
}

/**
 * Layer normalisation (Ba et al. 2016, arXiv:1607.06450), equal to PyTorch's `nn.LayerNorm`. It normalises
 * over the last axes, jointly. `shape` lists their lengths; one number stands for the last axis alone. By
 * default it has a scale and shift, `weight` and `bias`, which have that shape.
 */
export class LayerNorm extends Affine implements Layer {
  readonly shape: readonly number[];

  constructor(shape: number | readonly number[], options: NormalisationOptions = {}) {
    const axes = typeof shape === "number" ? [shape] : shape;
    super(axes, options, options.affine ?? true);
    this.shape = axes;
  }

  forward(x: Tensor): Tensor {
    const { shape } = this;
    if (x.rank < shape.length || shape.some((dim, i) => dim !== x.shape[x.rank - shape.length + i])) {
      throw new StriateError(
        `layer normalisation: expected [..., ${shape.join(", ")}], got ${showShape(x.shape)}`,
      );
    }
    return scope("layerNorm", () =>
      layerNorm(x, ...this.scaleAndShift(), { axis: -shape.length, epsilon: this.epsilon }),
    );
  }
}
