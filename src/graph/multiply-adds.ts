import type { Dim, Shape } from "./dims.js";
import { coefficientOf, isStatic, sizeOf, symbolsOf } from "./dims.js";
import { intAttribute, stringAttribute } from "./operator.js";
import type { GraphNode } from "./tensor.js";

/** A number of multiply-adds for one sample: every named axis, such as "batch", counts as length 1. */
export interface Count {
  readonly value: number;
  /** Whether `value` is exact. It is a lower bound if an axis length is unknown. */
  readonly exact: boolean;
}

function countOf(dim: Dim): Count {
  if (isStatic(dim)) return { value: dim, exact: true };
  return { value: coefficientOf(dim), exact: !symbolsOf(dim).some((symbol) => symbol.startsWith("?")) };
}

function times(...dims: readonly Dim[]): Count {
  return dims
    .map(countOf)
    .reduce((a, b) => ({ value: a.value * b.value, exact: a.exact && b.exact }), { value: 1, exact: true });
}

/**
 * Number of multiply-adds of a node for one sample; 0 for operators with negligible cost. Multiplications by
 * the zeros of the padding count, as in a direct implementation.
 */
export function multiplyAdds(node: GraphNode): Count {
  const [a, b] = node.inputs;
  const y = node.outputs[0];
  if (a === undefined || b === undefined || y === undefined) return { value: 0, exact: true };
  switch (node.type) {
    case "Conv":
    case "com.microsoft.nchwc::Conv":
      return times(sizeOf(y.shape), ...b.shape.slice(1));
    case "ConvTranspose":
      return times(sizeOf(a.shape), ...b.shape.slice(1));
    case "MatMul":
      return times(sizeOf(y.shape), a.shape.at(-1)!);
    case "com.microsoft::FusedMatMul":
      return times(sizeOf(y.shape), a.shape.at(intAttribute(node.attributes, "transA", 0) === 1 ? -2 : -1)!);
    case "Gemm":
      return times(sizeOf(y.shape), a.shape[intAttribute(node.attributes, "transA", 0) === 1 ? 0 : 1]!);
    case "Einsum":
      return einsum(
        stringAttribute(node.attributes, "equation", ""),
        node.inputs.map((input) => input?.shape ?? []),
      );
    default:
      return { value: 0, exact: true };
  }
}

/**
 * Counts one multiplication for each operand after the first, for each combination of label indices, as in
 * nested loops over all labels.
 */
function einsum(equation: string, shapes: readonly Shape[]): Count {
  const lengths = new Map<string, Dim>();
  const terms = equation.replaceAll(/\s/g, "").split("->")[0]!.split(",");
  for (const [i, term] of terms.entries()) {
    const shape = shapes[i] ?? [];
    const [head = "", tail] = term.split("...");
    const note = (label: string, dim: Dim | undefined): void => {
      // An axis of length 1 broadcasts, so a longer axis with the same label decides.
      if (dim !== undefined && (lengths.get(label) ?? 1) === 1) lengths.set(label, dim);
    };
    Array.from(head).forEach((label, axis) => {
      note(label, shape[axis]);
    });
    if (tail === undefined) continue;
    Array.from(tail).forEach((label, axis) => {
      note(label, shape[shape.length - tail.length + axis]);
    });
    const hidden = shape.slice(head.length, shape.length - tail.length);
    hidden.forEach((dim, axis) => {
      note(`...${hidden.length - axis}`, dim);
    });
  }
  const all = times(...lengths.values());
  return { value: all.value * Math.max(1, shapes.length - 1), exact: all.exact };
}
