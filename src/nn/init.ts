import type { Initialiser, RandomSource } from "../graph/tensor.js";
import { checkLength } from "../util/check.js";
import { check } from "../util/errors.js";

/*
 * Initialisers: functions that fill a parameter of a given shape from a stream of random numbers. Fans follow PyTorch:
 * axis 0 counts outputs, axis 1 inputs, the others are the receptive field ([out, in / groups, ...kernel]; a transposed
 * convolution's [in, out / groups, ...kernel] is read the same way).
 */

/**
 * The fan that scales Kaiming initialisation: "fanIn" preserves the variance of the forward pass, "fanOut" that of the
 * backward pass.
 */
export type FanMode = "fanIn" | "fanOut";

/** The nonlinearity after the layer, which decides the gain. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

export interface KaimingOptions {
  /** Negative slope of the leaky rectifier that follows (default 0). Used only for the nonlinearity "leakyRelu". */
  readonly slope?: number;
  /** Default "fanIn". */
  readonly mode?: FanMode;
  /** Default "leakyRelu", as in PyTorch; with slope 0 that is the rectifier. */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * The numbers of inputs and outputs of one unit (fans) of a weight with at least two axes. Throws `StriateError` for
 * fewer.
 */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const [out, into, ...kernel] = shape;
  check(
    out !== undefined && into !== undefined,
    () => `fans: expected a weight of at least 2 axes, [out, in, ...kernel], got [${shape.join(", ")}]`,
  );
  const field = sizeOf(kernel);
  return { fanIn: into * field, fanOut: out * field };
}

/** Factor by which the weights before a nonlinearity should be larger, as PyTorch's `calculate_gain`. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  if (nonlinearity === "tanh") return 5 / 3;
  if (nonlinearity === "relu") return Math.SQRT2;
  if (nonlinearity === "leakyRelu") return Math.sqrt(2 / (1 + slope * slope));
  return nonlinearity === "selu" ? 3 / 4 : 1;
}

/** Fills a parameter with one value. */
export function fill(value: number): Initialiser {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Default of buffers and of the shifts of normalisation layers. */
export const zeros: Initialiser = fill(0);
/** Default of the scales of normalisation layers. */
export const ones: Initialiser = fill(1);

/** Given values, copied at each call. Throws `StriateError` if their number does not fit the shape. */
export function fromData(values: ArrayLike<number>): Initialiser {
  return (shape) => {
    const size = sizeOf(shape);
    checkLength(`values for a parameter [${shape.join(", ")}]`, values, size);
    return Float32Array.from(values);
  };
}

/** Uniform in [low, high). */
export function uniform(low = 0, high = 1): Initialiser {
  return draw((random) => low + (high - low) * random.uniform());
}

/** Normal with a mean and a standard deviation. */
export function normal(mean = 0, standardDeviation = 1): Initialiser {
  return draw((random) => mean + standardDeviation * random.normal());
}

/**
 * Normal values restricted to [low, high] (absolute bounds, default -2 and 2, as PyTorch's `trunc_normal_`), by
 * rejection. Throws `StriateError` unless low < high and the deviation is positive.
 */
export function truncatedNormal(mean = 0, standardDeviation = 1, low = -2, high = 2): Initialiser {
  check(
    low < high && standardDeviation > 0,
    () =>
      `truncated normal: expected low < high and a deviation > 0, got ${low}, ${high}, ${standardDeviation}`,
  );
  const [from, to] = [(low - mean) / standardDeviation, (high - mean) / standardDeviation];
  // If the interval is wide and contains the mean, most normal draws are accepted. Otherwise, draw uniformly and accept
  // by density.
  const fromNormal = from < 0 && to > 0 && to - from > 2;
  const peak = Math.min(Math.max(0, from), to);
  return draw((random) => {
    for (;;) {
      const z = fromNormal ? random.normal() : from + (to - from) * random.uniform();
      const kept = fromNormal ? z >= from && z <= to : random.uniform() < Math.exp((peak * peak - z * z) / 2);
      if (kept) return mean + standardDeviation * z;
    }
  });
}

/** He et al. 2015 (arXiv:1502.01852), eq. 10 and 14: uniform of variance gain^2 / fan. */
export function kaimingUniform(options: KaimingOptions = {}): Initialiser {
  return scaled((shape) => kaimingDeviation(shape, options), uniformOfDeviation);
}

/** He et al. 2015: normal of variance gain^2 / fan. */
export function kaimingNormal(options: KaimingOptions = {}): Initialiser {
  return scaled(
    (shape) => kaimingDeviation(shape, options),
    (deviation) => normal(0, deviation),
  );
}

/** Glorot & Bengio 2010, eq. 16: uniform of variance 2 gain^2 / (fanIn + fanOut). */
export function xavierUniform(factor = 1): Initialiser {
  return scaled((shape) => xavierDeviation(shape, factor), uniformOfDeviation);
}

/** Glorot & Bengio 2010: normal of variance 2 gain^2 / (fanIn + fanOut). */
export function xavierNormal(factor = 1): Initialiser {
  return scaled(
    (shape) => xavierDeviation(shape, factor),
    (deviation) => normal(0, deviation),
  );
}

/**
 * PyTorch's default for Linear and Conv, weight and bias alike: uniform in ±1 / sqrt(fanIn). Equal to
 * `kaiming_uniform_(a = sqrt(5))` for the weight. `fanIn` must be given if it does not follow from the shape, as for a
 * bias.
 */
export function torchDefault(fanIn?: number): Initialiser {
  return (shape, random) => {
    const bound = 1 / Math.sqrt(fanIn ?? fans(shape).fanIn);
    return uniform(-bound, bound)(shape, random);
  };
}

function kaimingDeviation(shape: readonly number[], options: KaimingOptions): number {
  const { slope = 0, mode = "fanIn", nonlinearity = "leakyRelu" } = options;
  return gain(nonlinearity, slope) / Math.sqrt(fans(shape)[mode]);
}

function xavierDeviation(shape: readonly number[], factor: number): number {
  const { fanIn, fanOut } = fans(shape);
  return factor * Math.sqrt(2 / (fanIn + fanOut));
}

function uniformOfDeviation(deviation: number): Initialiser {
  return uniform(-Math.sqrt(3) * deviation, Math.sqrt(3) * deviation);
}

function scaled(
  deviation: (shape: readonly number[]) => number,
  distribution: (deviation: number) => Initialiser,
): Initialiser {
  return (shape, random) => distribution(deviation(shape))(shape, random);
}

function draw(next: (random: RandomSource) => number): Initialiser {
  return (shape, random) => {
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = next(random);
    return values;
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
