import type { Tensor } from "../graph/index.js";
import {
  abs,
  add,
  cast,
  constant,
  div,
  equal,
  logSoftmax,
  mean,
  mul,
  neg,
  scope,
  showShape,
  softplus,
  sub,
  sum,
  unsqueeze,
  where,
} from "../graph/index.js";
import { isStatic, sameShape } from "../graph/dims.js";
import { checkHalfOpen } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";

/** How the losses of the elements are combined: into their mean (default), into their sum, or not at all. */
export type Reduction = "mean" | "sum" | "none";

/** Options of every loss. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

/** Options of `binaryCrossEntropy`. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /**
   * Weight of the positive term; more than 1 compensates for positives being rare. It is broadcast to the
   * logits. Default 1.
   */
  readonly positiveWeight?: number | Tensor;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** Axis that holds the classes. Default 1, for logits [batch, classes, ...space]. */
  readonly axis?: number;
  /**
   * Part of the target that is spread evenly over all classes (Szegedy et al. 2016, section 7). Default 0.
   */
  readonly labelSmoothing?: number;
}

/**
 * Binary cross-entropy for independent labels, with logits x, targets t in [0, 1] and `positiveWeight` w. The
 * loss of each element is (1 - t) x + (1 + (w - 1) t) log(1 + e^-x), which for w = 1 is log(1 + e^x) - t x.
 * Neither form overflows. The loss equals PyTorch's `binary_cross_entropy_with_logits`. Logits and targets
 * must have the same shape.
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  targets: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  return scope("binaryCrossEntropy", () => {
    checkShapes("binary cross-entropy", logits, targets);
    const { positiveWeight: weight = 1 } = options;
    if (weight === 1) return reduced(sub(softplus(logits), mul(logits, targets)), options);
    const positive = add(mul(targets, sub(weight, 1)), 1);
    return reduced(add(mul(sub(1, targets), logits), mul(positive, softplus(neg(logits)))), options);
  });
}

/**
 * Cross-entropy -log softmax(x)[class] of logits x, [batch, classes, ...], for target classes given as
 * integers, [batch, ...]. The reduction "mean" divides by the number of targets. If a target is not one of
 * 0..classes-1, its loss is NaN, so that training stops instead of learning from it.
 *
 * @example
 * ```ts
 * import { crossEntropy } from "striate";
 * import { input } from "striate/graph";
 *
 * const loss = crossEntropy(input("logits", ["batch", 10]), input("labels", ["batch"], "int64"));
 * console.log(loss.rank); // 0
 * ```
 */
export function crossEntropy(logits: Tensor, classes: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return scope("crossEntropy", () => {
    const axis = classAxis(logits, options);
    const count = logits.shape[axis]!;
    if (!isStatic(count)) {
      throw new StriateError(`cross-entropy: expected a known number of classes, got "${count}"`);
    }
    if (classes.dtype !== "int64" && classes.dtype !== "int32") {
      throw new StriateError(
        `cross-entropy: expected target classes of type int64 or int32, got ${classes.dtype}`,
      );
    }
    const expected = logits.shape.filter((_, at) => at !== axis);
    check(
      sameShape(classes.shape, expected),
      () =>
        `cross-entropy: expected target classes ${showShape(expected)} for logits ${showShape(logits.shape)}, got ${showShape(classes.shape)}`,
    );
    const shape = logits.shape.map((_, at) => (at === axis ? count : 1));
    const numbers = Array.from({ length: count }, (_, i) => i);
    const hit = equal(unsqueeze(classes, [axis]), constant(numbers, shape, classes.dtype));
    // 1 if the target is a valid class, otherwise 0; the loss is then 0 / 0, which is NaN.
    const hits = sum(cast(hit, logits.dtype), axis);
    // Select the target's log probability instead of multiplying by 0 and 1: other classes may have
    // -Infinity.
    const loss = softLoss(logits, (logProbabilities) => where(hit, logProbabilities, 0), axis, options);
    return reduced(div(loss, hits), options);
  });
}

/**
 * Cross-entropy with soft targets t, which have the shape of the logits x: -(sum over classes of t log
 * softmax(x)). The reduction "mean" divides by the number of distributions, not by the number of elements, as
 * PyTorch's `cross_entropy` does if targets are probabilities.
 */
export function softCrossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  return scope("crossEntropy", () => {
    checkShapes("cross-entropy", logits, targets);
    const weighed = (logProbabilities: Tensor) => mul(targets, logProbabilities);
    return reduced(softLoss(logits, weighed, classAxis(logits, options), options), options);
  });
}

/** The squared error (prediction - target)^2 of each element, reduced as `reduction` specifies. */
export function meanSquaredError(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return scope("meanSquaredError", () => {
    checkShapes("mean squared error", prediction, target);
    const difference = sub(prediction, target);
    return reduced(mul(difference, difference), options);
  });
}

/**
 * The absolute error |prediction - target| of each element, reduced as `reduction` specifies. If both are
 * equal, the gradient is 0.
 */
export function l1Loss(prediction: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  return scope("l1Loss", () => {
    checkShapes("L1 loss", prediction, target);
    return reduced(abs(sub(prediction, target)), options);
  });
}

/**
 * Computes the cross-entropy with label smoothing. `taken` multiplies the log probabilities by the targets,
 * or selects those of the target class.
 */
function softLoss(
  logits: Tensor,
  taken: (logProbabilities: Tensor) => Tensor,
  axis: number,
  options: CrossEntropyOptions,
): Tensor {
  const { labelSmoothing: smoothing = 0 } = options;
  checkHalfOpen("label smoothing", smoothing, 0, 1);
  const logProbabilities = logSoftmax(logits, axis);
  const fit = neg(sum(taken(logProbabilities), axis));
  if (smoothing === 0) return fit;
  return add(mul(fit, 1 - smoothing), mul(mean(logProbabilities, axis), -smoothing));
}

function classAxis(logits: Tensor, { axis = 1 }: CrossEntropyOptions): number {
  const at = axis < 0 ? axis + logits.rank : axis;
  check(
    Number.isInteger(at) && at >= 0 && at < logits.rank,
    () => `cross-entropy: expected a class axis of logits ${showShape(logits.shape)}, got ${axis}`,
  );
  return at;
}

function reduced(losses: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  if (reduction === "none" || losses.rank === 0) return losses;
  return reduction === "sum" ? sum(losses) : mean(losses);
}

function checkShapes(what: string, a: Tensor, b: Tensor): void {
  check(
    sameShape(a.shape, b.shape),
    () =>
      `${what}: expected targets of the prediction's shape ${showShape(a.shape)}, got ${showShape(b.shape)}`,
  );
}
