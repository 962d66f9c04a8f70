import { isStatic } from "../graph/dims.js";
import type { Tensor } from "../graph/index.js";
import { concat, showShape, slice, squeeze, unsqueeze } from "../graph/index.js";
import { check } from "../util/errors.js";

/** Values of every timestep behind one another: [timesteps, ...]. `answerAt` is the way back. */
export function overTime(steps: readonly Tensor[]): Tensor {
  const each = steps.map((step) => unsqueeze(step, [0]));
  return each.length === 1 ? each[0]! : concat(each, 0);
}

/**
 * The answers at one timestep out of an output [timesteps, ...]. Where the output joins answers of single timesteps, the
 * answer itself is given: what later timesteps need is then no part of its graph.
 *
 * @param what names the output in errors
 * @throws StriateError for a timestep that the output does not have
 */
export function answerAt(output: Tensor, timestep: number, what: string): Tensor {
  const count = output.shape[0];
  check(
    count !== undefined && isStatic(count),
    () =>
      `${what}: expected answers for a known number of timesteps, its shape is ${showShape(output.shape)}`,
  );
  check(
    Number.isInteger(timestep) && timestep >= 0 && timestep < count,
    () => `${what}: it has the timesteps 0 to ${count - 1}, got ${timestep}`,
  );
  const { type, inputs, attributes } = output.node;
  const single = inputs[timestep];
  const joined = type === "Concat" && attributes.axis === 0 && inputs.length === count;
  const own = joined && single?.shape[0] === 1 ? single : undefined;
  return squeeze(own ?? slice(output, [{ axis: 0, start: timestep, end: timestep + 1 }]), [0]);
}
