import { checkLength, checkWhole } from "../../util/check.js";
import type { Random } from "../../util/random.js";
import type { Classifier, ImageBatch, LossAndGradient } from "../classifier.js";
import { predictions } from "../classifier.js";
import type { AttackLoss } from "../losses.js";
import { FEWEST_CLASSES, needsTargets } from "../losses.js";
import type { Attack, AttackInput } from "./attack.js";
import { classOfRank, positions } from "./attack.js";
import type { Norm } from "./ball.js";
import { pickImages, pickWhole, putImages } from "./ball.js";
import { apgdStep } from "./steps.js";

/*
 * Auto-PGD: Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
 * parameter-free attacks" (arXiv:2003.01690), section 3 and algorithm 1, in the form of the authors' code.
 */

/** Input and options of one run of Auto-PGD (Croce & Hein 2020). */
export interface ApgdOptions {
  readonly loss: AttackLoss;
  readonly norm: Norm;
  readonly epsilon: number;
  /** Number of iterations. Default 100. */
  readonly steps?: number;
  /**
   * The step size is halved if the loss rises in at most this share of the iterations since the last check.
   * Default 0.75.
   */
  readonly rho?: number;
  /** Number of forward passes whose gradients are averaged. Default 1. */
  readonly eot?: number;
  readonly targets?: Int32Array | undefined;
  /**
   * Random numbers that determine the start, one for each value of the images: uniform in [0, 1) for Linf,
   * normal for L2.
   */
  readonly draw: Float32Array;
  readonly signal?: AbortSignal | undefined;
  /** Called after every forward pass with the loss of each image. */
  readonly onForward?: (loss: Float32Array) => void;
}

/** Results of one run of Auto-PGD. */
export interface ApgdRun {
  /** For each image, the point with the largest loss. */
  readonly best: ImageBatch;
  readonly bestLoss: Float32Array;
  /** The last misclassified point of each image, or the start. */
  readonly adversarial: ImageBatch;
  /** 1 for images for which no misclassified point was found, otherwise 0. */
  readonly robust: Uint8Array;
  /** Losses of the images at the start and after each iteration. */
  readonly losses: readonly Float32Array[];
  /** For each iteration, the step size of each image. */
  readonly stepSizes: readonly Float32Array[];
  /** For each iteration, the number of iterations between two checks of the step size. */
  readonly windows: readonly number[];
}

