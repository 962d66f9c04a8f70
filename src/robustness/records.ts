import { judgeLogits } from "../metrics/calibration.js";
import { checkLength, checkWhole } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import { isJsonObject } from "../util/json.js";
import type { GradientReport } from "./attacks/attack.js";
import type { CorruptionName, Severity } from "./corruptions/kinds.js";

/*
 * The records that a run appends to its results file, one line of JSON each. A report is computed from these lines
 * alone, so a killed run can be continued.
 */

/** The prediction for one image. */
export interface Answer {
  /** The class with the largest mean probability over the passes. */
  readonly predicted: number;
  readonly confidence: number;
  /** Negative logarithm of the label's probability (its mean over the passes). */
  readonly nll: number;
  /**
   * Brier score: the sum over classes of (p - t)^2, with the probability p and t = 1 for the label, otherwise
   * 0.
   */
  readonly brier: number;
  /** Number of classes with a larger probability than the label: 0 is correct, below 5 is correct in the top 5. */
  readonly rank: number;
  /** One character for each forward pass: "1" if this pass alone is correct, otherwise "0". */
  readonly passes: string;
}

/** The results of one clean image and its corrupted versions. */
export interface ImageRecord {
  readonly kind: "image";
  /** The timestep of the network, if several were measured. */
  readonly timestep?: number;
  /** Position in the data set. */
  readonly image: number;
  readonly label: number;
  /** The predictions for the clean image, then those for the conditions of the run, in their order. */
  readonly answers: readonly Answer[];
}

/** An image that could not be read. */
export interface SkippedRecord {
  readonly kind: "skipped";
  readonly image: number;
  readonly name: string;
  readonly reason: string;
}

/** The results of one plan of attacks at one radius on one batch of images. */
export interface AttackRecord {
  readonly kind: "attack";
  /** The attacked timestep of the network, if several were measured. */
  readonly timestep?: number;
  readonly plan: string;
  readonly epsilon: number;
  /** Positions in the data set. */
  readonly images: readonly number[];
  readonly labels: readonly number[];
  readonly clean: readonly number[];
  readonly predicted: readonly number[];
  readonly stages: readonly { readonly name: string; readonly robust: readonly number[] }[];
  /** Reports on whether the attacks could follow the gradient. */
  readonly gradients: readonly GradientReport[];
}

/** An adversarial image for the report. */
export interface ExampleRecord {
  readonly kind: "example";
  readonly timestep?: number;
  readonly plan: string;
  readonly epsilon: number;
  readonly image: number;
  readonly label: number;
  readonly predicted: number;
  /**
   * The values in [0, 1], [channels, height, width], as base64 of little-endian 16-bit whole numbers; 65535
   * stands for 1.
   */
  readonly pixels: string;
}

export type RunRecord = ImageRecord | SkippedRecord | AttackRecord | ExampleRecord;

/** One corruption at one severity. */
export interface CorruptionCondition {
  readonly name: CorruptionName;
  readonly severity: Severity;
}

/** Computes the prediction for one image from the logits of one or more forward passes. */
export function answerFrom(passes: readonly Float32Array[], label: number): Answer {
  const [first] = passes;
  check(first, () => "logits of an image: expected at least one forward pass, got none");
  checkWhole("label", label, { from: 0, to: first.length - 1 });
  const judged = passes.map((logits) => judgeLogits(logits, label));
  const each = judged.map(({ predicted }) => (predicted === label ? "1" : "0")).join("");
  if (passes.length === 1) {
    const { predicted, confidence, nll, brier } = judged[0]!;
    return rounded({ predicted, confidence, nll, brier, rank: rankOf(first, label), passes: each });
  }
  const mean = new Float64Array(first.length);
  for (const logits of passes) {
    const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float64Array.from(logits, (value) => Math.exp(value - top));
    const total = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, i) => (mean[i]! += power / total / passes.length));
  }
  const predicted = mean.reduce((best, value, i) => (value > mean[best]! ? i : best), 0);
  const brier = mean.reduce((total, p, i) => total + (p - (i === label ? 1 : 0)) ** 2, 0);
  return rounded({
    predicted,
    confidence: Math.min(1, mean[predicted]!),
    nll: -Math.log(Math.max(mean[label]!, 1e-300)),
    brier,
    rank: rankOf(mean, label),
    passes: each,
  });
}

function rankOf(scores: Float32Array | Float64Array, label: number): number {
  const own = scores[label]!;
  return Array.from(scores).filter((value, i) => value > own || (value === own && i < label)).length;
}

/** Rounds to seven digits, which is more than the precision of float32 logits. */
function rounded(answer: Answer): Answer {
  const digits = (value: number) => Number(value.toPrecision(7));
  const { confidence, nll, brier } = answer;
  return { ...answer, confidence: digits(confidence), nll: digits(nll), brier: digits(brier) };
}

/**
 * Writes a record as one line. Predictions become plain lists without keys, because there are many of them.
 */
export function encodeRecord(record: RunRecord): string {
  if (record.kind !== "image") return JSON.stringify(record);
  const answers = record.answers.map(({ predicted, confidence, nll, brier, rank, passes }) => [
    predicted,
    confidence,
    nll,
    brier,
    rank,
    passes,
  ]);
  return JSON.stringify({ ...record, answers });
}

/** Limits of the values in the records of a run. */
export interface RecordLimits {
  /** The label of every image of the data set. */
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  /** Number of predictions in an image record: one for the clean image and one for each condition. */
  readonly answers: number;
  readonly passes: number;
}

