import { checkEveryWhole, checkLength, checkPositive, checkSome, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/**
 * A plain or transposed convolution of a decoder. Sizes have the meaning that they have in PyTorch; each has
 * one number for each spatial axis.
 */
export interface ConvolutionStep {
  readonly type: "convTranspose" | "conv";
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  /** For `convTranspose` only. */
  readonly outputPadding?: readonly number[];
  readonly groups: number;
  readonly bias: boolean;
  readonly position?: number;
}

/**
 * A step that resizes the spatial axes to `size` or by the factor `scale`. A single number applies to every
 * axis.
 */
export interface UpsampleStep {
  readonly type: "upsample";
  /** "linear" is bilinear in two dimensions and trilinear in three. Corners are not aligned (`align_corners=False`). */
  readonly mode: "linear" | "nearest";
  readonly size?: number | readonly number[];
  readonly scale?: number | readonly number[];
  readonly position?: number;
}

/** A ReLU of a decoder. */
export interface ReluStep {
  readonly type: "relu";
  readonly position?: number;
}

/**
 * One operation of a decoder. `position` is its index in PyTorch's Sequential, after which its parameters are
 * named ("pmodule.1.weight"). A convolution outside a Sequential has no position ("pmodule.weight").
 */
export type DecoderStep = ConvolutionStep | UpsampleStep | ReluStep;

/** A convolution of a decoder as users specify it. A size given as one number applies to every axis. */
export interface ConvolutionOptions {
  readonly type: "convTranspose" | "conv";
  /** Default: the number of channels after the previous step. */
  readonly inChannels?: number;
  /** Default: the number of channels of the predicted value. */
  readonly outChannels?: number;
  readonly kernel: number | readonly number[];
  /** Default 1. */
  readonly stride?: number | readonly number[];
  /** Default 0. */
  readonly padding?: number | readonly number[];
  /** Default 1. */
  readonly dilation?: number | readonly number[];
  /** Default 0. */
  readonly outputPadding?: number | readonly number[];
  /** Default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * A decoder as a list of steps. Together they map a representation [batch, channels, ...space] to a
 * prediction.
 */
export type DecoderOptions = readonly (ConvolutionOptions | UpsampleStep | ReluStep)[];

/** Shape of a feature map for one image: [channels, ...space]. */
export type FeatureShape = readonly number[];

/**
 * Makes the default decoder: bilinear (in three dimensions, trilinear) resizing to the target's size if the
 * sizes differ, then a transposed convolution with kernel 3, stride 1 and padding 1, without activation. The
 * authors' code multiplies the size by a factor and rounds down, so for some targets the result is one pixel
 * too small. Here the target's size is used directly.
 */
export function defaultDecoder(source: FeatureShape, target: FeatureShape): DecoderStep[] {
  const axes = source.length - 1;
  const each = (value: number): number[] => Array<number>(axes).fill(value);
  const resized = source.slice(1).join() !== target.slice(1).join();
  return [
    ...(resized ? [{ type: "upsample", mode: "linear", size: target.slice(1), position: 0 } as const] : []),
    {
      type: "convTranspose",
      inChannels: source[0]!,
      outChannels: target[0]!,
      kernel: each(3),
      stride: each(1),
      padding: each(1),
      dilation: each(1),
      outputPadding: each(0),
      groups: 1,
      bias: true,
      position: resized ? 1 : 0,
    },
  ];
}

const SIZES = { kernel: 1, stride: 1, padding: 0, dilation: 1, outputPadding: 0 } as const;

/** Fills in the defaults of a decoder's steps. Throws `StriateError` if a size is not a whole number. */
export function decoderSteps(
  options: DecoderOptions,
  source: FeatureShape,
  target: FeatureShape,
  what: string,
): DecoderStep[] {
  checkSome(what, options.length, "step");
  const axes = source.length - 1;
  let channels = source[0]!;
  return options.map((step, position): DecoderStep => {
    if (step.type === "relu" || step.type === "upsample") return { ...step, position };
    const known: string = step.type;
    check(
      known === "convTranspose" || known === "conv",
      () => `${what}: unknown step "${known}": expected one of convTranspose, conv, upsample, relu`,
    );
    const sizes = Object.fromEntries(
      Object.entries(SIZES).map(([key, least]) => {
        const value = step[key as keyof typeof SIZES] ?? least;
        const list = typeof value === "number" ? Array<number>(axes).fill(value) : value;
        checkLength(`${what}: ${key}`, list, axes);
        checkEveryWhole(`${what}: ${key}`, list, { from: least });
        return [key, list];
      }),
    ) as Record<keyof typeof SIZES, readonly number[]>;
    const { inChannels = channels, outChannels = target[0]!, groups = 1, bias = true } = step;
    channels = outChannels;
    return { type: step.type, inChannels, outChannels, ...sizes, groups, bias, position };
  });
}

/**
 * Computes the size of the spatial axes after a step.
 *
 * @throws StriateError if an axis would have no pixels left, or if the step is for another number of axes.
 */
export function spaceAfter(step: DecoderStep, space: readonly number[], what: string): number[] {
  if (step.type === "relu") return [...space];
  if (step.type === "upsample") return resizedSpace(step, space, what);
  const { kernel, stride, padding, dilation, outputPadding } = step;
  check(
    kernel.length === space.length,
    () => `${what}: convolution: expected a kernel of ${space.length} axes, got ${kernel.length}`,
  );
  return space.map((length, i) => {
    const [k, s, p, d] = [kernel[i]!, stride[i]!, padding[i]!, dilation[i]!];
    const reach = d * (k - 1) + 1;
    const after =
      step.type === "convTranspose"
        ? (length - 1) * s - 2 * p + reach + (outputPadding?.[i] ?? 0)
        : Math.floor((length + 2 * p - reach) / s) + 1;
    check(
      after >= 1,
      () =>
        `${what}: convolution: expected a kernel that fits an axis of ${length} pixels, got a result of ${after} pixels`,
    );
    return after;
  });
}

function resizedSpace({ size, scale }: UpsampleStep, space: readonly number[], what: string): number[] {
  const each = (value: number | readonly number[]): readonly number[] =>
    typeof value === "number" ? space.map(() => value) : value;
  const given = each(size ?? scale ?? 0);
  checkLength(`${what}: upsampling`, given, space.length);
  for (const n of given) checkPositive(`${what}: upsampling`, n);
  return space.map((length, i) => {
    // A factor such as 15 / 11 is meant to result in a whole length, but in double precision the product may
    // be slightly smaller.
    const wanted = size === undefined ? Math.floor(length * given[i]! * (1 + 1e-9)) : given[i]!;
    checkWhole(`${what}: upsampling: length`, wanted, { to: 1e6 });
    return wanted;
  });
}

/**
 * Returns the scale between output and input coordinates: that of the step if it has one, otherwise output
 * length divided by input length.
 */
export function resizeScale(step: UpsampleStep, axis: number, length: number, count: number): number {
  if (step.scale === undefined) return count / length;
  return typeof step.scale === "number" ? step.scale : step.scale[axis]!;
}
