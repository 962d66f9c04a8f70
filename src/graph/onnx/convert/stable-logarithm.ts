import { sameShape } from "../../dims.js";
import { applySingle } from "../../operator.js";
import { logSigmoid, neg, softplus } from "../../operators/elementwise/elementwise.js";
import { uniformNumber } from "../../operators/known-numbers.js";
import type { GraphNode, Tensor } from "../../tensor.js";

/**
 * The logarithm of x where x was computed by what rounds to 0 or overflows, said with one operator that does neither: ONNX
 * Runtime's Sigmoid is 0 from -18 down, and the exponential of 89 is infinite. Undefined for anything else.
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

/** Whether a constant is 1 throughout, and no larger than what it was combined with. */
function isOne(tensor: Tensor, other: GraphNode, result: Tensor): boolean {
  return uniformNumber(tensor) === 1 && sameShape(other.outputs[0]!.shape, result.shape);
}

/** What computed a value, before copies. */
function maker({ node }: Tensor): GraphNode {
  return node.type === "Identity" ? maker(node.inputs[0]!) : node;
}
