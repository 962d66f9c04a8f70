import type { Initialiser, Tensor } from "../../graph/index.js";
import { gemm, parameter, reshape, scope, showShape } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import { torchDefault } from "../init.js";
import type { Layer } from "./layer.js";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean;
  /** Default: PyTorch's, uniform in ±1 / sqrt(inputs). */
  readonly weightInitialiser?: Initialiser;
  /** Default: PyTorch's, uniform in ±1 / sqrt(inputs). */
  readonly biasInitialiser?: Initialiser;
}

/**
 * Linear layer y = x W^T + b over the last axis of x, equal to PyTorch's `nn.Linear`. It maps [..., inputs]
 * to [..., outputs]. `weight` has the shape [outputs, inputs] and `bias` [outputs]. Throws `StriateError` if
 * the last axis of x does not have the length `inputs`.
 *
 * @example
 * ```ts
 * import { Linear, namedParameters } from "striate";
 * import { input } from "striate/graph";
 *
 * const layer = new Linear(100, 10);
 * console.log([...namedParameters({ layer }).keys()].join(", ")); // layer.weight, layer.bias
 * console.log(layer.forward(input("x", ["batch", 100])).shape.join(", ")); // batch, 10
 * ```
 */
export class Linear implements Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(
    readonly inputs: number,
    readonly outputs: number,
    options: LinearOptions = {},
  ) {
    const standard = torchDefault(inputs);
    const { bias = true, weightInitialiser = standard, biasInitialiser = standard } = options;
    this.weight = parameter([outputs, inputs], weightInitialiser);
    this.bias = bias ? parameter([outputs], biasInitialiser) : undefined;
  }

  forward(x: Tensor): Tensor {
    return scope("linear", () => linear(x, this.weight, this.bias));
  }
}

/**
 * Computes x W^T + b over the last axis of x for a weight W of shape [outputs, inputs], as a single matrix
 * product.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs, inputs] = [weight.shape[0]!, weight.shape[1]!];
  check(
    x.rank > 0 && x.shape.at(-1) === inputs,
    () => `linear layer: expected [..., ${inputs}], got ${showShape(x.shape)}`,
  );
  if (x.rank === 2) return gemm(x, weight, bias, { transB: 1 });
  const rows = gemm(reshape(x, [-1, inputs]), weight, bias, { transB: 1 });
  return reshape(rows, [...x.shape.slice(0, -1), outputs]);
}
