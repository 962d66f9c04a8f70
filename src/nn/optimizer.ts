import type { Tensor } from "../graph/index.js";
import { mul, scaledAdd, scope } from "../graph/index.js";
import { StriateError } from "../util/errors.js";

/** Tensors by parameter name. */
export type Named = ReadonlyMap<string, Tensor>;

/** What an optimizer gets as input in one step. */
export interface OptimizerStep {
  readonly parameters: Named;
  /** The gradient of each parameter. */
  readonly gradients: Named;
  /** Current state of the optimizer: for each slot, one tensor per parameter, by parameter name. */
  readonly slots: Readonly<Record<string, Named>>;
  /** Number of steps that were done before this one (0 in the first step), a scalar. */
  readonly step: Tensor;
  /** The learning rate, a scalar. */
  readonly learningRate: Tensor;
}

/** The parameters and the state after the step, in the same form as in {@link OptimizerStep}. */
export interface OptimizerResult {
  readonly parameters: Named;
  readonly slots: Readonly<Record<string, Named>>;
}

/** A rule that turns gradients into new parameters, written as graph nodes. */
export interface Optimizer {
  readonly name: string;
  /**
   * Names of the tensors that the optimizer keeps for each parameter as its state ("slots"). Each has the
   * parameter's shape and is 0 at first.
   */
  readonly slots: readonly string[];
  update(step: OptimizerStep): OptimizerResult;
}

/**
 * One number for all parameters, or a function from parameter name to number, for instance one that returns 0
 * for biases.
 */
export type PerParameter = number | ((name: string) => number);

/**
 * What a `ParameterRule` gets as input for one parameter. `slots` are in the order in which the optimizer
 * lists them.
 */
export interface ParameterStep {
  readonly name: string;
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly slots: readonly Tensor[];
}

/**
 * Computes the next value of a parameter and of its slots, which must be in the order in which the optimizer
 * lists them.
 */
export type ParameterRule = (step: ParameterStep) => readonly [next: Tensor, ...slots: Tensor[]];

/**
 * Makes an optimizer that updates each parameter separately. `prepare` is called once per step: it computes
 * the values that all parameters share, such as bias corrections, and returns the rule.
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

/** Adds weight decay to the gradient g of a parameter p: g + decay p. */
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
