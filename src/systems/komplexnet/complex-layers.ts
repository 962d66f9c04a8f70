import type { Tensor } from "../../graph/index.js";
import {
  abs,
  add,
  div,
  greater,
  less,
  max,
  mul,
  relu,
  sqrt,
  stopGradient,
  sub,
  where,
} from "../../graph/index.js";
import { Conv2d } from "../../nn/layers/convolution.js";
import { Linear } from "../../nn/layers/linear.js";
import { InstanceNorm2d, LayerNorm } from "../../nn/layers/normalisation.js";
import { stackBatch, unstackBatch } from "./batch-stack.js";

/** A complex tensor as an input of a layer. */
export interface Complex {
  readonly real: Tensor;
  readonly imaginary: Tensor;
  readonly magnitude: Tensor;
}

/**
 * A complex tensor as the output of a layer. Its direction is given by a cosine and a sine. ONNX has no
 * Atan2, but none is needed, because every formula uses the cosine and sine of an angle and never the angle
 * itself. The magnitude is negative for some outputs of the read-out.
 */
export interface Polar extends Complex {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Makes a complex tensor from its magnitude and the cosine and sine of its phase. */
export function polar(magnitude: Tensor, cos: Tensor, sin: Tensor): Polar {
  return { magnitude, cos, sin, real: mul(magnitude, cos), imaginary: mul(magnitude, sin) };
}

/**
 * Makes a complex tensor from its real and imaginary parts. If the magnitude of an element vanishes, its
 * cosine and sine are both 0 and it passes no gradient.
 */
export function rectangular(real: Tensor, imaginary: Tensor): Polar {
  const magnitude = sqrt(add(add(mul(real, real), mul(imaginary, imaginary)), 1e-30));
  const safe = where(greater(magnitude, 1e-12), magnitude, 1);
  return { real, imaginary, magnitude, cos: div(real, safe), sin: div(imaginary, safe) };
}

/** Options of every complex-valued layer. */
export interface ComplexLayerOptions {
  /** Whether the layer has biases. Default true. */
  readonly biases?: boolean;
  /** What happens to gradients at psi = 0; see `KomplexNetOptions.singularGradients`. Default false. */
  readonly singularGradients?: boolean;
}

/**
 * An imaginary part whose absolute value is smaller than this number is replaced by this number (the authors'
 * "stable angle").
 */
const SMALLEST = 1e-8;

/**
 * Lifts a real-valued map f(v) = W v + b to complex numbers z (Reichert & Serre 2014; TMLR 2025, complex
 * layers):
 *
 *     psi = f(Re z) + i f(Im z),  chi = f(|z|)
 *     magnitude = |psi| / 2 + chi / 2,  direction = psi / |psi|
 *
 * f is called once, on Re z, Im z and |z| stacked into one batch. If `chi` is given, |z| is left out.
 */
function lift(
  f: (v: Tensor) => Tensor,
  z: Complex,
  options: ComplexLayerOptions,
  chi?: Tensor,
): { readonly magnitude: Tensor; readonly cos: Tensor; readonly sin: Tensor } {
  const sources = [z.real, z.imaginary, ...(chi ? [] : [z.magnitude])];
  const parts = unstackBatch(f(stackBatch(sources)), sources.length);
  const [real, nearImaginary] = parts as [Tensor, Tensor];
  const imaginary = where(less(abs(nearImaginary), SMALLEST), SMALLEST, nearImaginary);
  const size = sqrt(add(mul(real, real), mul(imaginary, imaginary)));
  const { biases = true, singularGradients = false } = options;
  // Without biases, psi can be 0. The gradient is then multiplied by 1e8 on its way through the direction.
  const withoutSingularGradient = (direction: Tensor) =>
    biases || singularGradients ? direction : where(less(size, 1e-7), stopGradient(direction), direction);
  return {
    magnitude: mul(add(size, chi ?? parts[2]!), 0.5),
    cos: withoutSingularGradient(div(real, size)),
    sin: withoutSingularGradient(div(imaginary, size)),
  };
}

/** Options of `ComplexConv`. */
export interface ComplexConvOptions extends ComplexLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the square kernel. Default 3. */
  readonly size?: number;
  /** Default 1. */
  readonly stride?: number;
  /** Default 0. */
  readonly padding?: number;
}

/**
 * Complex convolution, followed by instance norm and ReLU. These two change only the magnitudes, not the
 * directions.
 */
export class ComplexConv {
  readonly map: Conv2d;
  readonly norm: InstanceNorm2d;
  readonly #options: ComplexLayerOptions;

  constructor(options: ComplexConvOptions) {
    this.#options = options;
    const { inChannels, outChannels, size = 3, stride = 1, padding = 0, biases = true } = options;
    this.map = new Conv2d(inChannels, outChannels, size, { stride, padding, bias: biases });
    this.norm = new InstanceNorm2d(outChannels, { affine: true });
  }

  /**
   * Maps [batch, inChannels, height, width] to [batch, outChannels, ...].
   *
   * @param chi the real-valued convolution of |z|, if it is already known
   */
  forward(z: Complex, chi?: Tensor): Polar {
    const { magnitude, cos, sin } = lift((v) => this.map.forward(v), z, this.#options, chi);
    return polar(relu(this.norm.forward(magnitude)), cos, sin);
  }
}

/** Options of `ComplexLinear`. */
export interface ComplexLinearOptions extends ComplexLayerOptions {
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/**
 * Complex linear layer, followed by layer norm and ReLU. These two change only the magnitudes, not the
 * directions.
 */
export class ComplexLinear {
  readonly map: Linear;
  readonly norm: LayerNorm;
  readonly #options: ComplexLayerOptions;

  constructor(options: ComplexLinearOptions) {
    this.#options = options;
    this.map = linearMap(options);
    this.norm = new LayerNorm(options.outFeatures);
  }

  /** Maps [batch, inFeatures] to [batch, outFeatures]. */
  forward(z: Complex): Polar {
    const { magnitude, cos, sin } = lift((v) => this.map.forward(v), z, this.#options);
    return polar(relu(this.norm.forward(magnitude)), cos, sin);
  }
}

/**
 * Complex linear layer for the read-out. Its magnitude for a class, which may be negative, is the evidence
 * for that class.
 */
export class ComplexReadout {
  readonly map: Linear;
  readonly #options: ComplexLayerOptions;

  constructor(options: ComplexLinearOptions) {
    this.#options = options;
    this.map = linearMap(options);
  }

  /**
   * Computes logits = m - max(m) / 3 from the magnitudes m, [batch, outFeatures]. max(m) is the largest
   * magnitude of each sample.
   */
  forward(z: Complex): { readonly logits: Tensor; readonly complex: Polar } {
    const { magnitude, cos, sin } = lift((v) => this.map.forward(v), z, this.#options);
    const threshold = mul(max(magnitude, 1, { keepAxes: true }), 1 / 3);
    return { logits: sub(magnitude, threshold), complex: polar(magnitude, cos, sin) };
  }
}

function linearMap({ inFeatures, outFeatures, biases = true }: ComplexLinearOptions): Linear {
  return new Linear(inFeatures, outFeatures, { bias: biases });
}
