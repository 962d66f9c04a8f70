import type { Tensor } from "../../../graph/index.js";
import { add, conv, flatten, globalAveragePool, relu, scope, timestep } from "../../../graph/index.js";
import { kaimingNormal } from "../../../nn/init.js";
import { BatchNorm2d, Conv2d, Linear } from "../../../nn/layers/index.js";
import type { Layer, TrainingPass } from "../../../nn/layers/index.js";
import { checkSizes } from "../../../util/check.js";

/** Options of the CORnet-S back end. */
export interface CornetOptions {
  /** Default 1000. */
  readonly classes?: number;
  /**
   * Numbers of channels of the input features and of the areas V2, V4 and IT. Default [64, 128, 256, 512].
   */
  readonly channels?: readonly [number, number, number, number];
  /** How many times V2, V4 and IT run. Default [2, 4, 2]. */
  readonly times?: readonly [number, number, number];
}

/** Ratio of the number of channels inside an area to that at its output. */
const SCALE = 4;

/**
 * CORnet-S (Kubilius et al. 2019, arXiv:1909.06161, figure 2) without its V1. This is the part of
 * VOneCORnet-S that follows the bottleneck. Each of the areas V2, V4 and IT runs several times, each time on
 * its own previous output. The same convolutions are used every time, but each time has its own batch
 * normalisations.
 */
export class CornetBackEnd {
  readonly V2: CornetArea;
  readonly V4: CornetArea;
  readonly IT: CornetArea;
  readonly decoder: { readonly linear: Linear };
  /** Channels of the input features. */
  readonly inputs: number;

  constructor(options: CornetOptions = {}) {
    const { classes = 1000, channels = [64, 128, 256, 512], times = [2, 4, 2] } = options;
    checkSizes("CORnet-S", { classes, channels, times });
    this.inputs = channels[0];
    this.V2 = new CornetArea(channels[0], channels[1], times[0]);
    this.V4 = new CornetArea(channels[1], channels[2], times[1]);
    this.IT = new CornetArea(channels[2], channels[3], times[2]);
    this.decoder = { linear: new Linear(channels[3], classes) };
  }

  /** Maps features [batch, channels[0], height, width] to logits [batch, classes]. */
  forward(features: Tensor, pass?: TrainingPass): Tensor {
    let x = features;
    for (const area of ["V2", "V4", "IT"] as const) x = scope(area, () => this[area].forward(x, pass));
    return scope("decoder", () => this.decoder.linear.forward(flatten(globalAveragePool(x))));
  }
}

/**
 * One area. It computes x = convInput(x) and then, for each time t, x =
 * ReLU(norm3_t(conv3(ReLU(norm2_t(conv2(ReLU(norm1_t(conv1(x)))))))) + shortcut). At t = 0, conv2 has stride
 * 2 and the shortcut is normSkip(skip(x)). Later, conv2 has stride 1 and the shortcut is x.
 */
class CornetArea implements Layer {
  readonly convInput: Conv2d;
  readonly skip: Conv2d;
  readonly normSkip: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly conv3: Conv2d;
  /** Batch normalisations, one for each time. */
  readonly norm1: readonly BatchNorm2d[];
  readonly norm2: readonly BatchNorm2d[];
  readonly norm3: readonly BatchNorm2d[];

  constructor(
    inputs: number,
    outputs: number,
    readonly times: number,
  ) {
    const inner = SCALE * outputs;
    this.convInput = convolution(inputs, outputs, 1);
    this.skip = convolution(outputs, outputs, 1, 2);
    this.normSkip = new BatchNorm2d(outputs);
    this.conv1 = convolution(outputs, inner, 1);
    this.conv2 = convolution(inner, inner, 3);
    this.conv3 = convolution(inner, outputs, 1);
    const norms = (channels: number) => Array.from({ length: times }, () => new BatchNorm2d(channels));
    [this.norm1, this.norm2, this.norm3] = [norms(inner), norms(inner), norms(outputs)];
  }

  forward(input: Tensor, pass?: TrainingPass): Tensor {
    let x = scope("convInput", () => this.convInput.forward(input));
    for (let t = 0; t < this.times; t++) x = timestep(`t${t}`, () => this.#once(x, t, pass));
    return x;
  }

  #once(x: Tensor, t: number, pass: TrainingPass | undefined): Tensor {
    const shortcut = t === 0 ? this.normSkip.forward(this.skip.forward(x), pass) : x;
    const wide = relu(this.norm1[t]!.forward(this.conv1.forward(x), pass));
    const { weight, geometry } = this.conv2;
    const middle = conv(wide, weight, undefined, { ...geometry, stride: t === 0 ? 2 : 1 });
    const filtered = relu(this.norm2[t]!.forward(middle, pass));
    return relu(add(this.norm3[t]!.forward(this.conv3.forward(filtered), pass), shortcut));
  }
}

function convolution(inputs: number, outputs: number, kernel: number, stride = 1): Conv2d {
  return new Conv2d(inputs, outputs, kernel, {
    stride,
    padding: kernel >> 1,
    bias: false,
    weightInitialiser: kaimingNormal({ mode: "fanOut" }),
  });
}