/**
 * Decodes a record from the JSON of a line. Throws {@link StriateError} for lines that {@link encodeRecord}
 * did not write, and for values outside the limits.
 */
export function decodeRecord(value: unknown, what: string, limits?: RecordLimits): RunRecord {
  const record = isJsonObject(value) ? decoded(value, what) : undefined;
  if (record === undefined) throw new StriateError(`${what} is not a record of a robustness run`);
  if (limits !== undefined) checkRecord(record, limits, what);
  return record;
}

function decoded(value: Readonly<Record<string, unknown>>, what: string): RunRecord | undefined {
  if (value.timestep !== undefined && !isCount(value.timestep)) return undefined;
  switch (value.kind) {
    case "run":
      throw new StriateError(`${what} is the start of a second run: two runs wrote to the same file`);
    case "image":
      return decodedImage(value);
    case "skipped":
      return isCount(value.image) && isText(value.name) && isText(value.reason)
        ? (value as unknown as SkippedRecord)
        : undefined;
    case "attack":
      return isAttack(value) ? (value as unknown as AttackRecord) : undefined;
    case "example":
      return [value.image, value.label, value.predicted].every(isCount) &&
        isText(value.plan) &&
        isRadius(value.epsilon) &&
        isText(value.pixels)
        ? (value as unknown as ExampleRecord)
        : undefined;
    default:
      return undefined;
  }
}

function decodedImage(value: Readonly<Record<string, unknown>>): ImageRecord | undefined {
  const { image, label, timestep, answers } = value;
  if (!isCount(image) || !isCount(label) || !Array.isArray(answers)) return undefined;
  const own = answers.map(decodedAnswer);
  if (!own.every((answer) => answer !== undefined)) return undefined;
  return { kind: "image", ...(isCount(timestep) && { timestep }), image, label, answers: own };
}

function decodedAnswer(list: unknown): Answer | undefined {
  if (!Array.isArray(list) || list.length !== 6) return undefined;
  const [predicted, confidence, nll, brier, rank, passes] = list as readonly unknown[];
  const fits =
    isCount(predicted) &&
    isCount(rank) &&
    isWithin(confidence, 1) &&
    isWithin(nll, Infinity) &&
    isWithin(brier, 2) &&
    isText(passes) &&
    /^[01]+$/.test(passes);
  return fits ? { predicted, confidence, nll, brier, rank, passes } : undefined;
}

function isAttack(value: Readonly<Record<string, unknown>>): boolean {
  const { plan, epsilon, images, labels, clean, predicted, stages, gradients } = value;
  // Records of earlier versions do not have the list of gradient reports; they are refused.
  if (!isText(plan) || !isRadius(epsilon) || !isCounts(images) || !isReports(gradients)) return false;
  const isFlags = (flags: unknown) =>
    isCounts(flags) && flags.length === images.length && flags.every((flag) => flag <= 1);
  return (
    [labels, predicted].every((list) => isCounts(list) && list.length === images.length) &&
    isFlags(clean) &&
    Array.isArray(stages) &&
    stages.every((stage) => isJsonObject(stage) && isText(stage.name) && isFlags(stage.robust))
  );
}

const isReports = (value: unknown): value is readonly GradientReport[] =>
  Array.isArray(value) &&
  value.every(
    (report) =>
      isJsonObject(report) &&
      isText(report.attack) &&
      [report.images, report.zero, report.notFinite, report.notFiniteValues].every(isCount),
  );
const isText = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isCount);
const isRadius = (value: unknown): value is number => typeof value === "number" && value > 0;
/** Tolerance for rounding errors when values are compared with their bounds. */
const ROUNDING = 1e-5;
const isWithin = (value: unknown, most: number): value is number =>
  typeof value === "number" && value >= -ROUNDING && value <= most + ROUNDING;

function checkRecord(
  record: RunRecord,
  { labels, classes, answers, passes }: RecordLimits,
  what: string,
): void {
  const pairs =
    record.kind === "attack" ? record.images.map((image, i) => [image, record.labels[i]] as const) : [];
  const stated =
    record.kind === "attack"
      ? pairs
      : [[record.image, "label" in record ? record.label : undefined] as const];
  for (const [image, label] of stated) {
    checkWhole(`${what}: image`, image, { from: 0, to: labels.length - 1 });
    check(
      label === undefined || label === labels[image],
      () => `${what}: expected the label ${labels[image]!} of image ${image} in the data set, got ${label!}`,
    );
  }
  const given = record.kind === "image" ? record.answers : [];
  const predicted =
    record.kind === "skipped"
      ? []
      : record.kind === "image"
        ? given.map((one) => one.predicted)
        : [record.predicted].flat();
  for (const own of predicted) checkWhole(`${what}: predicted class`, own, { from: 0, to: classes - 1 });
  if (record.kind !== "image") return;
  checkLength(`${what}: answers`, given, answers);
  for (const one of given) checkLength(`${what}: forward passes`, one.passes, passes);
}

/** Names what a record is about. Each of these names must occur only once in a run. */
export function subjectsOf(record: RunRecord): readonly string[] {
  if (record.kind === "skipped") return [`skipped image ${record.image}`];
  const at = record.timestep === undefined ? "" : `, timestep ${record.timestep}`;
  if (record.kind === "image") return [`image ${record.image}${at}`];
  const images = record.kind === "attack" ? record.images : [record.image];
  return images.map(
    (image) => `${record.kind} of ${record.plan}, epsilon ${record.epsilon}, on image ${image}${at}`,
  );
}
