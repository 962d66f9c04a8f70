import type { PreparedImages } from "../data/images/prepared-images.js";
import { imageData } from "../data/images/prepared-images.js";
import type { Preprocessing } from "../data/images/preprocessing.js";
import { judgeLogits } from "../metrics/calibration.js";
import type { State } from "../nn/module.js";
import type { Evaluator } from "../train/evaluator.js";
import type { RandomLabel } from "../util/random.js";

/** Mean cross-entropy and accuracies of a classifier. */
export interface ImageScores {
  readonly loss: number;
  readonly accuracy: number;
  /** Share of images whose label is among the five classes that score highest. */
  readonly top5: number;
}

/** Splits the indices 0 to count - 1 into full batches; indices that do not fill a batch are left out. */
export function* fullBatches(count: number, batch: number): Generator<number[], void, undefined> {
  for (let at = 0; at + batch <= count; at += batch) yield Array.from({ length: batch }, (_, i) => at + i);
}

/**
 * The number of classes that score higher than the class `label`. Among classes with equal logits, the first
 * one counts as higher.
 */
export function rankOf(label: number, logits: Float32Array): number {
  const own = logits[label]!;
  return logits.reduce((n, value, i) => n + (value > own || (value === own && i < label) ? 1 : 0), 0);
}

/**
 * Scores a classifier on full batches of images. If the network draws noise, `labelsAt(start)` gives the
 * random labels that decide the noise of the batch that begins with image `start`.
 */
export async function imageScores(
  evaluator: Evaluator,
  values: State,
  images: PreparedImages,
  {
    batch,
    preprocessing,
    labelsAt,
  }: {
    readonly batch: number;
    readonly preprocessing: Preprocessing;
    readonly labelsAt: (start: number) => readonly RandomLabel[];
  },
): Promise<ImageScores> {
  const data = imageData(images, preprocessing);
  let [loss, right, near, count] = [0, 0, 0, 0];
  for (const indices of fullBatches(images.count, batch)) {
    const { logits } = await evaluator.run(values, data, indices, labelsAt(indices[0]!));
    const classes = logits!.data.length / batch;
    for (const [row, index] of indices.entries()) {
      const scored = (logits!.data as Float32Array).subarray(row * classes, (row + 1) * classes);
      const rank = rankOf(images.labels[index]!, scored);
      loss += judgeLogits(scored, images.labels[index]!).nll;
      if (rank === 0) right++;
      if (rank < 5) near++;
      count++;
    }
  }
  return { loss: loss / count, accuracy: right / count, top5: near / count };
}
