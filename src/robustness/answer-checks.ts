import { StriateError } from "../util/errors.js";
import { largestTurn } from "./attacks/ensemble.js";
import type { Classifier, ImageBatch } from "./classifier.js";
import { fixedNoise } from "./classifier.js";
import type { Network } from "./network.js";

/** Relative tolerance for sums of outputs, which may be rounded to two decimals or have half precision. */
const ROUNDING = 0.03;
/** Tolerance for the sum of probabilities, which must be 1. */
const STATED = 0.01;
/** Share of the rows that must pass a test, so that a few unusual rows do not matter. */
const MOST_ROWS = 0.8;

/**
 * Checks that the outputs are of the assumed kind, because losses and confidences would be wrong otherwise.
 * Outputs that are assumed to be logits must not look like probabilities, or like negative, binary or decimal
 * logarithms of probabilities. Outputs that the user declared to be probabilities must be in [0, 1] and sum
 * to 1; the same holds for the exponentials of declared log-probabilities.
 *
 * @param logits the result of {@link Classifier.logits}, [count, classes]
 * @returns a caution in doubtful cases: if the outputs of each image have the same sum, which is neither 1
 * nor 100, or if the user declared logits that look like probabilities
 * @throws StriateError for outputs that contradict what they are assumed to be
 */
export function checkAnswers(network: Network, logits: Float32Array, count: number): string | undefined {
  const { name, answers, answersStated = false } = network;
  const rows = rowsOf(logits, count);
  if (answers === "logits") {
    const found = notLogits(rows);
    if (found === undefined) return undefined;
    if (answersStated) return `${name}: its output was declared to be logits, but ${found.text}`;
    const what = `${name}: its output looks like probabilities (${found.text})`;
    const advice =
      "say what the output holds (--answers probabilities, log-probabilities or logits), or name the output with the logits";
    if (found.sure) throw new StriateError(`${what}, expected logits; ${advice}`);
    return `${what} and is treated as logits: if it is not logits, confidence and losses are wrong; ${advice}`;
  }
  if (!answersStated) return undefined;
  const odd = rows.map((row) => total(row, Math.exp)).find((sum) => !(Math.abs(sum - 1) <= STATED));
  if (odd === undefined) return undefined;
  throw new StriateError(
    `${name}: its output was declared to be ${answers.includes("logarithms") ? "probabilities" : answers}, expected ` +
      `values in 0 to 1 with a sum of 1 for each image, got a sum of ${odd.toPrecision(4)}`,
  );
}

function rowsOf(values: Float32Array, count: number): Float32Array[] {
  const size = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * size, (row + 1) * size));
}

function total(row: Float32Array, value: (score: number) => number): number {
  return row.reduce((sum, score) => sum + value(score), 0);
}

/** Why the outputs are probably not logits, and whether this is sure; undefined if they may be logits. */
function notLogits(
  rows: readonly Float32Array[],
): { readonly text: string; readonly sure: boolean } | undefined {
  const isMost = (test: (row: Float32Array) => boolean) =>
    rows.filter(test).length >= MOST_ROWS * rows.length;
  const sumOf = (row: Float32Array) => total(row, (score) => score);
  const middle = rows.map(sumOf).sort((a, b) => a - b)[Math.floor(rows.length / 2)]!;
  const agrees = (row: Float32Array) =>
    row.every((score) => score >= 0) && Math.abs(sumOf(row) - middle) <= ROUNDING * middle;
  const sure = [1, 100].some((sum) => Math.abs(middle - sum) <= ROUNDING * sum);
  // Other scores may have nearly the same sum by chance. Scaled probabilities have a sum that is a whole
  // number.
  const whole = Math.abs(middle - Math.round(middle)) <= 1e-3 * middle;
  if (middle > 0.5 && (sure || (rows.length > 1 && whole)) && isMost(agrees))
    return {
      text: `none is below 0 and the values of each image sum to about ${Number(middle.toPrecision(3))}`,
      sure,
    };
  const logarithms: readonly (readonly [text: string, inverse: (score: number) => number])[] = [
    ["negative logarithms", (score) => Math.exp(-score)],
    ["logarithms to base 10", (score) => 10 ** score],
    ["logarithms to base 2", (score) => 2 ** score],
  ];
  for (const [text, inverse] of logarithms)
    if (isMost((row) => Math.abs(total(row, inverse) - 1) <= STATED))
      return { text: `read as ${text} of probabilities, the values of each image sum to 1`, sure: true };
  return undefined;
}

/**
 * Whether the output for an image depends on the rest of the batch, as it does with batch normalisation in
 * training mode. The function compares the output for an image alone with that for the same image in a batch
 * with its negative, with the same noise.
 */
export async function dependsOnBatch(classifier: Classifier, { data }: ImageBatch): Promise<boolean> {
  const { imageSize } = classifier;
  const image = data.subarray(0, imageSize);
  const pair = new Float32Array(2 * imageSize);
  pair.set(image);
  image.forEach((value, i) => (pair[imageSize + i] = 1 - value));
  const answer = async (images: ImageBatch): Promise<Float32Array> => {
    classifier.seedNoise(fixedNoise(0));
    const logits = await classifier.logits(images);
    return logits.slice(0, logits.length / images.count);
  };
  const alone = await answer({ count: 1, data: image });
  const beside = await answer({ count: 2, data: pair });
  return largestTurn(alone, beside, 1) > TURN;
}

/**
 * Smallest difference that counts. It is larger than the rounding differences between kernels for different
 * batch sizes, even in half precision.
 */
const TURN = 3e-3;
