import { isStatic, isStaticShape, normaliseAxis } from "../../dims.js";
import { allocate } from "../../dtype.js";
import type { DType } from "../../dtype.js";
import { apply, intAttribute, operatorOf } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import type { Conversion, ImportedCall } from "./conversion.js";

/*
 * Striate's graphs have no axes of length 0, but ONNX files may have them: a file may split off an empty
 * rest, or append to a tensor that is empty at first. While a file is read, such a tensor is a constant
 * without elements, and a concatenation leaves it out.
 */

function isEmpty(x: Tensor | undefined): boolean {
  return x?.shape.includes(0) === true;
}

/** A tensor that has an axis of length 0. */
export function withoutElements(dtype: DType, shape: readonly number[]): Tensor {
  return constant({ dtype, shape, data: allocate(dtype, 0) });
}

/** The results of a call none of whose results has an element, or undefined for any other call. */
export function emptyResults(call: ImportedCall): readonly Tensor[] | undefined {
  const types = operatorOf(call.type)!.infer(call);
  const made = types.map(({ dtype, shape }) =>
    isStaticShape(shape) && shape.includes(0) ? withoutElements(dtype, shape) : undefined,
  );
  return made.every((tensor) => tensor !== undefined) ? made : undefined;
}

/** Removes the empty operands of a Concat. */
export const joinWithoutEmpty: Conversion = (call) => {
  const filled = call.inputs.filter((x) => !isEmpty(x));
  if (filled.length === 0 || filled.length === call.inputs.length) return call;
  return filled.length === 1 && filled[0] !== undefined ? [filled[0]] : { ...call, inputs: filled };
};

/** Converts a Split of which some parts have length 0. */
export const splitWithEmpty: Conversion = (call) => {
  const [x, sizes] = [call.inputs[0], call.inputs[1]?.known];
  if (x === undefined || !isStaticShape(x.shape) || !sizes?.every(isStatic) || !sizes.includes(0))
    return call;
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, call.type);
  const filled = sizes.filter((size) => size !== 0);
  if (filled.length === 0 || sizes.length !== call.outputCount) return call;
  const parts =
    filled.length === 1 && filled[0] === x.shape[axis]
      ? [x]
      : apply("Split", [x, integers(filled)], { axis }, { outputs: filled.length });
  const none = withoutElements(x.dtype, x.shape.with(axis, 0));
  const rest = [...parts];
  return sizes.map((size) => (size === 0 ? none : rest.shift()!));
};
