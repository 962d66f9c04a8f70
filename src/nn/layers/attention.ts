import type { Tensor } from "../../graph/index.js";
import {
  add,
  maskedSoftmax,
  matmul,
  mul,
  parameter,
  reshape,
  scope,
  slice,
  softmax,
  transpose,
} from "../../graph/index.js";
import { checkMultiple, checkShape } from "../../util/check.js";
import { xavierUniform, zeros } from "../init.js";
import { Linear, linear } from "./linear.js";

/** Options of `MultiHeadAttention`. */
export interface MultiHeadAttentionOptions {
  /** Whether all four projections have a bias. Default true. */
  readonly bias?: boolean;
}

/**
 * Multi-head attention (Vaswani et al. 2017, arXiv:1706.03762, eq. 1 and section 3.2.2): each head computes
 * softmax(Q K^T / sqrt(width / heads) + mask) V. `inProjWeight`, [3 width, width], stacks the projections of
 * query, key and value; its weights start Xavier-uniform and its biases at 0. `outProj` mixes the heads; it
 * starts with the default weights of a linear layer and biases of 0. The layer equals PyTorch's
 * `nn.MultiheadAttention` with `batch_first`. Throws `StriateError` if the number of heads does not divide
 * the width.
 */
export class MultiHeadAttention {
  readonly inProjWeight: Tensor;
  readonly inProjBias: Tensor | undefined;
  readonly outProj: Linear;

  constructor(
    readonly width: number,
    readonly heads: number,
    options: MultiHeadAttentionOptions = {},
  ) {
    checkMultiple("attention: width", width, heads);
    const { bias = true } = options;
    this.inProjWeight = parameter([3 * width, width], xavierUniform());
    this.inProjBias = bias ? parameter([3 * width], zeros) : undefined;
    this.outProj = new Linear(width, width, { bias, biasInitialiser: zeros });
  }

  /**
   * Maps queries [batch, tokens, width] to a result of the same shape. `keys` and `values` have the shape
   * [batch, otherTokens, width]. By default, `keys` are the queries (self-attention) and `values` are the
   * keys. `mask` is added to the scores, [batch, heads, tokens, otherTokens], with broadcasting. If a row of
   * the mask is -Infinity for all of the other tokens, the heads return zeros for that token.
   */
  forward(query: Tensor, keys: Tensor = query, values: Tensor = keys, mask?: Tensor): Tensor {
    for (const x of [query, keys, values]) {
      checkShape("attention", x.shape, ["batch", "tokens", this.width]);
    }
    return scope("attention", () => {
      const [q, k, v] = this.#project(query, keys, values);
      const scale = 1 / Math.sqrt(this.width / this.heads);
      const scores = matmul(mul(this.#split(q, [0, 2, 1, 3]), scale), this.#split(k, [0, 2, 3, 1]));
      const weights = mask === undefined ? softmax(scores) : maskedSoftmax(add(scores, mask));
      const mixed = transpose(matmul(weights, this.#split(v, [0, 2, 1, 3])), [0, 2, 1, 3]);
      return this.outProj.forward(reshape(mixed, query.shape));
    });
  }

  /** Projects query, key and value. In self-attention, one product computes all three. */
  #project(query: Tensor, keys: Tensor, values: Tensor): [Tensor, Tensor, Tensor] {
    const part = (x: Tensor, i: number, axis: number) =>
      slice(x, [{ axis, start: i * this.width, end: (i + 1) * this.width }]);
    if (query === keys && keys === values) {
      const all = linear(query, this.inProjWeight, this.inProjBias);
      return [part(all, 0, 2), part(all, 1, 2), part(all, 2, 2)];
    }
    const project = (x: Tensor, i: number) =>
      linear(x, part(this.inProjWeight, i, 0), this.inProjBias && part(this.inProjBias, i, 0));
    return [project(query, 0), project(keys, 1), project(values, 2)];
  }

  /** Splits [batch, tokens, width] into heads and permutes the axes [batch, tokens, heads, part]. */
  #split(x: Tensor, order: readonly number[]): Tensor {
    const [batch, tokens] = x.shape;
    return transpose(reshape(x, [batch!, tokens!, this.heads, this.width / this.heads]), order);
  }
}
