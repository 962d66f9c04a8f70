import { sameShape } from "../../dims.js";
import { applySingle } from "../../operator.js";
import { logSigmoid, neg, softplus } from "../../operators/elementwise/elementwise.js";
import { uniformNumber } from "../../operators/known-numbers.js";
import type { GraphNode, Tensor } from "../../tensor.js";

/**
 * Computes the logarithm of x with one stable operator if x comes from an operator that underflows or
 * overflows: ONNX Runtime's Sigmoid is 0 below -18, and the exponential of 89 is infinite. Returns undefined
 * for any other x.
 */
export function stableLogarithm(x: Tensor): Tensor | undefined {
  const node = maker(x);
  const [first, second] = node.inputs;
  switch (node.type) {
    case "Sigmoid":
      return logSigmoid(first!);
    case "Softmax":
      return applySingle("LogSoftmax", [first], node.attributes);
    case "Sub": {
      const inner = maker(second!);
      return inner.type === "Sigmoid" && isOne(first!, inner, x)
        ? logSigmoid(neg(inner.inputs[0]!))
        : undefined;
    }
    case "Add":
      return logOnePlusExp(first!, second!, x) ?? logOnePlusExp(second!, first!, x);
    default:
      return undefined;
  }
}

function logOnePlusExp(one: Tensor, exponential: Tensor, x: Tensor): Tensor | undefined {
  const inner = maker(exponential);
  return inner.type === "Exp" && isOne(one, inner, x) ? softplus(inner.inputs[0]!) : undefined;
}

/** Whether a constant is 1 everywhere and broadcasting it does not enlarge the other operand. */
function isOne(tensor: Tensor, other: GraphNode, result: Tensor): boolean {
  return uniformNumber(tensor) === 1 && sameShape(other.outputs[0]!.shape, result.shape);
}

/** The node that computed a value. Identity nodes are skipped. */
function maker({ node }: Tensor): GraphNode {
  return node.type === "Identity" ? maker(node.inputs[0]!) : node;
}