/** Runs APGD on a batch once, from the start that `draw` determines. */
export async function apgdRun(
  classifier: Classifier,
  images: ImageBatch,
  labels: Int32Array,
  options: ApgdOptions,
): Promise<ApgdRun> {
  const { loss, norm, epsilon, steps = 100, rho = 0.75, eot = 1, targets, signal } = options;
  checkWhole("APGD: steps", steps);
  checkWhole("APGD: eot", eot);
  const { count } = images;
  const size = images.data.length / count;
  const batch = (data: Float32Array): ImageBatch => ({ count, data });
  const row = (data: Float32Array, i: number) => data.subarray(i * size, (i + 1) * size);
  const given = { clean: images, labels, ...(targets && { targets }), radius: epsilon };

  const start = startPoint(images, epsilon, norm, options.draw);
  const average = (at: LossAndGradient, data: Float32Array): Promise<LossAndGradient> =>
    averaged(
      eot,
      at,
      () => classifier.lossAndGradient(loss, batch(data), labels, targets),
      options.onForward,
    );
  const first = await average(await classifier.lossAndGradient(loss, start, labels, targets), start.data);
  const best = start.data.slice();
  const adversarial = start.data.slice();
  const bestGradient = first.gradient.slice();
  const bestLoss = first.loss.slice();
  const robust = Uint8Array.from(predictions(first.logits, count), (guess, i) =>
    guess === labels[i] ? 1 : 0,
  );

  const losses = [first.loss.slice()];
  const stepSizes: Float32Array[] = [];
  const windows: number[] = [];
  let current = start.data;
  let previous = start.data;
  let gradient = first.gradient;
  const stepSize = new Float32Array(count).fill(2 * epsilon);
  const shortest = Math.max(Math.trunc(0.06 * steps), 1);
  const shrink = Math.max(Math.trunc(0.03 * steps), 1);
  let window = Math.max(Math.trunc(0.22 * steps), 1);
  let since = 0;
  const reducedBefore = new Uint8Array(count).fill(1);
  const bestBefore = bestLoss.slice();

  for (let i = 0; i < steps; i++) {
    signal?.throwIfAborted();
    stepSizes.push(stepSize.slice());
    windows.push(window);
    const made = await apgdStep(classifier, loss, norm, {
      ...given,
      current: batch(current),
      previous: batch(previous),
      gradient,
      stepSize,
      mix: i === 0 ? 1 : 0.75,
    });
    const next = made.next.slice();
    const here = await average(made, next);
    previous = current;
    current = next;
    gradient = here.gradient.slice();
    losses.push(here.loss.slice());
    const guesses = predictions(here.logits, count);
    for (let b = 0; b < count; b++) {
      if (guesses[b] !== labels[b]) {
        robust[b] = 0;
        row(adversarial, b).set(row(current, b));
      }
      if (here.loss[b]! > bestLoss[b]!) {
        bestLoss[b] = here.loss[b]!;
        row(best, b).set(row(current, b));
        row(bestGradient, b).set(row(gradient, b));
      }
    }
    since += 1;
    if (since !== window) continue;
    const restart = current.slice();
    for (let b = 0; b < count; b++) {
      const oscillates = risesIn(losses, i, window, b) <= rho * window;
      const stuck = reducedBefore[b] === 0 && bestBefore[b]! >= bestLoss[b]!;
      reducedBefore[b] = oscillates || stuck ? 1 : 0;
      bestBefore[b] = bestLoss[b]!;
      if (reducedBefore[b] === 0) continue;
      stepSize[b]! /= 2;
      row(restart, b).set(row(best, b));
      row(gradient, b).set(row(bestGradient, b));
    }
    // `previous` stays as it is, so that the next momentum term points from it to the best point.
    current = restart;
    window = Math.max(window - shrink, shortest);
    since = 0;
  }
  return {
    best: batch(best),
    bestLoss,
    adversarial: batch(adversarial),
    robust,
    losses,
    stepSizes,
    windows,
  };
}

/**
 * Counts how often the loss of an image rose in the last `window` iterations. The loss before iteration 0
 * counts as 0, as in the authors' code.
 */
function risesIn(losses: readonly Float32Array[], iteration: number, window: number, image: number): number {
  // losses[0] belongs to the start, losses[i + 1] to iteration i.
  const at = (i: number) => (i < 0 ? 0 : losses[i + 1]![image]!);
  let rises = 0;
  for (let j = 0; j < window; j++) if (at(iteration - j) > at(iteration - j - 1)) rises++;
  return rises;
}

/**
 * Computes the start for each image x from its random numbers u: clip(x + epsilon t / max|t|) with t = 2u - 1
 * for Linf, and clip(x + epsilon u / ‖u‖) for L2.
 */
function startPoint(images: ImageBatch, epsilon: number, norm: Norm, draw: Float32Array): ImageBatch {
  const { count } = images;
  const size = images.data.length / count;
  checkLength("APGD: random numbers of the start", draw, images.data.length);
  const data = images.data.slice();
  for (let b = 0; b < count; b++) {
    const t = draw.slice(b * size, (b + 1) * size);
    if (norm === "Linf") t.forEach((value, i) => (t[i] = 2 * value - 1));
    const length =
      norm === "Linf"
        ? t.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        : Math.sqrt(t.reduce((total, value) => total + value * value, 0));
    for (let i = 0; i < size; i++) {
      const moved = Math.fround(data[b * size + i]! + (epsilon * t[i]!) / (length + 1e-12));
      data[b * size + i] = Math.min(1, Math.max(0, moved));
    }
  }
  return { count, data };
}

/** Computes the mean gradient of `eot` forward passes, with the loss and logits of the last pass. */
async function averaged(
  eot: number,
  first: LossAndGradient,
  again: () => Promise<LossAndGradient>,
  onForward?: (loss: Float32Array) => void,
): Promise<LossAndGradient> {
  onForward?.(first.loss);
  if (eot === 1) return first;
  const gradient = first.gradient.slice();
  let last = first;
  for (let pass = 1; pass < eot; pass++) {
    last = await again();
    onForward?.(last.loss);
    for (let i = 0; i < gradient.length; i++) gradient[i]! += last.gradient[i]!;
  }
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= eot;
  return { ...last, gradient };
}

