import { StriateError } from "../util/errors.js";
import { largestTurn } from "./attacks/ensemble.js";
import type { Classifier, ImageBatch } from "./classifier.js";
import { fixedNoise } from "./classifier.js";
import type { Network } from "./network.js";

/** Relative tolerance of sums, because outputs may be rounded to two decimals or have half precision. */
const ROUNDING = 0.03;
/** Tolerance of the sum of stated probabilities, which must be 1. */
const STATED = 0.01;
/** Share of rows that decides what the outputs are, so that a few unusual rows do not matter. */
const MOST_ROWS = 0.8;

/**
 * Checks that the outputs are of the assumed kind; otherwise losses and confidences would be wrong. Outputs that are
 * assumed to be logits must not look like probabilities, like negative logarithms of probabilities, or like their
 * logarithms to base 2 or 10. Stated probabilities must be in [0, 1] with a sum of 1; the same holds for the
 * exponentials of stated log-probabilities.
 *
 * @param logits [count, classes] as {@link Classifier.logits} gives them
 * @returns a caution in doubtful cases: outputs with a constant sum that is neither 1 nor 100, or stated logits that
 * look like probabilities
 * @throws StriateError for outputs that contradict what they are assumed to be
 */
export function checkAnswers(network: Network, logits: Float32Array, count: number): string | undefined {
  const { name, answers, answersStated = false } = network;
  const rows = rowsOf(logits, count);
  if (answers === "logits") {
    const found = notLogits(rows);
    if (found === undefined) return undefined;
    if (answersStated) return `${name}: its output was stated to be logits, but ${found.text}`;
    const what = `${name}: its output looks like probabilities (${found.text})`;
    const advice =
      "state what the output holds (--answers probabilities, log-probabilities or logits), or name the output with the logits";
    if (found.sure) throw new StriateError(`${what}, expected logits; ${advice}`);
    return `${what} and is treated as logits: if it is not logits, confidence and losses are wrong; ${advice}`;
  }
  if (!answersStated) return undefined;
  const odd = rows.map((row) => total(row, Math.exp)).find((sum) => !(Math.abs(sum - 1) <= STATED));
  if (odd === undefined) return undefined;
  throw new StriateError(
    `${name}: its output was stated to be ${answers.includes("logarithms") ? "probabilities" : answers}, expected ` +
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

/** Why outputs cannot be logits, or hardly can; undefined if nothing speaks against logits. */
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
  // Other scores may have a common sum by chance; the sum of scaled probabilities is a whole number.
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
 * Whether the output for an image depends on the rest of the batch, as with batch normalisation in training mode. It
 * compares an image alone with the same image beside its negative, with the same noise.
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

/** This is above the rounding differences between kernels for other batch sizes, also in half precision. */
const TURN = 3e-3;
