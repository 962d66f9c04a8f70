import type { Tensor, TensorData } from "../../../graph/index.js";
import { add, constant, div, input, parameter, sigmoid, split, sub } from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import { checkBetween, checkFinite } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/** The weights of a PCoder's update. The weight of its previous representation is 1 - feedforward - feedback. */
export interface Hyperparameters {
  /** beta: weight of the feed-forward drive. */
  readonly feedforward: number;
  /**
   * lambda: weight of the prediction from the PCoder above. The last PCoder has none above it and does not
   * use lambda.
   */
  readonly feedback: number;
  /** alpha: step size of the descent on the prediction error. */
  readonly error: number;
}

/** The defaults of the authors' code for generated networks. */
export const DEFAULT_HYPERPARAMETERS: Hyperparameters = { feedforward: 0.3, feedback: 0.3, error: 0.01 };

/** Throws `StriateError` unless beta and lambda are in [0, 1], their sum is at most 1, and alpha is finite. */
export function checkHyperparameters({ feedforward, feedback, error }: Hyperparameters, what: string): void {
  for (const [name, value] of Object.entries({ feedforward, feedback })) {
    checkBetween(`${what}: ${name}`, value, 0, 1);
  }
  checkFinite(`${what}: error`, error);
  check(
    feedforward + feedback <= 1 + 1e-6,
    () =>
      `${what}: expected feedforward + feedback of at most 1, got ${feedforward} + ${feedback}: memory would have a negative weight`,
  );
}

/** The hyper-parameters of one PCoder's update as tensors of shape [] or [1]. */
export interface MixingWeights {
  readonly feedforward: Tensor;
  readonly feedback: Tensor;
  readonly error: Tensor;
}

/**
 * Names of the graph inputs for hyper-parameters. Each input holds one value for each PCoder, lowest first.
 */
export const HYPERPARAMETER_INPUTS = ["feedforward", "feedback", "error"] as const;

/**
 * Makes one graph input for each of beta, lambda and alpha, so that one graph serves for all of their values.
 * Each holds one value for each PCoder.
 */
export function hyperparameterInputs(count: number): { inputs: Tensor[]; weights: MixingWeights[] } {
  const inputs = HYPERPARAMETER_INPUTS.map((name) => input(name, [count]));
  const parts = inputs.map((vector) =>
    count === 1 ? [vector] : split(vector, Array<number>(count).fill(1), 0),
  );
  return {
    inputs,
    weights: Array.from({ length: count }, (_, i) => ({
      feedforward: parts[0]![i]!,
      feedback: parts[1]![i]!,
      error: parts[2]![i]!,
    })),
  };
}

/** Makes the hyper-parameters of each PCoder as constants of a graph. */
export function hyperparameterConstants(values: readonly Hyperparameters[]): MixingWeights[] {
  return values.map(({ feedforward, feedback, error }) => ({
    feedforward: constant(feedforward),
    feedback: constant(feedback),
    error: constant(error),
  }));
}

/**
 * The hyper-parameters of one PCoder as unconstrained numbers, which the authors' code calls ff_part,
 * fb_part, mem_part and errorm.
 */
export type Parts = readonly [feedforward: number, feedback: number, memory: number, error: number];

/**
 * Converts hyper-parameters to parts. The parts of beta, lambda and memory = 1 - beta - lambda are their
 * logits, -ln((1 - v) / v) for a value v; alpha is unchanged. The part of 0 is -Infinity, which converts back
 * to 0. Memory is clipped at 0, because rounding can make it slightly negative; the authors' code then stores
 * NaN.
 */
export function partsFromValues({ feedforward, feedback, error }: Hyperparameters): Parts {
  const single = Math.fround;
  const memory = Math.max(0, single(single(1 - single(feedforward)) - single(feedback)));
  const part = (value: number): number => -Math.log((1 - value) / value);
  return [part(single(feedforward)), part(single(feedback)), part(memory), error];
}

/**
 * Converts parts to hyper-parameters: beta = s(ff) / S and lambda = s(fb) / S, where s is the logistic
 * function and S = s(ff) + s(fb) + s(mem).
 */
export function valuesFromParts([ff, fb, mem, error]: Parts): Hyperparameters & { readonly memory: number } {
  const [a, b, c] = [ff, fb, mem].map((part) => 1 / (1 + Math.exp(-part))) as [number, number, number];
  const total = a + b + c;
  return { feedforward: a / total, feedback: b / total, memory: c / total, error };
}

/**
 * Computes {@link valuesFromParts} in a graph, so that gradients with respect to the parts can be computed.
 */
export function weightsFromParts(parts: readonly Tensor[]): MixingWeights {
  const [ff, fb, mem, error] = parts as [Tensor, Tensor, Tensor, Tensor];
  const [a, b, c] = [sigmoid(ff), sigmoid(fb), sigmoid(mem)];
  const total = add(add(a, b), c);
  return { feedforward: div(a, total), feedback: div(b, total), error };
}

/**
 * Names of the parts in the authors' code. If every PCoder has its own parts, the number of the PCoder, from
 * 1, is added.
 */
export const PART_NAMES = ["ff_part", "fb_part", "mem_part", "errorm"] as const;

/**
 * Makes trainable parts, named as in {@link PART_NAMES}: one set for all PCoders if `shared` is true,
 * otherwise one for each.
 */
export function trainableParts(
  values: readonly Hyperparameters[],
  shared: boolean,
): { parameters: Record<string, Tensor>; weights: MixingWeights[] } {
  const parameters: Record<string, Tensor> = {};
  const sets = (shared ? values.slice(0, 1) : values).map((set, i) => {
    const start = partsFromValues(set);
    return PART_NAMES.map((name, p) => {
      const tensor = parameter([], fill(start[p]!));
      parameters[shared ? name : `${name}${i + 1}`] = tensor;
      return tensor;
    });
  });
  const weights = sets.map(weightsFromParts);
  return { parameters, weights: values.map((_, i) => weights[shared ? 0 : i]!) };
}

/**
 * Computes the hyper-parameters of `count` PCoders from trained parts, which may be one shared set or one for
 * each PCoder.
 */
export function hyperparametersOf(parts: ReadonlyMap<string, TensorData>, count: number): Hyperparameters[] {
  const shared = parts.has(PART_NAMES[0]);
  return Array.from({ length: count }, (_, i) => {
    const set = PART_NAMES.map((name) => {
      const value = parts.get(shared ? name : `${name}${i + 1}`);
      check(value, () => `hyper-parameters: expected a value "${name}", got none`);
      return Number(value.data[0]);
    });
    const { feedforward, feedback, error } = valuesFromParts(set as [number, number, number, number]);
    return { feedforward, feedback, error };
  });
}

/**
 * Computes the weight of the previous representation: 1 - beta - lambda, or 1 - beta without feedback. This
 * is done in single precision inside the graph, as in the authors' code.
 */
export function memoryOf({ feedforward, feedback }: MixingWeights, hasFeedback: boolean): Tensor {
  const rest = sub(1, feedforward);
  return hasFeedback ? sub(rest, feedback) : rest;
}
