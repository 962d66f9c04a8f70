import { checkWhole } from "../../util/check.js";
import type { Classifier, ImageBatch } from "../classifier.js";
import type { Attack } from "./attack.js";
import { classOfRank } from "./attack.js";
import { onSurvivors } from "./apgd.js";
import type { Norm } from "./ball.js";
import { distances, pickWhole } from "./ball.js";
import { towardsHyperplane } from "./hyperplane.js";

/*
 * FAB-T: Croce & Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack"
 * (arXiv:1907.02044), algorithm 1 with the decision hyperplane between the label and one target class.
 */

/** Input and options of one run of FAB. `targets` has one target class for each image. */
export interface FabOptions {
  readonly norm: Norm;
  readonly targets: Int32Array;
  /** Number of iterations. Default 100. */
  readonly steps?: number;
  /** Largest weight of the original image. Default 0.1. */
  readonly mostOriginal?: number;
  /** Factor by which a step towards the hyperplane is lengthened, so that it ends beyond it. Default 1.05. */
  readonly overshoot?: number;
  /**
   * Factor by which the distance of a misclassified point from the original image is multiplied when the
   * search steps back. Default 0.9.
   */
  readonly backward?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Results of one run of FAB. */
export interface FabRun {
  /** For each image, the nearest misclassified point that was found, or the clean image if there was none. */
  readonly images: ImageBatch;
  /** The distances of these points from the clean images; Infinity if none was found. */
  readonly distance: Float64Array;
}

/**
 * Searches for the nearest point beyond the decision boundary between the label and the target class,
 * starting at the clean image.
 */
export async function fabRun(
  classifier: Classifier,
  clean: ImageBatch,
  labels: Int32Array,
  options: FabOptions,
): Promise<FabRun> {
  const {
    norm,
    targets,
    steps = 100,
    mostOriginal = 0.1,
    overshoot = 1.05,
    backward = 0.9,
    signal,
  } = options;
  checkWhole("FAB: steps", steps);
  const { count } = clean;
  const size = clean.data.length / count;
  const best = clean.data.slice();
  const distance = new Float64Array(count).fill(Infinity);
  const current = clean.data.slice();
  const images: ImageBatch = { count, data: current };
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    const { loss, gradient } = await classifier.lossAndGradient("margin-targeted", images, labels, targets);
    for (let b = 0; b < count; b++) {
      const at = b * size;
      const w = gradient.subarray(at, at + size);
      const x1 = current.subarray(at, at + size);
      const x = clean.data.subarray(at, at + size);
      let offset = -loss[b]!;
      for (let i = 0; i < size; i++) offset += w[i]! * x1[i]!;
      const d1 = towardsHyperplane(x1, w, offset, norm);
      const d2 = towardsHyperplane(x, w, offset, norm);
      const [a1, a2] = [Math.max(lengthOf(d1, norm), 1e-8), Math.max(lengthOf(d2, norm), 1e-8)];
      const alpha = Math.min(Math.max(a1 / (a1 + a2), 0), mostOriginal);
      for (let i = 0; i < size; i++) {
        const value = (x1[i]! + overshoot * d1[i]!) * (1 - alpha) + (x[i]! + overshoot * d2[i]!) * alpha;
        x1[i] = Math.min(1, Math.max(0, value));
      }
    }
    const guesses = await classifier.predict(images);
    const lengths = distances(current, clean.data, count, norm);
    for (let b = 0; b < count; b++) {
      if (guesses[b] === labels[b]) continue;
      const [from, to] = [b * size, (b + 1) * size];
      if (lengths[b]! < distance[b]!) {
        distance[b] = lengths[b]!;
        best.set(current.subarray(from, to), from);
      }
      for (let i = from; i < to; i++) current[i] = clean.data[i]! + backward * (current[i]! - clean.data[i]!);
    }
  }
  return { images: { count, data: best }, distance };
}

function lengthOf(values: Float64Array, norm: Norm): number {
  let total = 0;
  for (const value of values) {
    if (norm === "L2") total += value * value;
    else if (Math.abs(value) > total) total = Math.abs(value);
  }
  return norm === "L2" ? Math.sqrt(total) : total;
}

/** Options of `fabAttack` (Croce & Hein 2020, "Minimally distorted adversarial examples"). */
export interface FabAttackOptions {
  /** Norm of the ball. Default "Linf". */
  readonly norm?: Norm;
  /** Number of iterations. Default 100. */
  readonly steps?: number;
  /** Number of wrong classes at which to aim, with one run each, the most likely class first. Default 9. */
  readonly targets?: number;
}

/**
 * FAB-T with one run for each of the `targets` wrong classes to which the network gives the highest scores.
 * Points farther away than epsilon do not count as successes.
 */
export function fabAttack(options: FabAttackOptions = {}): Attack {
  const { norm = "Linf", steps = 100, targets = 9 } = options;
  return {
    name: `FAB-T${norm === "L2" ? " L2" : ""}`,
    norm,
    settings: { steps, targets },
    loss: "margin-targeted",
    aims: targets,
    run: async (classifier, input) => {
      const logits = await classifier.logits(input.images);
      const aims = Math.min(targets, classifier.network.classes - 1);
      const ranks = Array.from({ length: aims }, (_, i) => i + 2);
      return onSurvivors(input, ranks, async (rank, survivors) => {
        const aim = classOfRank(logits, input.images.count, rank);
        const { images, distance } = await fabRun(classifier, survivors.images, survivors.labels, {
          norm,
          steps,
          targets: pickWhole(aim, survivors.indices),
          signal: input.signal,
        });
        const robust = Uint8Array.from(distance, (length) => (length <= input.epsilon ? 0 : 1));
        return { found: images, robust };
      });
    },
  };
}
