import type { Tensor } from "../graph/index.js";
import {
  add,
  argmax,
  constant,
  div,
  equal,
  gatherElements,
  exp,
  less,
  log,
  max,
  minimum,
  mul,
  neg,
  pad,
  reshape,
  slice,
  squeeze,
  stopGradient,
  sub,
  sum,
  topK,
  unsqueeze,
  where,
} from "../graph/index.js";
import { isStatic } from "../graph/dims.js";
import { StriateError, check } from "../util/errors.js";

/**
 * Losses of attacks, with one value for each image. Here z are the logits, y is the label, t is the target
 * class, and z_(1) >= z_(2) >= ... are the sorted logits.
 *
 * - `ce`: -log softmax(z)_y
 * - `ce-towards`: the same, but computed with the rounding of the published code. Attacks descend this loss
 *   to move towards a class, so that it gets near 0
 * - `dlr`: -(z_y - max_{i != y} z_i) / (z_(1) - z_(3) + 1e-12)
 * - `dlr-targeted`: -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2 + 1e-12)
 * - `margin-targeted`: -(z_y - z_t)
 *
 * DLR: Croce & Hein 2020 (arXiv:2003.01690), equations 6 and 7.
 */
export type AttackLoss = "ce" | "ce-towards" | "dlr" | "dlr-targeted" | "margin-targeted";

/** Smallest number of classes for which each loss is defined. */
export const FEWEST_CLASSES: Readonly<Record<AttackLoss, number>> = {
  ce: 2,
  "ce-towards": 2,
  dlr: 3,
  "dlr-targeted": 4,
  "margin-targeted": 2,
};

export function needsTargets(loss: AttackLoss): boolean {
  return loss === "dlr-targeted" || loss === "margin-targeted";
}

/**
 * Computes the loss of each image, [batch], from logits [batch, classes], labels [batch] and, for targeted
 * losses, targets [batch]. Labels and targets are int64.
 *
 * @throws StriateError if the loss needs more classes, or needs targets and none are given.
 */
export function attackLoss(loss: AttackLoss, logits: Tensor, labels: Tensor, targets?: Tensor): Tensor {
  const classes = logits.shape[1]!;
  if (isStatic(classes) && classes < FEWEST_CLASSES[loss]) {
    throw new StriateError(`the loss ${loss} needs at least ${FEWEST_CLASSES[loss]} classes, got ${classes}`);
  }
  if (loss === "ce") return crossEntropy(logits, labels);
  if (loss === "ce-towards") return neg(pick(logProbabilities(logits), labels));
  const own = pick(logits, labels);
  if (needsTargets(loss)) {
    if (targets === undefined) throw new StriateError(`the loss ${loss} needs targets`);
    const lead = sub(own, pick(logits, targets));
    if (loss === "margin-targeted") return neg(lead);
    const { values } = topK(logits, 4, 1);
    const scale = sub(rank(values, 0), mul(add(rank(values, 2), rank(values, 3)), 0.5));
    return neg(div(lead, add(scale, 1e-12)));
  }
  const { values } = topK(logits, 3, 1);
  const best = equal(argmax(logits, 1), labels);
  const rival = where(best, rank(values, 1), rank(values, 0));
  return neg(div(sub(own, rival), add(sub(rank(values, 0), rank(values, 2)), 1e-12)));
}

/**
 * Cross-entropy: -log softmax(z)_y for the logits z and the label y. If the probability p of the label is
 * near 1, the gradient with respect to z_y has the size 1 - p, which single precision rounds to 0 if the
 * margin of the label is 17 or more. In this case the loss is computed as log(1 + e^m) with m = log sum_{i !=
 * y} exp(z_i - z_y). The gradient of this form stays accurate up to a margin of 87, at which e^m underflows.
 */
function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const classes = logits.shape[1]!;
  check(isStatic(classes), () => `the loss ce needs a known number of classes, got ${classes}`);
  const label = unsqueeze(labels, [1]);
  const places = constant(
    Array.from({ length: classes }, (_, i) => i),
    [1, classes],
    "int64",
  );
  const others = where(equal(label, places), NOWHERE, sub(logits, gatherElements(logits, label, 1)));
  const top = stopGradient(max(others, 1, { keepAxes: true }));
  const m = squeeze(add(top, log(sumOfLanes(exp(sub(others, top))))), [1]);
  // log(1 + e) is e - e^2 / 2 + ... for small e, which would be lost by rounding in 1 + e.
  const power = exp(minimum(m, SURE));
  const sure = mul(power, sub(1, mul(power, 0.5)));
  return where(less(m, SURE), sure, neg(pick(logProbabilities(logits), labels)));
}

/**
 * The logarithm of the softmax, composed of simpler operators. Targeted attacks approach a loss of 0; there,
 * the gradient depends on small terms that are added to 1. So the maximum is subtracted first, in a step of
 * its own, because runtimes that compute x - (max + log sum) lose small terms by rounding. For the same
 * reason, small terms are summed before they are added to the large one. Trajectories then agree with those
 * of the published code.
 */
function logProbabilities(logits: Tensor): Tensor {
  const shifted = sub(logits, stopGradient(max(logits, 1, { keepAxes: true })));
  return sub(shifted, log(sumOfLanes(exp(shifted))));
}

/** A score so far below all others that its exponential is 0. */
const NOWHERE = -1e30;
/**
 * Largest logarithm m for which the series is used. For larger ones, rounding changes the gradient with
 * respect to the label's logit by at most a twentieth.
 */
const SURE = -14;

const LANES = 8;

/**
 * The sum over axis 1, computed as vector units (and PyTorch) do: as eight partial sums that are then added
 * pairwise.
 */
function sumOfLanes(x: Tensor): Tensor {
  const classes = x.shape[1]!;
  if (!isStatic(classes)) return sum(x, 1, { keepAxes: true });
  const missing = (LANES - (classes % LANES)) % LANES;
  const padded = missing === 0 ? x : pad(x, [0, 0], [0, missing]);
  let lanes = sum(reshape(padded, [-1, (classes + missing) / LANES, LANES]), 1);
  for (let width = LANES / 2; width >= 2; width /= 2) lanes = sum(reshape(lanes, [-1, 2, width]), 1);
  return sum(lanes, 1, { keepAxes: true });
}

function pick(values: Tensor, classes: Tensor): Tensor {
  return squeeze(gatherElements(values, unsqueeze(classes, [1]), 1), [1]);
}

/** The value at position i of sorted values, from 0. */
function rank(sorted: Tensor, i: number): Tensor {
  return squeeze(slice(sorted, [{ axis: 1, start: i, end: i + 1 }]), [1]);
}
