import type { MixOptions } from "../data/augmentation/mix.js";
import { mixBatch } from "../data/augmentation/mix.js";
import { IMAGES, LABELS } from "../data/dataset.js";
import { Random } from "../util/random.js";
import { checkWhole } from "../util/check.js";
import type { TrainingData } from "./task.js";
import { TARGETS } from "./fine-tuning-task.js";

/** Options of `mixedData`. */
export interface MixedDataOptions extends MixOptions {
  /** The shape of an image, [channels, height, width]. */
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly classes: number;
}

/**
 * Mixes the images and labels of every batch by mixup or CutMix. The data then have the field "targets", [batch,
 * classes], for a `FineTuningTask` whose targets are distributions.
 *
 * @throws StriateError when a batch is filled, for a label that is none of the classes
 */
export function mixedData(data: TrainingData, options: MixedDataOptions): TrainingData {
  return {
    ...data,
    fill: async (indices, fields, draw = ["images"]) => {
      const { [IMAGES]: images, [TARGETS]: targets } = fields;
      const labels = new Float32Array(indices.length);
      await data.fill(indices, { ...fields, [LABELS]: labels }, draw);
      if (!images || !targets) return;
      for (const [n, label] of labels.entries())
        checkWhole(`label of image ${indices[n]!}`, label, { from: 0, to: options.classes - 1 });
      mixBatch(images, labels, targets, options, Random.derive(draw[0]!, ...draw.slice(1), "mix"));
    },
  };
}
