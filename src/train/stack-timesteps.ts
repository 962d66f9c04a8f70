import { isStatic } from "../graph/dims.js";
import type { Tensor } from "../graph/index.js";
import { concat, showShape, slice, squeeze, unsqueeze } from "../graph/index.js";
import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/**
 * Stacks the values of all timesteps along a new first axis: [timesteps, ...]. `answerAt` does the opposite.
 */
export function overTime(steps: readonly Tensor[]): Tensor {
  const each = steps.map((step) => unsqueeze(step, [0]));
  return each.length === 1 ? each[0]! : concat(each, 0);
}

/**
 * Returns the value at one timestep of an output [timesteps, ...]. If the output was made by stacking the
 * values of single timesteps, the result is the stacked value itself, so that its graph does not contain
 * later timesteps.
 *
 * @param what names the output in errors
 * @throws StriateError for a timestep that the output does not have
 */
export function answerAt(output: Tensor, timestep: number, what: string): Tensor {
  const count = output.shape[0];
  check(
    count !== undefined && isStatic(count),
    () => `${what}: expected a known number of timesteps, got the shape ${showShape(output.shape)}`,
  );
  checkWhole(`${what}: timestep`, timestep, { from: 0, to: count - 1 });
  const { type, inputs, attributes } = output.node;
  const single = inputs[timestep];
  const joined = type === "Concat" && attributes.axis === 0 && inputs.length === count;
  const own = joined && single?.shape[0] === 1 ? single : undefined;
  return squeeze(own ?? slice(output, [{ axis: 0, start: timestep, end: timestep + 1 }]), [0]);
}
