import { checkWhole } from "../../util/check.js";
import type { Random } from "../../util/random.js";
import type { Classifier, ImageBatch } from "../classifier.js";
import type { AttackLoss } from "../losses.js";
import type { Attack } from "./attack.js";
import type { Norm } from "./ball.js";
import type { PgdForm } from "./steps.js";
import { pgdStep, pgdStepAlong } from "./steps.js";

/** Random sign noise: clip(x + epsilon sign(N(0, 1))). AKOrN uses epsilon = 64/255. */
export function randomSign(): Attack {
  return {
    name: "random sign noise",
    norm: "Linf",
    settings: {},
    needsGradient: false,
    run: (_classifier, { images, epsilon, random }) =>
      Promise.resolve(addSigns(images, random.fillNormal(new Float32Array(images.data.length)), epsilon)),
  };
}

/** Moves every value by epsilon in the direction of the noise: clip(x + epsilon sign(noise)). */
export function addSigns(images: ImageBatch, noise: Float32Array, epsilon: number): ImageBatch {
  const radius = Math.fround(epsilon);
  const data = images.data.map((value, i) =>
    Math.min(1, Math.max(0, Math.fround(value + radius * Math.sign(noise[i]!)))),
  );
  return { count: images.count, data };
}

/** Input and options of one run of projected gradient descent (Madry et al. 2018). */
export interface PgdOptions {
  /**
   * Form of the step and the projection. Default "Linf". "L2-akorn" is the form in AKOrN's code; its results
   * may lie outside the ball.
   */
  readonly form?: PgdForm;
  readonly steps: number;
  /** Length of one step. */
  readonly stepSize: number;
  /** Loss. Default "ce", or "ce-towards" if `towards` is given. */
  readonly loss?: AttackLoss;
  /**
   * For each image, a class to move towards. The attack then descends the loss of these classes instead of
   * ascending the loss of the labels.
   */
  readonly towards?: Int32Array;
  /** The images at which to start; they are clipped to [0, 1]. Default: the clean images. */
  readonly start?: ImageBatch;
  /**
   * Number of forward passes whose gradients are averaged, for networks that draw random numbers. Default 1.
   */
  readonly eot?: number;
  /**
   * How gradients are combined: "mean" (default), or "accumulated" as in AKOrN's code. That code does not
   * clear the gradient between passes, so that pass j of k counts k - j + 1 times.
   */
  readonly eotWeights?: "mean" | "accumulated";
  readonly signal?: AbortSignal | undefined;
}

/** Projected gradient descent (Madry et al. 2018, arXiv:1706.06083) from a given start. Returns the last point. */
export async function pgd(
  classifier: Classifier,
  images: ImageBatch,
  labels: Int32Array,
  epsilon: number,
  options: PgdOptions,
): Promise<ImageBatch> {
  const { form = "Linf", steps, stepSize, towards, eot = 1, signal } = options;
  const { loss = towards === undefined ? "ce" : "ce-towards" } = options;
  checkWhole("PGD: steps", steps);
  checkWhole("PGD: eot", eot);
  const step = {
    clean: images,
    labels: towards ?? labels,
    radius: epsilon,
    step: towards === undefined ? stepSize : -stepSize,
  };
  let current = options.start === undefined ? images : clipped(options.start);
  for (let i = 0; i < steps; i++) {
    signal?.throwIfAborted();
    if (eot === 1) current = await pgdStep(classifier, loss, form, { ...step, current });
    else {
      const gradient = await meanGradient(classifier, loss, current, step.labels, options);
      current = await pgdStepAlong(classifier, form, gradient, { ...step, current });
    }
  }
  return current;
}

function clipped({ count, data }: ImageBatch): ImageBatch {
  return { count, data: data.map((value) => Math.min(1, Math.max(0, value))) };
}

