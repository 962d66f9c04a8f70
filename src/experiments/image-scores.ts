import type { PreparedImages } from "../data/images/prepared-images.js";
import { imageData } from "../data/images/prepared-images.js";
import type { Preprocessing } from "../data/images/preprocessing.js";
import { judgeLogits } from "../metrics/calibration.js";
import { average } from "../metrics/statistics.js";
import type { State } from "../nn/module.js";
import type { Evaluator } from "../train/evaluator.js";
import type { RandomLabel } from "../util/random.js";

/** Mean cross-entropy and accuracies of a classifier. */
export interface ImageScores {
  readonly loss: number;
  readonly accuracy: number;
  /** Share of images whose label is among the five classes that score highest. */
  readonly top5: number;
  /** One character for each image: "1" if the network classifies it correctly, otherwise "0". */
  readonly right: string;
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
  let [loss, near] = [0, 0];
  const right: (0 | 1)[] = [];
  for (const indices of fullBatches(images.count, batch)) {
    const { logits } = await evaluator.run(values, data, indices, labelsAt(indices[0]!));
    const classes = logits!.data.length / batch;
    for (const [row, index] of indices.entries()) {
      const scored = (logits!.data as Float32Array).subarray(row * classes, (row + 1) * classes);
      const rank = rankOf(images.labels[index]!, scored);
      loss += judgeLogits(scored, images.labels[index]!).nll;
      right.push(rank === 0 ? 1 : 0);
      if (rank < 5) near++;
    }
  }
  const count = right.length;
  return { loss: loss / count, accuracy: average(right), top5: near / count, right: right.join("") };
}
