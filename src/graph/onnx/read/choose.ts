import { StriateError } from "../../../util/errors.js";
import { sameShape, showShape } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { applySingle } from "../../operator.js";
import { and, cast, not, or, where } from "../../operators/elementwise/elementwise.js";
import { knownNumber } from "../../operators/known-numbers.js";
import { reshape } from "../../operators/shape/shape.js";
import type { Tensor } from "../../tensor.js";
import { constant, isParameter } from "../../tensor.js";
import type { Item } from "./sequences.js";
import { isSequence } from "./sequences.js";

/*
 * Conditions that are known only when the graph runs. The graph computes both branches of such an If, and
 * every iteration that such a Loop may have, and Where selects the results. Both have the same gradients as
 * the file: the gradient of a result reaches only the branch that is selected.
 */

const GATED: ReadonlySet<DType> = new Set(["float32", "float64", "float16", "bfloat16"]);
/** Element types for which the Where of ONNX Runtime has no kernel, by a type that holds all their values. */
const WIDER: ReadonlyMap<DType, DType> = new Map([
  ["int8", "int32"],
  ["int16", "int32"],
  ["uint16", "int32"],
  ["uint32", "int64"],
]);

/** A condition as a number if it is known when the file is read, else as a bool scalar. */
export function flagOf(condition: Tensor): boolean | Tensor {
  const known = knownNumber(condition);
  if (known !== undefined) return known !== 0;
  return condition.rank === 0 ? condition : reshape(condition, []);
}

/**
 * Returns a function for the tensors that a branch reads from outside: where the branch is not selected, it
 * replaces floating-point numbers by 1. The branch then computes with harmless numbers, and no gradient leaves
 * it, not even a NaN (which 0 times an infinite slope would be). Parameters and constants stay as they are, so
 * that the runtime can still prepare them.
 */
export function gateOf(isSelected: Tensor): (tensor: Tensor) => Tensor {
  const gated = new Map<Tensor, Tensor>();
  return (tensor) => {
    const isFixed = isParameter(tensor) || tensor.node.leaf?.kind === "constant";
    if (isFixed || tensor.known !== undefined || !GATED.has(tensor.dtype)) return tensor;
    const made =
      gated.get(tensor) ?? applySingle("Where", [isSelected, tensor, constant(1, [], tensor.dtype)]);
    gated.set(tensor, made);
    return made;
  };
}

/** Whether both flags are true. */
export function both(a: boolean | Tensor, b: boolean | Tensor): boolean | Tensor {
  if (typeof a === "boolean") return a && b;
  if (typeof b === "boolean") return b && a;
  return and(a, b);
}

/**
 * The item a if the flag is true, else b.
 *
 * @throws StriateError if the two differ in kind, type or shape, because these must be known when the file is read
 */
export function chosen(flag: Tensor, a: Item, b: Item): Item {
  if (a === b) return a;
  if (a !== undefined && b !== undefined) {
    if (!isSequence(a) && !isSequence(b)) return chosenTensor(flag, a, b);
    if (isSequence(a) && isSequence(b) && a.length === b.length)
      return a.map((tensor, i) => chosenTensor(flag, tensor, b[i]!));
  }
  throw refused(described(a), described(b));
}

function described(item: Item): string {
  if (item === undefined) return "an empty optional value";
  return isSequence(item) ? `a sequence of length ${item.length}` : "a tensor";
}

function chosenTensor(flag: Tensor, a: Tensor, b: Tensor): Tensor {
  if (a === b) return a;
  const text = ({ dtype, shape }: Tensor) => `${dtype}${showShape(shape)}`;
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) throw refused(text(a), text(b));
  if (a.dtype === "bool") return or(and(flag, a), and(not(flag), b));
  const wider = WIDER.get(a.dtype);
  return wider === undefined ? where(flag, a, b) : cast(where(flag, cast(a, wider), cast(b, wider)), a.dtype);
}

function refused(a: string, b: string): StriateError {
  return new StriateError(
    `its condition depends on an input, so both results must have the same type and shape, got ${a} and ${b}: give the value of the input in inputValues`,
  );
}
