import { StriateError } from "../../../util/errors.js";
import { floatAttribute, stringAttribute } from "../../operator.js";
import {
  add,
  cast,
  div,
  greater,
  mul,
  pow,
  sqrt,
  square,
  sub,
  where,
} from "../../operators/elementwise/elementwise.js";
import { reshape } from "../../operators/shape/shape.js";
import type { Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import type { ComposedCall, Composition } from "./composed-call.js";
import { operand } from "./composed-call.js";

/* Optimizers of the domain ai.onnx.preview.training, by the formulas of the standard. */

interface Update {
  /** The learning rate and the number of the update, both scalars. */
  readonly rate: Tensor;
  readonly count: Tensor;
  /** A value that is optimized, its gradient (with the penalty of the values' squares), and its states. */
  readonly x: Tensor;
  readonly slope: Tensor;
  readonly states: readonly Tensor[];
  readonly number: (name: string, fallback?: number) => number;
}

/** Applies an update to each tensor of the call: inputs and results are grouped by kind (all X, all G, all states). */
function optimizer(
  stateCount: number,
  update: (one: Update, call: ComposedCall) => readonly Tensor[],
): Composition {
  return (call) => {
    const tensors = call.inputs.length - 2;
    const groups = 2 + stateCount;
    if (tensors < groups || tensors % groups !== 0)
      throw new StriateError(
        `expected R, T and ${groups} tensors for each one that is optimized, got ${call.inputs.length} inputs`,
      );
    const many = tensors / groups;
    const number = (name: string, fallback?: number): number => {
      const value = floatAttribute(call.attributes, name, fallback ?? NaN);
      if (Number.isNaN(value)) throw new StriateError(`its attribute "${name}" is missing`);
      return value;
    };
    const results = Array.from({ length: many }, (_, i) => {
      const [x, gradient, ...states] = Array.from({ length: groups }, (_, kind) =>
        operand(call, 2 + kind * many + i),
      ) as [Tensor, Tensor, ...Tensor[]];
      const scalar = (index: number) => cast(reshape(operand(call, index), []), x.dtype);
      const slope = add(mul(x, number("norm_coefficient", 0)), gradient);
      return update({ rate: scalar(0), count: scalar(1), x, slope, states, number }, call);
    });
    return Array.from({ length: 1 + stateCount }, (_, kind) => results.map((made) => made[kind]!)).flat();
  };
}

const adagrad = optimizer(1, ({ rate, count, x, slope, states: [sum], number }) => {
  const decayed = div(rate, add(mul(count, number("decay_factor", 0)), 1));
  const next = add(sum!, square(slope));
  return [sub(x, div(mul(decayed, slope), add(sqrt(next), number("epsilon", 1e-6)))), next];
});

const adam = optimizer(2, ({ rate, count, x, slope, states: [mean, spread], number }) => {
  const [alpha, beta] = [number("alpha", 0.9), number("beta", 0.999)];
  const v = add(mul(mean!, alpha), mul(slope, 1 - alpha));
  const h = add(mul(spread!, beta), mul(square(slope), 1 - beta));
  const missing = (base: number) => sub(1, pow(constant(base, [], x.dtype), count));
  // The other side of Where is computed in any case, so the first update must not divide by 0 there.
  const isLater = greater(count, 0);
  const corrected = div(mul(rate, sqrt(missing(beta))), where(isLater, missing(alpha), 1));
  const adjusted = where(isLater, corrected, rate);
  const moved = sub(x, div(mul(adjusted, v), add(sqrt(h), number("epsilon", 1e-6))));
  return [mul(moved, 1 - number("norm_coefficient_post", 0)), v, h];
});

const momentum = optimizer(1, ({ rate, count, x, slope, states: [velocity], number }, { attributes }) => {
  const mode = stringAttribute(attributes, "mode", "");
  if (mode !== "standard" && mode !== "nesterov")
    throw new StriateError(`expected the mode standard or nesterov, got "${mode}"`);
  const alpha = number("alpha");
  const share = where(greater(count, 0), number("beta"), 1);
  const next = add(mul(velocity!, alpha), mul(slope, cast(share, x.dtype)));
  const step = mode === "standard" ? next : add(slope, mul(next, alpha));
  return [sub(x, mul(rate, step)), next];
});

const DOMAIN = "ai.onnx.preview.training";

export const TRAINING_OPERATORS: readonly (readonly [string, Composition])[] = [
  [`${DOMAIN}::Adagrad`, adagrad],
  [`${DOMAIN}::Adam`, adam],
  [`${DOMAIN}::Momentum`, momentum],
];
