import type { ImageLoader } from "../../data/images/image-loader-node.js";
import { LABELS } from "../../data/dataset.js";
import { judgeLogits } from "../../metrics/calibration.js";
import type { State } from "../../nn/module.js";
import type { Evaluator } from "../../train/evaluator.js";
import { rankOf } from "../image-scores.js";

/** Scores of a classifier on labelled images. */
export interface LoaderScores {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Share of images whose class scores highest. */
  readonly accuracy: number;
  /** Number of images. */
  readonly count: number;
  /** For each class, the number of its images and of those that are right. */
  readonly perClass: readonly { readonly count: number; readonly right: number }[];
}

/**
 * Scores a classifier on all images of a loader. If the network draws noise, it depends on `seed` and on the position of
 * the image.
 *
 * @param batch the number of images for which the evaluator was opened; the last batch is filled up with copies, which
 * do not count
 */
export async function loaderScores(
  evaluator: Evaluator,
  values: State,
  loader: ImageLoader,
  { batch, classes, seed }: { readonly batch: number; readonly classes: number; readonly seed: number },
): Promise<LoaderScores> {
  const perClass = Array.from({ length: classes }, () => ({ count: 0, right: 0 }));
  let loss = 0;
  for (let at = 0; at < loader.count; at += batch) {
    const held = Math.min(batch, loader.count - at);
    const indices = Array.from({ length: batch }, (_, i) => at + Math.min(i, held - 1));
    // An unreadable image is replaced by another one, so the labels come from the loader.
    const labels = new Float32Array(batch);
    const data = {
      count: loader.count,
      fill: (...[wanted, fields, draw]: Parameters<ImageLoader["fill"]>) =>
        loader.fill(wanted, { ...fields, [LABELS]: labels }, draw),
    };
    const { logits } = await evaluator.run(values, data, indices, [seed, "scores", at]);
    for (let row = 0; row < held; row++) {
      const scored = (logits!.data as Float32Array).subarray(row * classes, (row + 1) * classes);
      const label = labels[row]!;
      loss += judgeLogits(scored, label).nll;
      perClass[label]!.count++;
      if (rankOf(label, scored) === 0) perClass[label]!.right++;
    }
  }
  const right = perClass.reduce((sum, one) => sum + one.right, 0);
  return { loss: loss / loader.count, accuracy: right / loader.count, count: loader.count, perClass };
}
