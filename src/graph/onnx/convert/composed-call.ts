import { StriateError } from "../../../util/errors.js";
import { isStatic } from "../../dims.js";
import type { Tensor } from "../../tensor.js";
import { constantData } from "../../tensor.js";
import type { ImportedCall } from "./conversion.js";

/** A call of a standard operator that a composition of other operators replaces. */
export type ComposedCall = ImportedCall;
export type Composition = (call: ComposedCall) => readonly Tensor[];

/** Returns input `index`, which must be present. */
export function operand(call: ComposedCall, index: number): Tensor {
  const tensor = call.inputs[index];
  if (tensor === undefined) throw new StriateError(`input ${index} is missing`);
  return tensor;
}

/** The integers of an operand that is known when the file is read. */
export function numbersOf(call: ComposedCall, index: number, what: string): readonly number[] {
  const tensor = operand(call, index);
  const data = constantData(tensor)?.data;
  const known = data ? Array.from(data as ArrayLike<number | bigint>, Number) : tensor.known;
  if (!known?.every(isStatic))
    throw new StriateError(
      `its ${what} must be known when the file is read: fix the shapes of the inputs (inputShapes)`,
    );
  return known;
}
