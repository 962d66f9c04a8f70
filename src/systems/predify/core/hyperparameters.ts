import type { Tensor, TensorData } from "../../../graph/index.js";
import { add, constant, div, input, parameter, sigmoid, split, sub } from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import { checkBetween, checkFinite } from "../../../util/check.js";
import { check } from "../../../util/errors.js";

/** How strongly a PCoder mixes; what is left of 1 is the weight of its own past. */
export interface Hyperparameters {
  /** beta: weight of the bottom-up drive. */
  readonly feedforward: number;
  /** lambda: weight of the prediction from above. The last PCoder has nothing above and does not use it. */
  readonly feedback: number;
  /** alpha: size of the step down the gradient of the prediction error. */
  readonly error: number;
}

/** The original's defaults for generated networks. */
export const DEFAULT_HYPERPARAMETERS: Hyperparameters = { feedforward: 0.3, feedback: 0.3, error: 0.01 };

/** Throws `StriateError` unless beta and lambda are weights (0 to 1, together at most 1) and alpha is a number. */
export function checkHyperparameters({ feedforward, feedback, error }: Hyperparameters, what: string): void {
  for (const [name, value] of Object.entries({ feedforward, feedback })) {
    checkBetween(`${what}: ${name}`, value, 0, 1);
  }
  checkFinite(`${what}: error`, error);
  check(
    feedforward + feedback <= 1 + 1e-6,
    () =>
      `${what}: feedforward ${feedforward} + feedback ${feedback} is more than 1: nothing would be left for memory`,
  );
}

/** The scalars (shape [] or [1]) that one PCoder's update uses. */
export interface MixingWeights {
  readonly feedforward: Tensor;
  readonly feedback: Tensor;
  readonly error: Tensor;
}

/** Names of the graph inputs that hold one value for each PCoder, lowest first. */
export const HYPERPARAMETER_INPUTS = ["feedforward", "feedback", "error"] as const;

/** One graph input [PCoders] for each of beta, lambda and alpha, so that sweeping them needs no new graph. */
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

/** Hyper-parameters as constants of a graph, for each PCoder. */
export function hyperparameterConstants(values: readonly Hyperparameters[]): MixingWeights[] {
  return values.map(({ feedforward, feedback, error }) => ({
    feedforward: constant(feedforward),
    feedback: constant(feedback),
    error: constant(error),
  }));
}

/** Unconstrained numbers that stand for one set of hyper-parameters: the original's ff_part, fb_part, mem_part, errorm. */
export type Parts = readonly [feedforward: number, feedback: number, memory: number, error: number];

/**
 * part = -ln((1 - v) / v) for beta, lambda and memory = 1 - beta - lambda; the error is its own part. 0 becomes -Infinity
 * and comes back as 0. Memory is clamped at 0: rounding can put it slightly below, where the original stores NaN.
 */
export function partsFromValues({ feedforward, feedback, error }: Hyperparameters): Parts {
  const single = Math.fround;
  const memory = Math.max(0, single(single(1 - single(feedforward)) - single(feedback)));
  const part = (value: number): number => -Math.log((1 - value) / value);
  return [part(single(feedforward)), part(single(feedback)), part(memory), error];
}

/** beta = s(ff) / S, lambda = s(fb) / S, S = s(ff) + s(fb) + s(mem), s the logistic function. */
export function valuesFromParts([ff, fb, mem, error]: Parts): Hyperparameters & { readonly memory: number } {
  const [a, b, c] = [ff, fb, mem].map((part) => 1 / (1 + Math.exp(-part))) as [number, number, number];
  const total = a + b + c;
  return { feedforward: a / total, feedback: b / total, memory: c / total, error };
}

/** {@link valuesFromParts} in a graph, differentiable with respect to the parts. */
export function weightsFromParts(parts: readonly Tensor[]): MixingWeights {
  const [ff, fb, mem, error] = parts as [Tensor, Tensor, Tensor, Tensor];
  const [a, b, c] = [sigmoid(ff), sigmoid(fb), sigmoid(mem)];
  const total = add(add(a, b), c);
  return { feedforward: div(a, total), feedback: div(b, total), error };
}

/** The original's names of the parts; numbered from 1 where every PCoder has its own. */
export const PART_NAMES = ["ff_part", "fb_part", "mem_part", "errorm"] as const;

/** Trainable parts, one set for all PCoders or one for each, by the original's names. */
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

/** Hyper-parameters out of trained parts, shared or one set for each of `count` PCoders. */
export function hyperparametersOf(parts: ReadonlyMap<string, TensorData>, count: number): Hyperparameters[] {
  const shared = parts.has(PART_NAMES[0]);
  return Array.from({ length: count }, (_, i) => {
    const set = PART_NAMES.map((name) => {
      const value = parts.get(shared ? name : `${name}${i + 1}`);
      check(value, () => `hyper-parameters: "${name}" is missing`);
      return Number(value.data[0]);
    });
    const { feedforward, feedback, error } = valuesFromParts(set as [number, number, number, number]);
    return { feedforward, feedback, error };
  });
}

/** 1 - beta - lambda, or 1 - beta where nothing comes from above; in single precision at each use, as in the original. */
export function memoryOf({ feedforward, feedback }: MixingWeights, hasFeedback: boolean): Tensor {
  const rest = sub(1, feedforward);
  return hasFeedback ? sub(rest, feedback) : rest;
}
