import { check } from "../../../util/errors.js";

/** A convolution, transposed or plain, in a decoder: PyTorch's numbers, one for each spatial axis. */
export interface ConvolutionStep {
  readonly type: "convTranspose" | "conv";
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  /** Of `convTranspose` only. */
  readonly outputPadding?: readonly number[];
  readonly groups: number;
  readonly bias: boolean;
  readonly position?: number;
}

/** Enlarges (or shrinks) space: to `size`, or by `scale`; one number stands for every axis. */
export interface UpsampleStep {
  readonly type: "upsample";
  /** "linear" is bilinear in two dimensions, trilinear in three; corners are not aligned. */
  readonly mode: "linear" | "nearest";
  readonly size?: number | readonly number[];
  readonly scale?: number | readonly number[];
  readonly position?: number;
}

/** A rectifier in a decoder. */
export interface ReluStep {
  readonly type: "relu";
  readonly position?: number;
}

/**
 * One operation of a decoder. `position` is its place in the original's Sequential, which names its parameters
 * ("pmodule.1.weight"); a bare convolution has none ("pmodule.weight").
 */
export type DecoderStep = ConvolutionStep | UpsampleStep | ReluStep;

/** Sizes that may be one number for all axes, channels that follow from what is joined. */
export interface ConvolutionOptions {
  readonly type: "convTranspose" | "conv";
  /** Default: what the step before gives. */
  readonly inChannels?: number;
  /** Default: the channels of the tensor that is predicted. */
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

/** A decoder written as objects: [batch, channels, ...space] of the representation to that of what it predicts. */
export type DecoderOptions = readonly (ConvolutionOptions | UpsampleStep | ReluStep)[];

/** Channels and space of one image, without the batch. */
export type FeatureShape = readonly number[];

/**
 * The decoder that is used when none is given: bilinear (trilinear) resizing to the target's space where it differs,
 * then a transposed convolution, kernel 3, stride 1, padding 1, without activation. Sized by the target: the original
 * multiplies by a factor and rounds down, which misses some targets by one.
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

/** Fills in what objects leave out. Throws `StriateError` for sizes that are no whole numbers. */
export function decoderSteps(
  options: DecoderOptions,
  source: FeatureShape,
  target: FeatureShape,
  what: string,
): DecoderStep[] {
  check(options.length > 0, () => `${what}: expected at least one step`);
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
        check(
          list.length === axes && list.every((n) => Number.isInteger(n) && n >= least),
          () => `${what}: ${key}: expected ${axes} whole numbers of at least ${least}, got ${String(value)}`,
        );
        return [key, list];
      }),
    ) as Record<keyof typeof SIZES, readonly number[]>;
    const { inChannels = channels, outChannels = target[0]!, groups = 1, bias = true } = step;
    channels = outChannels;
    return { type: step.type, inChannels, outChannels, ...sizes, groups, bias, position };
  });
}

/**
 * Space after a step.
 *
 * @throws StriateError where nothing would be left of it, or sizes do not fit the number of axes.
 */
export function spaceAfter(step: DecoderStep, space: readonly number[], what: string): number[] {
  if (step.type === "relu") return [...space];
  if (step.type === "upsample") return resizedSpace(step, space, what);
  const { kernel, stride, padding, dilation, outputPadding } = step;
  check(
    kernel.length === space.length,
    () => `${what}: a convolution over ${kernel.length} axes cannot work on ${space.length}`,
  );
  return space.map((length, i) => {
    const [k, s, p, d] = [kernel[i]!, stride[i]!, padding[i]!, dilation[i]!];
    const reach = d * (k - 1) + 1;
    const after =
      step.type === "convTranspose"
        ? (length - 1) * s - 2 * p + reach + (outputPadding?.[i] ?? 0)
        : Math.floor((length + 2 * p - reach) / s) + 1;
    check(after >= 1, () => `${what}: the kernel does not fit a length of ${length}`);
    return after;
  });
}

function resizedSpace({ size, scale }: UpsampleStep, space: readonly number[], what: string): number[] {
  const each = (value: number | readonly number[]): readonly number[] =>
    typeof value === "number" ? space.map(() => value) : value;
  const given = each(size ?? scale ?? 0);
  check(
    given.length === space.length && given.every((n) => Number.isFinite(n) && n > 0),
    () => `${what}: upsampling: expected ${space.length} positive numbers, got ${given.join(", ")}`,
  );
  return space.map((length, i) => {
    // A factor such as 15 / 11 stands for a whole length that double precision may miss from below.
    const wanted = size === undefined ? Math.floor(length * given[i]! * (1 + 1e-9)) : given[i]!;
    check(
      Number.isInteger(wanted) && wanted >= 1 && wanted <= 1e6,
      () => `${what}: upsampling ${length} to ${wanted} is not possible`,
    );
    return wanted;
  });
}

/** Output length over input length as the step has it, for the coordinates. */
export function resizeScale(step: UpsampleStep, axis: number, length: number, count: number): number {
  if (step.scale === undefined) return count / length;
  return typeof step.scale === "number" ? step.scale : step.scale[axis]!;
}
