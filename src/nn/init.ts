import type { Initialiser, RandomSource } from "../graph/tensor.js";
import { checkLength } from "../util/check.js";
import { check } from "../util/errors.js";

/*
 * Initialisers are functions that fill a parameter of a given shape from a stream of random numbers. Fan-in
 * and fan-out are counted as in PyTorch: axis 0 of a weight is the outputs, axis 1 the inputs, and the other
 * axes are the receptive field, as in [out, in / groups, ...kernel]. The weight of a transposed convolution,
 * [in, out / groups, ...kernel], is read in the same way, although its first two axes are swapped.
 */

/**
 * The fan that scales Kaiming initialisation. With "fanIn", layers preserve the variance of activations in
 * the forward pass; with "fanOut", that of gradients in the backward pass.
 */
export type FanMode = "fanIn" | "fanOut";

/** The nonlinearity that follows the layer. It determines the gain. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

export interface KaimingOptions {
  /** Negative slope of the leaky rectifier that follows (default 0). Used only for the nonlinearity "leakyRelu". */
  readonly slope?: number;
  /** Default "fanIn". */
  readonly mode?: FanMode;
  /** Default "leakyRelu", as in PyTorch. With slope 0 this is the rectifier (ReLU). */
  readonly nonlinearity?: Nonlinearity;
}

/**
 * Returns the fans of a weight: the number of inputs of each output unit and the number of outputs of each
 * input unit. Throws `StriateError` if the weight has fewer than two axes.
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

/**
 * Factor by which weights that precede a nonlinearity should be larger than those of a linear network, as in
 * PyTorch's `calculate_gain`.
 */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  if (nonlinearity === "tanh") return 5 / 3;
  if (nonlinearity === "relu") return Math.SQRT2;
  if (nonlinearity === "leakyRelu") return Math.sqrt(2 / (1 + slope * slope));
  return nonlinearity === "selu" ? 3 / 4 : 1;
}

/** Gives every element of a parameter the same value. */
export function fill(value: number): Initialiser {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Fills a parameter with 0, the default for buffers and for the shifts of normalisation layers. */
export const zeros: Initialiser = fill(0);
/** Fills a parameter with 1, the default for the scales of normalisation layers. */
export const ones: Initialiser = fill(1);

/**
 * Fills a parameter with the given values, which are copied at each call. Throws `StriateError` if their
 * number does not fit the shape.
 */
export function fromData(values: ArrayLike<number>): Initialiser {
  return (shape) => {
    const size = sizeOf(shape);
    checkLength(`values for a parameter [${shape.join(", ")}]`, values, size);
    return Float32Array.from(values);
  };
}

/** Draws from the uniform distribution over [low, high). */
export function uniform(low = 0, high = 1): Initialiser {
  return draw((random) => low + (high - low) * random.uniform());
}

/** Draws from the normal distribution with the given mean and standard deviation. */
export function normal(mean = 0, standardDeviation = 1): Initialiser {
  return draw((random) => mean + standardDeviation * random.normal());
}

/**
 * Draws from a normal distribution truncated to [low, high], by rejecting values outside. As in PyTorch's
 * `trunc_normal_`, the bounds are absolute values, not multiples of the deviation. Throws `StriateError`
 * unless low < high and the deviation is positive.
 */
export function truncatedNormal(mean = 0, standardDeviation = 1, low = -2, high = 2): Initialiser {
  check(
    low < high && standardDeviation > 0,
    () =>
      `truncated normal: expected low < high and a deviation > 0, got ${low}, ${high}, ${standardDeviation}`,
  );
  const [from, to] = [(low - mean) / standardDeviation, (high - mean) / standardDeviation];
  // If the interval is wide and contains the mean, it accepts most draws from the normal distribution.
  // Otherwise, draw uniformly from the interval and accept a draw with a probability proportional to its
  // density.
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

/**
 * Draws from a uniform distribution of mean 0 and variance gain^2 / fan (He et al. 2015, arXiv:1502.01852,
 * eq. 10 and 14).
 */
export function kaimingUniform(options: KaimingOptions = {}): Initialiser {
  return scaled((shape) => kaimingDeviation(shape, options), uniformOfDeviation);
}

/** Draws from a normal distribution of mean 0 and variance gain^2 / fan (He et al. 2015). */
export function kaimingNormal(options: KaimingOptions = {}): Initialiser {
  return scaled(
    (shape) => kaimingDeviation(shape, options),
    (deviation) => normal(0, deviation),
  );
}

/**
 * Draws from a uniform distribution of mean 0 and variance 2 factor^2 / (fanIn + fanOut) (Glorot & Bengio
 * 2010, eq. 16).
 */
export function xavierUniform(factor = 1): Initialiser {
  return scaled((shape) => xavierDeviation(shape, factor), uniformOfDeviation);
}

/**
 * Draws from a normal distribution of mean 0 and variance 2 factor^2 / (fanIn + fanOut) (Glorot & Bengio
 * 2010).
 */
export function xavierNormal(factor = 1): Initialiser {
  return scaled(
    (shape) => xavierDeviation(shape, factor),
    (deviation) => normal(0, deviation),
  );
}

/**
 * PyTorch's default for the weights and biases of Linear and Conv: draws from the uniform distribution over
 * ±1 / sqrt(fanIn). For weights this equals `kaiming_uniform_(a = sqrt(5))`. If `fanIn` does not follow from
 * the shape, as for a bias, it must be given.
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
