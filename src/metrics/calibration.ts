import { checkBetween, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  /** The bin holds confidences in (low, high]; the first bin also holds 0. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Mean confidence in the bin; 0 if the bin is empty. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** Agreement between confidence and accuracy. */
export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /**
   * Expected calibration error: the sum over bins b of (n_b / N) |accuracy - confidence|, where n_b of the N
   * samples are in bin b (Naeini et al. 2015; Guo et al. 2017).
   */
  readonly ece: number;
  /** Maximum calibration error: the largest gap |accuracy - confidence| of any bin that is not empty. */
  readonly mce: number;
  /** Root mean square calibration error: the square root of the sum over bins b of (n_b / N) gap^2. */
  readonly rms: number;
}

/** Calibration of a classifier, computed from the logits of all classes. */
export interface Calibration extends Reliability {
  readonly count: number;
  readonly accuracy: number;
  readonly meanConfidence: number;
  /** Mean negative log-likelihood of the label, in nats. */
  readonly nll: number;
  /**
   * Brier score, from 0 to 2: the sum over classes of (probability - one-hot label)^2, averaged over samples.
   */
  readonly brier: number;
  /** The Brier score divided by the number of classes. */
  readonly brierPerClass: number;
}

/** Default number of equal-width bins. */
export const RELIABILITY_BINS = 15;

/**
 * Computes a reliability diagram with bins (low, high] of equal width; the first bin also includes 0. Throws
 * `StriateError` if there are no confidences or one is outside [0, 1].
 */
export function reliability(
  confidences: ArrayLike<number>,
  correct: ArrayLike<number | boolean>,
  bins = RELIABILITY_BINS,
): Reliability {
  checkConfidences(confidences, correct);
  checkBins(bins);
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i]!;
    // Rounding of the product can put a confidence into a neighbouring bin, so compare it with the bin's
    // borders.
    let at = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    if (at > 0 && confidence <= at / bins) at--;
    if (at < bins - 1 && confidence > (at + 1) / bins) at++;
    const bin = sums[at]!;
    bin.count += 1;
    bin.confidence += confidence;
    bin.right += correct[i] ? 1 : 0;
  }
  const list = sums.map(({ count, confidence, right }, i) => ({
    low: i / bins,
    high: (i + 1) / bins,
    count,
    confidence: count === 0 ? 0 : confidence / count,
    accuracy: count === 0 ? 0 : right / count,
  }));
  return { bins: list, ...gaps(list, confidences.length) };
}

/**
 * Computes the adaptive expected calibration error (ECE). The N samples are sorted by confidence and split
 * into `parts` bins of nearly equal size: each of the first N mod `parts` bins has one sample more than the
 * others.
 */
export function adaptiveEce(
  confidences: ArrayLike<number>,
  correct: ArrayLike<number | boolean>,
  parts = RELIABILITY_BINS,
): number {
  checkConfidences(confidences, correct);
  checkBins(parts);
  const order = Array.from({ length: confidences.length }, (_, i) => i).sort(
    (a, b) => confidences[a]! - confidences[b]! || a - b,
  );
  const [size, larger] = [Math.floor(order.length / parts), order.length % parts];
  const list = Array.from({ length: parts }, (_, part) => {
    const start = part * size + Math.min(part, larger);
    const members = order.slice(start, start + size + (part < larger ? 1 : 0));
    const total = (value: (i: number) => number) => members.reduce((sum, i) => sum + value(i), 0);
    const count = members.length;
    return {
      count,
      confidence: total((i) => confidences[i]!) / count,
      accuracy: total((i) => (correct[i] ? 1 : 0)) / count,
    };
  }).filter(({ count }) => count > 0);
  return gaps(list, order.length).ece;
}

type Occupied = Pick<ReliabilityBin, "count" | "confidence" | "accuracy">;

function gaps(bins: readonly Occupied[], total: number): Omit<Reliability, "bins"> {
  let [ece, mce, squares] = [0, 0, 0];
  for (const { count, confidence, accuracy } of bins) {
    if (count === 0) continue;
    const gap = Math.abs(accuracy - confidence);
    ece += (count / total) * gap;
    squares += (count / total) * gap * gap;
    mce = Math.max(mce, gap);
  }
  return { ece, mce, rms: Math.sqrt(squares) };
}

/**
 * Results for one sample: the predicted class, its confidence, and scores of the probabilities. All are
 * computed in float64.
 */
export interface JudgedLogits {
  readonly predicted: number;
  readonly confidence: number;
  /** Negative log-likelihood of the label, in nats. */
  readonly nll: number;
  /** Sum over classes of (probability - one-hot label)^2. */
  readonly brier: number;
}

/** Evaluates the logits of one sample against its label. The log-sum-exp is computed in float64. */
export function judgeLogits(logits: ArrayLike<number>, label: number): JudgedLogits {
  let predicted = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[predicted]!) predicted = i;
  const top = logits[predicted]!;
  let total = 0;
  for (const logit of Array.from(logits)) total += Math.exp(logit - top);
  let brier = 0;
  for (let i = 0; i < logits.length; i++) {
    const miss = Math.exp(logits[i]! - top) / total - (i === label ? 1 : 0);
    brier += miss * miss;
  }
  return { predicted, confidence: 1 / total, nll: Math.log(total) + top - logits[label]!, brier };
}

/**
 * Measures the calibration of a classifier from its logits, of shape `[samples, classes]`, and the labels of
 * the samples. Throws `StriateError` if the sizes do not match or a label is not a class.
 *
 * @example
 * ```ts
 * import { calibration } from "striate/robustness";
 *
 * // Two images and two classes; both predictions are right.
 * const { accuracy } = calibration(Float32Array.of(3, 0, 0, 3), [0, 1]);
 * console.log(accuracy); // 1
 * ```
 */
export function calibration(
  logits: ArrayLike<number> & { subarray(start: number, end: number): ArrayLike<number> },
  labels: ArrayLike<number>,
  bins = RELIABILITY_BINS,
): Calibration {
  const count = labels.length;
  const classes = logits.length / count;
  check(
    count > 0 && Number.isInteger(classes),
    () =>
      `calibration: expected the same number of logits for each of the ${count} labels, got ${logits.length} logits`,
  );
  const judged = Array.from({ length: count }, (_, i) => {
    const label = labels[i]!;
    checkWhole(`calibration: label ${i}`, label, { from: 0, to: classes - 1 });
    return judgeLogits(logits.subarray(i * classes, (i + 1) * classes), label);
  });
  const right = judged.map(({ predicted }, i) => predicted === labels[i]);
  const mean = (value: (one: JudgedLogits) => number) =>
    judged.reduce((total, one) => total + value(one), 0) / count;
  const confidences = judged.map(({ confidence }) => confidence);
  const brier = mean((one) => one.brier);
  return {
    count,
    accuracy: right.filter(Boolean).length / count,
    meanConfidence: mean((one) => one.confidence),
    nll: mean((one) => one.nll),
    brier,
    brierPerClass: brier / classes,
    ...reliability(confidences, right, bins),
  };
}

function checkBins(bins: number): void {
  checkWhole("calibration: bins", bins);
}

function checkConfidences(confidences: ArrayLike<number>, correct: ArrayLike<unknown>): void {
  check(
    confidences.length > 0 && confidences.length === correct.length,
    () =>
      `calibration: expected one confidence per answer, got ${confidences.length} for ${correct.length} answers`,
  );
  for (const value of Array.from(confidences)) checkBetween("calibration: confidence", value, 0, 1);
}
