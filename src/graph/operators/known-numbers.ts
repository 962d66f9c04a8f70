import { float16ToFloat32 } from "../../util/half.js";
import { isStatic } from "../dims.js";
import { holdsNumbers } from "../dtype.js";
import type { Call } from "../operator.js";
import { rejectCall, required } from "../operator.js";
import type { Tensor } from "../tensor.js";
import { constantData } from "../tensor.js";

/** The integers of an int64 input, which must be known while tracing. */
export function knownNumbers(call: Call, index: number, name: string): readonly number[] {
  const known = required(call, index, name).known;
  if (!known?.every(isStatic)) rejectCall(call, `${name} must be known when the graph is built`);
  return known;
}

/**
 * The first element of a tensor (a number or boolean) if a constant or shape arithmetic makes it known while
 * tracing, else undefined.
 */
export function knownNumber(x: Tensor): number | undefined {
  const data = constantData(x)?.data[0];
  if (data !== undefined) return Number(data);
  const known = x.known?.[0];
  return known !== undefined && isStatic(known) ? known : undefined;
}

/**
 * If all elements of a constant are the same number, this number, else undefined. The constant may be cast to
 * another type.
 */
export function uniformNumber(x: Tensor): number | undefined {
  const data = constantData(x.node.type === "Cast" ? x.node.inputs[0]! : x);
  if (data === undefined) return undefined;
  const values = data.data as ArrayLike<number | bigint>;
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return undefined;
  const first = values.length === 0 ? undefined : Number(values[0]);
  if (first === undefined || holdsNumbers(data.dtype)) return first;
  if (data.dtype !== "float16") return undefined;
  return float16ToFloat32(Uint16Array.of(first))[0];
}
