import { sameShape } from "../../dims.js";
import { applySingle, defineOperator, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { mul, sub } from "../elementwise/elementwise.js";
import { matmul, transposeMatrix } from "./matmul.js";
import { sum } from "../reduce/reduce.js";
import { softmax } from "../reduce/softmax.js";

function weightsOf(query: Tensor, key: Tensor): Tensor {
  return softmax(matmul(query, transposeMatrix(key)));
}

defineOperator({
  type: "DotProductAttention",
  infer: (call) => {
    const [q, k, v] = [required(call, 0, "query"), required(call, 1, "key"), required(call, 2, "value")];
    const lead = (x: Tensor) => x.shape.slice(0, -2);
    const fits =
      Math.min(q.rank, k.rank, v.rank) >= 2 &&
      sameShape(lead(q), lead(k)) &&
      sameShape(lead(q), lead(v)) &&
      q.shape.at(-1) === k.shape.at(-1) &&
      k.shape.at(-2) === v.shape.at(-2);
    if (!fits) rejectCall(call, "expected [..., queries, width], [..., keys, width] and [..., keys, values]");
    return [{ dtype: q.dtype, shape: [...q.shape.slice(0, -1), v.shape.at(-1)!] }];
  },
  // The weights A are traced again, but `lower` merges equal calls. The gradient of the softmax needs the sum
  // over keys of A dA. This sum equals dy · y, which takes only as many products as the output has elements.
  gradient: (call, q, k, v) => {
    const { dy, y } = call;
    const weights = weightsOf(q, k);
    const scores = () => {
      const total = sum(mul(dy, y), -1, { keepAxes: true });
      return mul(weights, sub(matmul(dy, transposeMatrix(v)), total));
    };
    const dScores = call.needs(0) || call.needs(1) ? scores() : undefined;
    return [
      dScores && (() => matmul(dScores, k)),
      dScores && (() => matmul(transposeMatrix(dScores), q)),
      () => matmul(transposeMatrix(weights), dy),
    ];
  },
  lower: (call) => {
    const [q, k, v] = [call.inputs[0]!, call.inputs[1]!, call.inputs[2]!];
    return [matmul(weightsOf(q, k), v)];
  },
});

/**
 * Computes softmax(Q K^T) V over the last two axes. This is eq. 1 of Vaswani et al. 2017 (arXiv:1706.03762)
 * without the factor 1 / sqrt(width). Multiply the weights that make the queries by this factor: there, it
 * costs nothing.
 */
export function dotProductAttention(query: Tensor, key: Tensor, value: Tensor): Tensor {
  return applySingle("DotProductAttention", [query, key, value]);
}
