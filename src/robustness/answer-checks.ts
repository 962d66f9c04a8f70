import { StriateError } from "../util/errors.js";
import { largestTurn } from "./attacks/ensemble.js";
import type { Classifier, ImageBatch } from "./classifier.js";
import { fixedNoise } from "./classifier.js";
import type { Network } from "./network.js";

/** How far sums may be from what they ought to be: answers may be rounded to two decimals, or be half precision. */
const ROUNDING = 0.03;
/** How far probabilities that are stated as such may be from a sum of 1. */
const STATED = 0.01;
/** Share of rows that settles what answers are: a few odd ones do not hide the others. */
const MOST_ROWS = 0.8;

/**
 * Refuses answers that are not what they are taken for: losses and confidences of them would be wrong. Answers that are
 * taken for logits must not look like probabilities, or like their negative or foreign logarithms; what is stated to be
 * probabilities must be in 0 to 1 with a sum of 1, and likewise their logarithms.
 *
 * @param logits [count, classes] as {@link Classifier.logits} gives them
 * @returns a caution for what may be meant: a constant sum that is neither 1 nor 100, or logits that are stated to be such
 * @throws StriateError for answers that contradict what they are taken for
 */
export function checkAnswers(network: Network, logits: Float32Array, count: number): string | undefined {
  const { name, answers, answersStated = false } = network;
  const rows = rowsOf(logits, count);
  if (answers === "logits") {
    const found = notLogits(rows);
    if (found === undefined) return undefined;
    if (answersStated) return `${name}: its answers were stated to be logits, but ${found.text}`;
    const what = `${name}: its answers look like probabilities (${found.text})`;
    const advice =
      "say what they are (--answers probabilities, log-probabilities or logits), or name the output that holds logits";
    if (found.sure) throw new StriateError(`${what}, expected logits; ${advice}`);
    return `${what} and are taken for logits: confidence and losses are wrong if they are; ${advice}`;
  }
  if (!answersStated) return undefined;
  const odd = rows.map((row) => total(row, Math.exp)).find((sum) => !(Math.abs(sum - 1) <= STATED));
  if (odd === undefined) return undefined;
  throw new StriateError(
    `${name}: its answers were stated to be ${answers.includes("logarithms") ? "probabilities" : answers}, expected ` +
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

/** What gives answers away as something else than logits; undefined if nothing does. */
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
  // Scores of other kinds may have a common sum by chance: that of probabilities on a scale is a whole number.
  const whole = Math.abs(middle - Math.round(middle)) <= 1e-3 * middle;
  if (middle > 0.5 && (sure || (rows.length > 1 && whole)) && isMost(agrees))
    return { text: `none is below 0 and each image's sum to about ${Number(middle.toPrecision(3))}`, sure };
  const logarithms: readonly (readonly [text: string, inverse: (score: number) => number])[] = [
    ["negative logarithms", (score) => Math.exp(-score)],
    ["logarithms to base 10", (score) => 10 ** score],
    ["logarithms to base 2", (score) => 2 ** score],
  ];
  for (const [text, inverse] of logarithms)
    if (isMost((row) => Math.abs(total(row, inverse) - 1) <= STATED))
      return { text: `as ${text} of probabilities each image's sum to 1`, sure: true };
  return undefined;
}

/**
 * Whether the answer to an image depends on what else is in the batch, as with batch normalisation in training mode: an
 * image alone against the same one beside its negative. Noise is the same for both.
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

/** More than kernels for other batch sizes round differently, also in half precision. */
const TURN = 3e-3;
