import { StriateError } from "../../util/errors.js";
import type { Tensor } from "../tensor.js";
import type { ImportedCall } from "./convert.js";

/** What a composition sees of a call: an operator of the standard that is said with others. */
export type ComposedCall = ImportedCall;
export type Composition = (call: ComposedCall) => readonly Tensor[];

/** Input `index`, which must be there. */
export function operand(call: ComposedCall, index: number): Tensor {
  const tensor = call.inputs[index];
  if (tensor === undefined) throw new StriateError(`input ${index} is missing`);
  return tensor;
}
