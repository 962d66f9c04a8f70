import type { Tensor } from "../graph/index.js";
import { mul, scaledAdd, scope } from "../graph/index.js";
import { StriateError } from "../util/errors.js";

/** Tensors by parameter name. */
export type Named = ReadonlyMap<string, Tensor>;

/** The inputs of an optimizer in one step. */
export interface OptimizerStep {
  readonly parameters: Named;
  /** One gradient per parameter. */
  readonly gradients: Named;
  /** Current state of the optimizer: tensors by parameter name for each of its slots. */
  readonly slots: Readonly<Record<string, Named>>;
  /** Number of steps done before this one (0 in the first), a scalar. */
  readonly step: Tensor;
  /** Scalar. */
  readonly learningRate: Tensor;
}

/** Next values, in the same form as in {@link OptimizerStep}. */
export interface OptimizerResult {
  readonly parameters: Named;
  readonly slots: Readonly<Record<string, Named>>;
}

/** A rule that turns gradients into new parameters, written as graph nodes. */
export interface Optimizer {
  readonly name: string;
  /** Names of the state that the optimizer keeps for each parameter, of the shape of the parameter and initially 0. */
  readonly slots: readonly string[];
  update(step: OptimizerStep): OptimizerResult;
}

/** A number for all parameters, or one by parameter name (0 leaves biases alone, for instance). */
export type PerParameter = number | ((name: string) => number);

/** The inputs of the rule for one parameter; `slots` are in the optimizer's order. */
export interface ParameterStep {
  readonly name: string;
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly slots: readonly Tensor[];
}

/** The next parameter and its next slots, in the optimizer's order. */
export type ParameterRule = (step: ParameterStep) => readonly [next: Tensor, ...slots: Tensor[]];

/**
 * Makes an optimizer that updates each parameter separately. `prepare` computes once what all parameters share (such as
 * bias corrections) and returns the rule.
 */
export function perParameter(
  name: string,
  slots: readonly string[],
  prepare: (step: OptimizerStep) => ParameterRule,
): Optimizer {
  return {
    name,
    slots,
    update: (step) =>
      scope(name, () => {
        const rule = prepare(step);
        const next = new Map<string, Tensor>();
        const nextSlots = Object.fromEntries(slots.map((slot) => [slot, new Map<string, Tensor>()]));
        for (const [key, parameter] of step.parameters) {
          const [moved, ...states] = rule({
            name: key,
            parameter,
            gradient: tensorOf(step.gradients, key, "gradient"),
            slots: slots.map((slot) => tensorOf(step.slots[slot], key, slot)),
          });
          next.set(key, moved);
          slots.forEach((slot, i) => nextSlots[slot]!.set(key, states[i]!));
        }
        return { parameters: next, slots: nextSlots };
      }),
  };
}

function tensorOf(tensors: Named | undefined, name: string, what: string): Tensor {
  const found = tensors?.get(name);
  if (found === undefined) throw new StriateError(`optimizer: parameter "${name}" has no ${what}`);
  return found;
}

/** Weight decay as a part of the gradient: g + decay p. */
export function withDecay({ gradient, parameter, name }: ParameterStep, weightDecay: PerParameter): Tensor {
  const decay = valueFor(weightDecay, name);
  return decay === 0 ? gradient : scaledAdd(parameter, decay, gradient);
}

export function valueFor(value: PerParameter, name: string): number {
  return typeof value === "number" ? value : value(name);
}

/** Exponential mean: decay old + (1 - decay) fresh. */
export function movingMean(old: Tensor, fresh: Tensor, decay: number): Tensor {
  return scaledAdd(old, decay, mul(fresh, 1 - decay));
}
