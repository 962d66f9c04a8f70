import { StriateError } from "../../../util/errors.js";
import { applySingle } from "../../operator.js";
import {
  add,
  greater,
  hardSigmoid,
  leakyRelu,
  mul,
  relu,
  sigmoid,
  softplus,
  softsign,
  tanh,
  where,
} from "../../operators/elementwise/elementwise.js";
import type { Attributes, Tensor } from "../../tensor.js";

export type Activation = (x: Tensor) => Tensor;

interface Kind {
  readonly alpha?: number;
  readonly beta?: number;
  readonly of: (x: Tensor, alpha: number, beta: number) => Tensor;
}

/** The activation functions of recurrent operators, with default values of their parameters. */
const KINDS: Readonly<Record<string, Kind>> = {
  relu: { of: relu },
  tanh: { of: tanh },
  sigmoid: { of: sigmoid },
  softsign: { of: softsign },
  softplus: { of: softplus },
  affine: { alpha: 1, beta: 0, of: (x, alpha, beta) => add(mul(x, alpha), beta) },
  leakyrelu: { alpha: 0.01, of: (x, alpha) => leakyRelu(x, alpha) },
  thresholdedrelu: { alpha: 1, of: (x, alpha) => where(greater(x, alpha), x, 0) },
  scaledtanh: { alpha: 1, beta: 1, of: (x, alpha, beta) => mul(tanh(mul(x, beta)), alpha) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, of: hardSigmoid },
  elu: { alpha: 1, of: (x, alpha) => applySingle("Elu", [x], { alpha: { float: alpha } }) },
};

/**
 * The activations of a recurrent operator, in order; those of `defaults` if it names none. Functions that
 * have parameters take their values from the lists `activation_alpha` and `activation_beta` in the same
 * order.
 */
export function activationsOf(attributes: Attributes, defaults: readonly string[]): Activation[] {
  const { activations: named, activation_alpha: alphas, activation_beta: betas } = attributes;
  const names = typeof named === "object" && "strings" in named ? named.strings : defaults;
  if (names.length !== defaults.length) {
    throw new StriateError(`expected ${defaults.length} activations, got ${names.length}`);
  }
  const numbers = (list: typeof alphas) => [
    ...(typeof list === "object" && "floats" in list ? list.floats : []),
  ];
  const [alpha, beta] = [numbers(alphas), numbers(betas)];
  return names.map((name) => {
    const kind = KINDS[name.toLowerCase()];
    if (kind === undefined)
      throw new StriateError(`expected activations of the ONNX standard, got "${name}"`);
    const a = kind.alpha === undefined ? 0 : (alpha.shift() ?? kind.alpha);
    const b = kind.beta === undefined ? 0 : (beta.shift() ?? kind.beta);
    return (x) => kind.of(x, a, b);
  });
}