/** Draws the random numbers for the start of {@link apgdRun}. */
export function apgdDraw(count: number, norm: Norm, random: Random): Float32Array {
  const draw = new Float32Array(count);
  return norm === "Linf" ? random.fillUniform(draw) : random.fillNormal(draw);
}

/** Options of `apgdAttack` (Croce & Hein 2020). */
export interface ApgdAttackOptions {
  /** Loss. Default "ce". */
  readonly loss?: "ce" | "dlr" | "dlr-targeted";
  /** Norm of the ball. Default "Linf". */
  readonly norm?: Norm;
  /** Number of iterations. Default 100. */
  readonly steps?: number;
  /**
   * Number of runs. Each starts at another random point and attacks the images that are still classified
   * correctly. Default 1.
   */
  readonly restarts?: number;
  /** Number of forward passes whose gradients are averaged. Default 1. */
  readonly eot?: number;
  /**
   * Number of wrong classes at which the targeted loss aims, with one run each, the most likely class first.
   * Default 9.
   */
  readonly targets?: number;
}

/**
 * APGD on the cross-entropy, the DLR loss (difference of logits ratio), or the targeted DLR loss, which takes
 * one run for each of several classes.
 */
export function apgdAttack(options: ApgdAttackOptions = {}): Attack {
  const { loss = "ce", norm = "Linf", steps = 100, restarts = 1, eot = 1, targets = 9 } = options;
  const targeted = needsTargets(loss);
  return {
    name: { ce: "APGD-CE", dlr: "APGD-DLR", "dlr-targeted": "APGD-T" }[loss] + (norm === "L2" ? " L2" : ""),
    norm,
    settings: { steps, restarts, eot, ...(targeted && { targets }) },
    fewestClasses: FEWEST_CLASSES[loss],
    loss,
    ...(targeted && { aims: targets }),
    run: async (classifier, input) => {
      const aims = targeted ? Math.min(targets, classifier.network.classes - 1) : 1;
      const logits = targeted ? await classifier.logits(input.images) : undefined;
      const runs = Array.from({ length: restarts * aims }, (_, i) => i);
      return onSurvivors(input, runs, async (run, survivors) => {
        const aim = logits && classOfRank(logits, input.images.count, 2 + (run % aims));
        const result = await apgdRun(classifier, survivors.images, survivors.labels, {
          loss,
          norm,
          epsilon: input.epsilon,
          steps,
          eot,
          targets: aim && pickWhole(aim, survivors.indices),
          draw: apgdDraw(survivors.images.data.length, norm, input.random),
          signal: input.signal,
        });
        return { found: result.adversarial, robust: result.robust };
      });
    },
  };
}

/** The images of a batch that are still classified correctly. */
export interface Survivors {
  readonly images: ImageBatch;
  readonly labels: Int32Array;
  /** The positions of these images in the batch. */
  readonly indices: readonly number[];
}

/**
 * Runs attacks one after another, each on the images on which all earlier ones failed. If all attacks on an
 * image fail, its result is the clean image.
 */
export async function onSurvivors<R>(
  { images, labels }: AttackInput,
  runs: readonly R[],
  attack: (
    run: R,
    survivors: Survivors,
  ) => Promise<{ readonly found: ImageBatch; readonly robust: Uint8Array }>,
): Promise<ImageBatch> {
  const data = images.data.slice();
  let standing = Array.from({ length: images.count }, (_, i) => i);
  for (const run of runs) {
    if (standing.length === 0) break;
    const { found, robust } = await attack(run, {
      images: pickImages(images, standing),
      labels: pickWhole(labels, standing),
      indices: standing,
    });
    const fooled = positions(robust.map((flag) => 1 - flag));
    putImages(
      data,
      fooled.map((i) => standing[i]!),
      pickImages(found, fooled),
    );
    standing = positions(robust).map((i) => standing[i]!);
  }
  return { count: images.count, data };
}
