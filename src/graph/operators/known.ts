import { isStatic } from "../dims.js";
import type { Call } from "../operator.js";
import { misfit, required } from "../operator.js";

/** Whole numbers of an int64 input that must be known while tracing. */
export function knownNumbers(call: Call, index: number, name: string): readonly number[] {
  const known = required(call, index, name).known;
  if (!known?.every(isStatic)) misfit(call, `${name} must be known when the graph is built`);
  return known;
}
