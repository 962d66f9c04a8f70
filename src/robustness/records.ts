import { judgeLogits } from "../metrics/calibration.js";
import { StriateError, check } from "../util/errors.js";
import { isJsonObject } from "../util/json.js";
import type { GradientReport } from "./attacks/attack.js";
import type { CorruptionName, Severity } from "./corruptions/corrupt.js";

/*
 * What a run appends to its results file while it works, one line of JSON each. Everything that a report says follows
 * from these lines, so a run that was killed goes on where it was.
 */

/** The network's answer to one picture. */
export interface Answer {
  /** Class with the largest mean probability over the passes. */
  readonly predicted: number;
  readonly confidence: number;
  /** -log of the label's (mean) probability. */
  readonly nll: number;
  /** Sum over classes of (p - onehot)^2. */
  readonly brier: number;
  /** Classes that got a larger probability than the label: 0 is right, below 5 is right in the top 5. */
  readonly rank: number;
  /** One bit for each forward pass: whether it was right on its own. */
  readonly passes: number;
}

/** One clean image and its corrupted versions. */
export interface ImageRecord {
  readonly kind: "image";
  /** Of the network, if it was measured at several. */
  readonly timestep?: number;
  /** Place in the data set. */
  readonly image: number;
  readonly label: number;
  /** The clean image first, then the conditions of the run in their order. */
  readonly answers: readonly Answer[];
}

/** An image that could not be read. */
export interface SkippedRecord {
  readonly kind: "skipped";
  readonly image: number;
  readonly name: string;
  readonly reason: string;
}

/** One plan of attacks at one radius on one batch of images. */
export interface AttackRecord {
  readonly kind: "attack";
  /** The attacked one of the network, if it was measured at several. */
  readonly timestep?: number;
  readonly plan: string;
  readonly epsilon: number;
  /** Places in the data set. */
  readonly images: readonly number[];
  readonly labels: readonly number[];
  readonly clean: readonly number[];
  readonly predicted: readonly number[];
  readonly stages: readonly { readonly name: string; readonly robust: readonly number[] }[];
  /** Whether the attacks could follow the gradient. */
  readonly gradients: readonly GradientReport[];
}

/** A picture that was changed so that the network errs, for the report. */
export interface ExampleRecord {
  readonly kind: "example";
  readonly timestep?: number;
  readonly plan: string;
  readonly epsilon: number;
  readonly image: number;
  readonly label: number;
  readonly predicted: number;
  /** Values in [0, 1], [channels, height, width], as base64 of 16-bit whole numbers (65535 = 1), little-endian. */
  readonly pixels: string;
}

export type RunRecord = ImageRecord | SkippedRecord | AttackRecord | ExampleRecord;

/** One corruption at one severity. */
export interface Condition {
  readonly name: CorruptionName;
  readonly severity: Severity;
}

/** The answer to one picture from the logits of one or more forward passes. */
export function answerFrom(passes: readonly Float32Array[], label: number): Answer {
  const [first] = passes;
  check(first, () => "no logits to judge");
  check(label >= 0 && label < first.length, () => `label ${label}: the network has ${first.length} classes`);
  const judged = passes.map((logits) => judgeLogits(logits, label));
  const bits = judged.reduce((total, { predicted }, i) => total + (predicted === label ? 2 ** i : 0), 0);
  if (passes.length === 1) {
    const { predicted, confidence, nll, brier } = judged[0]!;
    return rounded({ predicted, confidence, nll, brier, rank: rankOf(first, label), passes: bits });
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
    passes: bits,
  });
}

function rankOf(scores: Float32Array | Float64Array, label: number): number {
  const own = scores[label]!;
  return Array.from(scores).filter((value, i) => value > own || (value === own && i < label)).length;
}

/** Seven digits are more than float32 logits carry. */
function rounded(answer: Answer): Answer {
  const digits = (value: number) => Number(value.toPrecision(7));
  const { confidence, nll, brier } = answer;
  return { ...answer, confidence: digits(confidence), nll: digits(nll), brier: digits(brier) };
}

/** A record as one line; answers as plain lists, because there are many. */
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

/** Reads a line back. Throws {@link StriateError} for anything that {@link encodeRecord} did not write. */
export function decodeRecord(value: unknown, what: string): RunRecord {
  const wrong = () => new StriateError(`${what} is no record of a robustness run`);
  if (!isJsonObject(value)) throw wrong();
  if (value.kind === "image") {
    if (!Array.isArray(value.answers)) throw wrong();
    const answers = value.answers.map((list: unknown): Answer => {
      if (!Array.isArray(list) || list.length !== 6 || !list.every((item) => typeof item === "number"))
        throw wrong();
      const [predicted, confidence, nll, brier, rank, passes] = list as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return { predicted, confidence, nll, brier, rank, passes };
    });
    const { timestep } = value;
    return {
      kind: "image",
      ...(typeof timestep === "number" && { timestep }),
      image: Number(value.image),
      label: Number(value.label),
      answers,
    };
  }
  // Records of earlier versions do not tell of gradients.
  if (value.kind === "attack" && !Array.isArray(value.gradients)) throw wrong();
  if (value.kind === "skipped" || value.kind === "attack" || value.kind === "example")
    return value as unknown as RunRecord;
  throw wrong();
}