async function meanGradient(
  classifier: Classifier,
  loss: AttackLoss,
  images: ImageBatch,
  labels: Int32Array,
  { eot = 1, eotWeights = "mean" }: PgdOptions,
): Promise<Float32Array> {
  const total = new Float32Array(images.data.length);
  for (let pass = 0; pass < eot; pass++) {
    const { gradient } = await classifier.lossAndGradient(loss, images, labels);
    const weight = eotWeights === "mean" ? 1 / eot : eot - pass;
    for (let i = 0; i < total.length; i++) total[i]! += weight * gradient[i]!;
  }
  return total;
}

/** FGSM: clip(x + epsilon sign(gradient)). Goodfellow et al. 2015 (arXiv:1412.6572). */
export function fgsm(options: { readonly eot?: number } = {}): Attack {
  const { eot = 1 } = options;
  return {
    name: "FGSM",
    norm: "Linf",
    settings: { eot },
    run: (classifier, { images, labels, epsilon, signal }) =>
      pgd(classifier, images, labels, epsilon, { steps: 1, stepSize: epsilon, eot, signal }),
  };
}

/** Options of `pgdAttack` (Madry et al. 2018). */
export interface PgdAttackOptions {
  /** Norm of the ball. Default "Linf". */
  readonly norm?: Norm;
  /** Number of steps. Default 20. */
  readonly steps?: number;
  /** Length of one step as a fraction of epsilon. Default 1/3 for Linf (AKOrN), 1/5 for L2. */
  readonly relativeStep?: number;
  /** Whether to start at a random point of the ball. Default false. */
  readonly randomStart?: boolean;
  /** Number of forward passes whose gradients are averaged. Default 1. */
  readonly eot?: number;
}

/**
 * Projected gradient descent. With a random start and a relative step of 2.5 / steps, it equals the attacks
 * of foolbox that Predify uses: BIM (Linf) and PGD (L2).
 */
export function pgdAttack(options: PgdAttackOptions = {}): Attack {
  const { norm = "Linf", steps = 20, randomStart = false, eot = 1 } = options;
  const { relativeStep = norm === "Linf" ? 1 / 3 : 1 / 5 } = options;
  return {
    name: `PGD-${steps}${norm === "L2" ? " L2" : ""}`,
    norm,
    settings: { steps, relativeStep, start: randomStart ? "random" : "clean image", eot },
    run: (classifier, { images, labels, epsilon, random, signal }) => {
      const start = randomStart ? randomPoint(images, epsilon, norm, random) : images;
      const stepSize = relativeStep * epsilon;
      return pgd(classifier, images, labels, epsilon, { form: norm, steps, stepSize, start, eot, signal });
    },
  };
}

/**
 * BIM: PGD from the clean image with steps of length epsilon / steps. Kurakin et al. 2017 (arXiv:1607.02533).
 */
export function bim(options: { readonly steps?: number } = {}): Attack {
  const { steps = 10 } = options;
  return { ...pgdAttack({ steps, relativeStep: 1 / steps }), name: `BIM-${steps}` };
}

/**
 * For each image, draws a point uniformly from the ball and clips it to [0, 1]. For L2 the direction is
 * uniform and the radius is epsilon U^(1/n), with U uniform in [0, 1) and n values per image.
 */
export function randomPoint(images: ImageBatch, epsilon: number, norm: Norm, random: Random): ImageBatch {
  const { count } = images;
  const size = images.data.length / count;
  const noise = new Float32Array(images.data.length);
  if (norm === "Linf") random.fillUniform(noise, -epsilon, epsilon);
  else {
    random.fillNormal(noise);
    for (let row = 0; row < count; row++) {
      const own = noise.subarray(row * size, (row + 1) * size);
      const length = Math.sqrt(own.reduce((total, value) => total + value * value, 0));
      const factor = (epsilon * random.uniform() ** (1 / size)) / Math.max(length, 1e-12);
      for (let i = 0; i < size; i++) own[i]! *= factor;
    }
  }
  return { count, data: noise.map((value, i) => Math.min(1, Math.max(0, images.data[i]! + value))) };
}
