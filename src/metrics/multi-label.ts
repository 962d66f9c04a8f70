import { checkWhole } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";

/**
 * How many of the highest scores of each sample to consider: a fixed number k, or as many as the sample has
 * true labels.
 */
export type TopK = number | "trueLabels";

/**
 * Tests for each sample whether the k classes with the highest scores are exactly its true labels. (The mean
 * of this is top-k set accuracy; chance is 1/45 for two of ten classes.) Equal scores are ranked by class
 * number. `logits` and `targets` have the shape `[batch, classes]`. Scores may be logits or probabilities;
 * targets are 0 or 1. Returns one number per sample, 1 if the sets are equal and otherwise 0. Throws
 * `StriateError` if sizes do not match, a score is NaN, or a sample has no label and k is `"trueLabels"`.
 */
export function topKSetCorrect(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  k: TopK,
): Uint8Array {
  const hits = topKHits(logits, targets, classes, k);
  return Uint8Array.from(hits, ({ hit, labels, k }) => (hit === labels && k === labels ? 1 : 0));
}

/**
 * The fraction of samples whose k highest-scoring classes are exactly their true labels. See
 * {@link topKSetCorrect}.
 */
export function topKSetAccuracy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  k: TopK,
): number {
  return mean(topKSetCorrect(logits, targets, classes, k));
}

/**
 * The fraction of a sample's true labels that are among its k highest-scoring classes, averaged over samples.
 * The arguments are those of {@link topKSetCorrect}.
 */
export function topKRecall(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
  k: TopK,
): number {
  return mean(
    topKHits(logits, targets, classes, k).map(({ hit, labels }, sample) => {
      check(labels > 0, () => `top-k recall: sample ${sample} has no true label`);
      return hit / labels;
    }),
  );
}

/**
 * The fraction of all batch x classes entries whose target is predicted correctly. A logit above 0, that is,
 * a probability above 0.5, predicts 1.
 */
export function binaryAccuracy(logits: ArrayLike<number>, targets: ArrayLike<number>): number {
  const { truePositives, trueNegatives, total } = confusion(logits, targets);
  return (truePositives + trueNegatives) / total;
}

/**
 * Micro-averaged F1 over all batch x classes entries: 2 TP / (2 TP + FP + FN), with true positives (TP),
 * false positives (FP) and false negatives (FN) at a probability threshold of 0.5. It is 0 if no entry is
 * positive.
 */
export function microF1(logits: ArrayLike<number>, targets: ArrayLike<number>): number {
  const { truePositives, falsePositives, falseNegatives } = confusion(logits, targets);
  const denominator = 2 * truePositives + falsePositives + falseNegatives;
  return denominator === 0 ? 0 : (2 * truePositives) / denominator;
}

/**
 * Binary cross-entropy of logits l and targets t, averaged over all entries: max(l, 0) - l t + log(1 +
 * exp(-|l|)).
 */
export function binaryCrossEntropyWithLogits(logits: ArrayLike<number>, targets: ArrayLike<number>): number {
  checkEntries(logits, targets);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    sum += Math.max(logit, 0) - logit * targets[i]! + Math.log1p(Math.exp(-Math.abs(logit)));
  }
  return sum / logits.length;
}

interface Hits {
  /** Number of true labels among the k classes with the highest scores. */
  readonly hit: number;
  readonly labels: number;
  readonly k: number;
}

function topKHits(logits: ArrayLike<number>, targets: ArrayLike<number>, classes: number, k: TopK): Hits[] {
  checkWhole("metrics: classes", classes);
  checkEntries(logits, targets);
  check(
    logits.length % classes === 0,
    () => `metrics: expected whole samples of ${classes} classes, got ${logits.length} scores`,
  );
  check(
    k === "trueLabels" || (Number.isInteger(k) && k > 0 && k <= classes),
    () => `metrics: expected k from 1 to ${classes} or "trueLabels", got ${k}`,
  );
  return Array.from({ length: logits.length / classes }, (_, sample) => {
    const from = sample * classes;
    let labels = 0;
    for (let c = 0; c < classes; c++) labels += targets[from + c] === 1 ? 1 : 0;
    const kHere = k === "trueLabels" ? labels : k;
    check(kHere > 0, () => `metrics: sample ${sample} has no true label, so k would be 0`);
    let hit = 0;
    for (let c = 0; c < classes; c++) {
      if (targets[from + c] === 1 && rank(logits, from, classes, c) < kHere) hit++;
    }
    return { hit, labels, k: kHere };
  });
}

/** The number of classes of a sample that rank before class c. */
function rank(logits: ArrayLike<number>, from: number, classes: number, c: number): number {
  const own = logits[from + c]!;
  let before = 0;
  for (let other = 0; other < classes; other++) {
    const score = logits[from + other]!;
    if (score > own || (score === own && other < c)) before++;
  }
  return before;
}

function confusion(logits: ArrayLike<number>, targets: ArrayLike<number>) {
  checkEntries(logits, targets);
  let truePositives = 0;
  let falsePositives = 0;
  let falseNegatives = 0;
  for (let i = 0; i < logits.length; i++) {
    const positive = logits[i]! > 0;
    if (targets[i] === 1) {
      if (positive) truePositives++;
      else falseNegatives++;
    } else if (positive) falsePositives++;
  }
  const total = logits.length;
  return {
    truePositives,
    falsePositives,
    falseNegatives,
    trueNegatives: total - truePositives - falsePositives - falseNegatives,
    total,
  };
}

function checkEntries(logits: ArrayLike<number>, targets: ArrayLike<number>): void {
  check(
    logits.length > 0 && logits.length === targets.length,
    () =>
      `metrics: expected as many scores as targets and at least one, got ${logits.length} scores and ${targets.length} targets`,
  );
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) throw new StriateError(`metrics: score ${i} is not a number`);
    if (targets[i] !== 0 && targets[i] !== 1) {
      throw new StriateError(`metrics: target ${i}: expected 0 or 1, got ${targets[i]!}`);
    }
  }
}

function mean(values: Uint8Array | readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
