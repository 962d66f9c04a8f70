import { intAttribute } from "../operator.js";
import { nonZero, unique } from "../operators/found.js";
import { gather } from "../operators/select.js";
import { reshape } from "../operators/shape.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";
import type { Conversion } from "./convert.js";

function axisOf({ attributes }: ComposedCall): number | undefined {
  return typeof attributes.axis === "number" ? attributes.axis : undefined;
}

/** What a condition picks, read by its places: that has a gradient. */
const compress: Composition = (call) => {
  const [x, axis] = [operand(call, 0), axisOf(call)];
  const places = reshape(nonZero(operand(call, 1)), [-1]);
  return [gather(axis === undefined ? reshape(x, [-1]) : x, places, axis ?? 0)];
};

/** The different values, read by the place at which each one stands first. */
const uniqueByPlaces: Conversion = (call) => {
  const [x, axis] = [operand(call, 0), axisOf(call)];
  const sorted = intAttribute(call.attributes, "sorted", 1) === 1;
  const { first, inverse, counts } = unique(x, { sorted, ...(axis !== undefined && { axis }) });
  const values = gather(axis === undefined ? reshape(x, [-1]) : x, first, axis ?? 0);
  return [values, first, inverse, counts];
};

export const FOUND_COMPOSITIONS: readonly (readonly [string, Composition])[] = [["Compress", compress]];
export const FOUND_CONVERSIONS: readonly (readonly [string, Conversion])[] = [["Unique", uniqueByPlaces]];
