import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  /** Confidences in (low, high], in the first bin also 0. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Means over the bin; 0 where it is empty. */
  readonly confidence: number;
  readonly accuracy: number;
}

/** How well stated confidences fit the share of right answers. */
export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** Expected calibration error: sum of (n_b / N) |accuracy - confidence|. Naeini et al. 2015; Guo et al. 2017. */
  readonly ece: number;
  /** Largest gap of an occupied bin. */
  readonly mce: number;
  /** Root of the sum of (n_b / N) gap^2. */
  readonly rms: number;
}

/** Probabilities of all classes against labels. */
export interface Calibration extends Reliability {
  readonly count: number;
  readonly accuracy: number;
  readonly meanConfidence: number;
  /** Mean of -log softmax at the label, in nats. */
  readonly nll: number;
  /** Sum over classes of (p - onehot)^2, mean over samples: 0 to 2. */
  readonly brier: number;
  /** The same divided by the number of classes. */
  readonly brierPerClass: number;
}

/** Default number of equal-width bins. */
export const RELIABILITY_BINS = 15;

/**
 * Bins of equal width (lo, hi] over confidences; the first one holds 0 as well.
 * Throws `StriateError` for confidences outside [0, 1] or without any.
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
    // The product may round across a border: the comparison with the border itself decides.
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

/** ECE over parts of (nearly) equal size, the samples sorted by confidence; the first N mod `parts` are one larger. */
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

/** What one row of logits says: probabilities in float64, the class it picks and how sure it is. */
export interface JudgedLogits {
  readonly predicted: number;
  readonly confidence: number;
  /** -log softmax at the label. */
  readonly nll: number;
  /** Sum over classes of (p - onehot)^2. */
  readonly brier: number;
}

/** Judges one row of logits against its label, by a log-sum-exp in float64. */
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
 * Calibration of logits [samples, classes] against labels [samples].
 * Throws `StriateError` where the sizes do not fit or a label is no class.
 *
 * @example
 * ```ts
 * import { calibration } from "striate/robustness";
 *
 * // Two images, two classes: both answers are right.
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
    () => `calibration: ${logits.length} logits do not belong to ${count} labels`,
  );
  const judged = Array.from({ length: count }, (_, i) => {
    const label = labels[i]!;
    check(
      Number.isInteger(label) && label >= 0 && label < classes,
      () => `calibration: expected labels 0 to ${classes - 1}, got ${label}`,
    );
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
    () => `calibration: ${confidences.length} confidences for ${correct.length} answers`,
  );
  for (const value of Array.from(confidences)) {
    check(value >= 0 && value <= 1, () => `calibration: expected confidences from 0 to 1, got ${value}`);
  }
}
