import type { ConvOptions, ConvTransposeOptions, Initialiser, Tensor } from "../../graph/index.js";
import { conv, convTranspose, parameter, scope } from "../../graph/index.js";
import { checkMultiple } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { fans, torchDefault } from "../init.js";
import type { Layer } from "./layer.js";

/** Height and width, or one number for both. */
export type Size = number | readonly [height: number, width: number];

interface LayerOptions {
  /** Default true. */
  readonly bias?: boolean;
  /**
   * Default: PyTorch's, uniform in ±1 / sqrt(fanIn), where fanIn is the product of all axes of the weight
   * except the first.
   */
  readonly weightInitialiser?: Initialiser;
  /** Default: PyTorch's, uniform in ±1 / sqrt(fanIn), with the fanIn of the weight. */
  readonly biasInitialiser?: Initialiser;
}

/** Options of `Conv2d`. Stride, dilation and groups mean the same as in `conv`. */
export interface Conv2dOptions extends LayerOptions, Omit<ConvOptions, "padding"> {
  /**
   * Number of zeros to add on each side (default 0), four numbers [top, left, bottom, right], or "same" for
   * an output as large as the input.
   */
  readonly padding?: ConvOptions["padding"] | "same";
}

export interface ConvTranspose2dOptions extends LayerOptions, ConvTransposeOptions {}

/**
 * Convolution (cross-correlation) with a bank of kernels. It maps [batch, inputs, height, width] to [batch,
 * outputs, height', width'], with height' = floor((height + pads - dilation (kernel - 1) - 1) / stride) + 1
 * and width' alike. `weight` has the shape [outputs, inputs / groups, ...kernel] and `bias` [outputs]. The
 * layer equals PyTorch's `nn.Conv2d`; with padding "same", an odd number of zeros also puts the extra zero at
 * the end.
 *
 * @example
 * ```ts
 * import { Conv2d } from "striate";
 * import { input } from "striate/graph";
 *
 * const layer = new Conv2d(3, 16, 3, { padding: "same" });
 * console.log(layer.forward(input("x", ["batch", 3, 32, 32])).shape.join(", ")); // batch, 16, 32, 32
 * ```
 */
export class Conv2d implements Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly geometry: ConvOptions;

  constructor(
    readonly inputs: number,
    readonly outputs: number,
    kernel: Size,
    options: Conv2dOptions = {},
  ) {
    const { stride = 1, dilation = 1, groups = 1, padding = 0 } = options;
    checkGroups("convolution", inputs, outputs, groups);
    const size = pair(kernel);
    this.geometry = {
      stride,
      dilation,
      groups,
      padding: padding === "same" ? samePadding(size, stride, dilation) : padding,
    };
    [this.weight, this.bias] = makeParameters([outputs, inputs / groups, ...size], outputs, options);
  }

  forward(x: Tensor): Tensor {
    return scope("conv2d", () => conv(x, this.weight, this.bias, this.geometry));
  }
}

/**
 * Transposed convolution. It maps [batch, inputs, height, width] to [batch, outputs, height', width'], with
 * height' = stride (height - 1) - pads + dilation (kernel - 1) + outputPadding + 1 and width' alike. `weight`
 * has the shape [inputs, outputs / groups, ...kernel] and `bias` [outputs]. The layer equals PyTorch's
 * `nn.ConvTranspose2d`.
 */
export class ConvTranspose2d implements Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly geometry: ConvTransposeOptions;

  constructor(
    readonly inputs: number,
    readonly outputs: number,
    kernel: Size,
    options: ConvTranspose2dOptions = {},
  ) {
    const { stride = 1, dilation = 1, groups = 1, padding = 0, outputPadding = 0 } = options;
    checkGroups("transposed convolution", inputs, outputs, groups);
    this.geometry = { stride, dilation, groups, padding, outputPadding };
    [this.weight, this.bias] = makeParameters([inputs, outputs / groups, ...pair(kernel)], outputs, options);
  }

  forward(x: Tensor): Tensor {
    return scope("convTranspose2d", () => convTranspose(x, this.weight, this.bias, this.geometry));
  }
}

function makeParameters(
  shape: readonly number[],
  outputs: number,
  options: LayerOptions,
): [weight: Tensor, bias: Tensor | undefined] {
  const standard = torchDefault(fans(shape).fanIn);
  const { bias = true, weightInitialiser = standard, biasInitialiser = standard } = options;
  return [parameter(shape, weightInitialiser), bias ? parameter([outputs], biasInitialiser) : undefined];
}

function checkGroups(what: string, inputs: number, outputs: number, groups: number): void {
  checkMultiple(`${what}: input channels`, inputs, groups);
  checkMultiple(`${what}: output channels`, outputs, groups);
}

function pair(size: number | readonly number[]): readonly [number, number] {
  return typeof size === "number" ? [size, size] : [size[0]!, size[1]!];
}

function samePadding(
  kernel: readonly number[],
  stride: number | readonly number[],
  dilation: number | readonly number[],
): readonly number[] {
  check(
    pair(stride).every((step) => step === 1),
    () => `convolution: expected stride 1 with padding "same", got ${String(stride)}`,
  );
  const total = kernel.map((k, axis) => pair(dilation)[axis]! * (k - 1));
  const before = total.map((zeros) => Math.floor(zeros / 2));
  return [...before, ...total.map((zeros, axis) => zeros - before[axis]!)];
}
