import { checkEveryWhole, checkLength } from "../../util/check.js";
import type { Random } from "../../util/random.js";
import type { Classifier, ImageBatch } from "../classifier.js";
import { predictions } from "../classifier.js";
import type { AttackLoss } from "../losses.js";
import { needsTargets } from "../losses.js";
import type { Norm } from "./ball.js";
import { checkEpsilon, checkImages, checkInBall, pickImages, pickWhole, putImages } from "./ball.js";

/** The input of an attack: images that the network classifies correctly. */
export interface AttackInput {
  readonly images: ImageBatch;
  readonly labels: Int32Array;
  readonly epsilon: number;
  readonly random: Random;
  /** Stops the attack between two steps. */
  readonly signal?: AbortSignal | undefined;
}

/** An attack within a ball of a given radius. */
export interface Attack {
  readonly name: string;
  readonly norm: Norm;
  /** All settings except the radius, to be recorded in protocols. */
  readonly settings: Readonly<Record<string, number | string>>;
  /** Number of classes that the attack's loss needs. Default 2. */
  readonly fewestClasses?: number;
  /** Whether the attack differentiates the network. Default true. */
  readonly needsGradient?: boolean;
  /** The loss whose gradient the attack follows. Default "ce". */
  readonly loss?: AttackLoss;
  /** Number of wrong classes at which the attack aims, or fewer if the network does not have that many. */
  readonly aims?: number;
  /** Returns one candidate for each image: the clean image if the attack found nothing. */
  run(classifier: Classifier, input: AttackInput): Promise<ImageBatch>;
}

/** Whether an attack could follow the gradient at the clean images. */
export interface GradientReport {
  readonly attack: string;
  /** Number of images that the attack was given. */
  readonly images: number;
  /**
   * Number of images whose gradient is below 1e-30 everywhere, so that it is zero or gets lost in single
   * precision. Attacks fail on these images.
   */
  readonly zero: number;
  /** Number of images whose gradient contains NaN or infinite values, which are replaced by 0. */
  readonly notFinite: number;
  /** Number of NaN and infinite values in all steps of the attack. */
  readonly notFiniteValues: number;
}

/** The result of attacks on a batch. */
export interface AttackOutcome {
  /** Whether each clean image is classified correctly. */
  readonly clean: Uint8Array;
  /**
   * For each attack, whether each image is still classified correctly after this attack and all earlier ones.
   * To decide this, the network classifies the result of every attack once more.
   */
  readonly stages: readonly { readonly name: string; readonly robust: Uint8Array }[];
  /** The flags of the last attack. */
  readonly robust: Uint8Array;
  /** The images after all attacks. */
  readonly adversarial: ImageBatch;
  /** The predicted classes of the images after all attacks. */
  readonly predicted: Int32Array;
  /** One entry for each attack that follows a gradient and was given images. */
  readonly gradients: readonly GradientReport[];
}

/**
 * Attacks a batch. The function finds the images that are classified correctly and runs each attack on those
 * that still are. It checks that every result lies in the ball and in [0, 1], and classifies the results once
 * more.
 *
 * @throws StriateError for images outside [0, 1], labels that the network does not have, or a radius out of range.
 * @example
 * ```ts
 * import { Random } from "striate";
 * import type { Classifier, ImageBatch } from "striate/robustness";
 * import { attackBatch, attackPlan } from "striate/robustness";
 *
 * async function stillRight(classifier: Classifier, images: ImageBatch, labels: Int32Array) {
 *   const { attacks } = attackPlan("pgd");
 *   const options = { images, labels, epsilon: 8 / 255, random: new Random(1) };
 *   return (await attackBatch(classifier, attacks, options)).robust;
 * }
 * ```
 */
export async function attackBatch(
  classifier: Classifier,
  attacks: readonly Attack[],
  input: AttackInput,
): Promise<AttackOutcome> {
  const { images, labels, epsilon } = input;
  checkImages(images);
  for (const { norm } of attacks) checkEpsilon(epsilon, norm, classifier.imageSize);
  checkLabels(labels, images.count, classifier.network.classes);
  const predicted = await classifier.predict(images);
  const clean = Uint8Array.from(labels, (label, i) => (predicted[i] === label ? 1 : 0));
  const robust = clean.slice();
  const data = images.data.slice();
  const stages: { name: string; robust: Uint8Array }[] = [];
  const gradients: GradientReport[] = [];
  for (const attack of attacks) {
    const standing = positions(robust);
    if (standing.length > 0) {
      const attacked = pickImages(images, standing);
      const own = pickWhole(labels, standing);
      const before = classifier.notFiniteGradients;
      const found = await attack.run(classifier, { ...input, images: attacked, labels: own });
      if (attack.needsGradient !== false) {
        const notFiniteValues = classifier.notFiniteGradients - before;
        const report = await classifier.aside(() => gradientReport(classifier, attack, attacked, own));
        gradients.push({ ...report, notFiniteValues });
      }
      checkInBall(attack.name, found, attacked, attack.norm, epsilon);
      const guesses = await classifier.predict(found);
      putImages(data, standing, found);
      standing.forEach((image, i) => {
        predicted[image] = guesses[i]!;
        if (guesses[i] !== own[i]) robust[image] = 0;
      });
    }
    stages.push({ name: attack.name, robust: robust.slice() });
  }
  return { clean, stages, robust, adversarial: { count: images.count, data }, predicted, gradients };
}

/**
 * Gradients below this value partly vanish on their way through a network, because single precision reaches
 * down to 1e-38 only.
 */
const LOST = 1e-30;

/** Checks the gradient of an attack's loss at the clean images. Targeted losses aim at the most likely wrong class. */
async function gradientReport(
  classifier: Classifier,
  { name, loss = "ce" }: Attack,
  images: ImageBatch,
  labels: Int32Array,
): Promise<Omit<GradientReport, "notFiniteValues">> {
  const logits = needsTargets(loss) ? await classifier.logits(images) : undefined;
  const targets = logits && classOfRank(logits, images.count, 2);
  const { largest, notFinite } = await classifier.checkGradients(loss, images, labels, targets);
  const count = (values: Float32Array, test: (value: number) => boolean) => values.filter(test).length;
  return {
    attack: name,
    images: images.count,
    zero: count(largest, (value) => value < LOST),
    notFinite: count(notFinite, (value) => value > 0),
  };
}

/** The positions of all entries that are 1. */
export function positions(flags: Uint8Array): number[] {
  return Array.from(flags.keys()).filter((i) => flags[i] === 1);
}

/** Throws `StriateError` unless there is one label for each image, and the network has that class. */
export function checkLabels(labels: Int32Array, count: number, classes: number): void {
  checkLength("labels", labels, count);
  checkEveryWhole("labels", labels, { from: 0, to: classes - 1 });
}

/**
 * The `rank`-th most likely class of each row of logits, and rank 1 is the most likely class. Of equal
 * logits, the first has the lower rank.
 */
export function classOfRank(logits: Float32Array, count: number, rank: number): Int32Array {
  const classes = logits.length / count;
  if (rank === 1) return predictions(logits, count);
  return Int32Array.from({ length: count }, (_, row) => {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
    return order[rank - 1]!;
  });
}
