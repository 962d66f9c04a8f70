import type { ImageSource } from "../data/images/image-source.js";
import { readImages } from "../data/images/image-source.js";
import type { RgbImage } from "../data/images/rgb-image.js";
import type { ProgressListener } from "../train/progress.js";
import { createRateEstimator } from "../train/progress.js";
import { StriateError, check } from "../util/errors.js";
import type { RandomLabel } from "../util/random.js";
import { Random } from "../util/random.js";
import { showEpsilon } from "./epsilon.js";
import { attackBatch } from "./attacks/attack.js";
import type { AttackPlan } from "./attacks/ensemble.js";
import type { Classifier } from "./classifier.js";
import type { CorruptOptions } from "./corruptions/corrupt.js";
import { corruptAll } from "./corruptions/pool-node.js";
import { fitPicture, toImageBatch } from "./images.js";
import type { CorruptionCondition, ImageRecord, RunRecord, SkippedRecord } from "./records.js";
import { answerFrom } from "./records.js";
import type { ResultsFile } from "./results-file-node.js";

/** Which measurements to make, and on which images. */
export interface EvaluationPlan {
  /** Positions, in the data set, of the images on which accuracy and corruptions are measured. */
  readonly images: readonly number[];
  readonly conditions: readonly CorruptionCondition[];
  readonly corruption: Omit<CorruptOptions, "draws" | "index" | "seed">;
  /** Positions, in the data set, of the images to attack. */
  readonly attacked: readonly number[];
  readonly attacks: readonly AttackPlan[];
  readonly epsilons: readonly number[];
  readonly seed: number;
  /** Number of images per run of the network. */
  readonly batch: number;
  /**
   * Number of forward passes over which the outputs for an image are averaged, for networks that draw random
   * numbers.
   */
  readonly passes: number;
}

export interface EvaluationOptions {
  readonly signal: AbortSignal;
  /** Number of worker threads for corruptions. Default: one per core. */
  readonly threads?: number | undefined;
  readonly onProgress?: (task: string, ...event: Parameters<ProgressListener>) => void;
}

/** Number of adversarial images of each attack to record for the report. */
const EXAMPLES = 4;

/**
 * Measures what is still missing in the results file and appends each result to it. Returns all records,
 * those of earlier calls first. Noise and corruptions depend only on the random seed and the image's
 * position, so a run that was stopped and continued has the same results as an uninterrupted one.
 *
 * @param classifiers the network at each of its timesteps; all of them get the same images, and they are
 * attacked one after another
 */
export async function evaluate(
  classifiers: readonly Classifier[],
  source: ImageSource,
  plan: EvaluationPlan,
  results: ResultsFile,
  options: EvaluationOptions,
): Promise<RunRecord[]> {
  const records = [...results.records];
  const keep = (record: RunRecord): void => {
    // If a group of images is measured again, its unreadable images are found again.
    const again = record.kind === "skipped" && records.some((old) => isSkipped(old, record.image));
    if (again) return;
    results.append(record);
    records.push(record);
  };
  checkPlanFits(classifiers[0]!, source, plan);
  try {
    await measurePictures(classifiers, source, plan, records, keep, options);
    for (const attacks of plan.attacks)
      for (const epsilon of plan.epsilons)
        for (const classifier of classifiers)
          await measureAttack(classifier, source, plan, attacks, epsilon, records, keep, options);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
  return records;
}

function checkPlanFits(classifier: Classifier, source: ImageSource, plan: EvaluationPlan): void {
  const { classes, name } = classifier.network;
  const bad = [...plan.images, ...plan.attacked].find((i) => !((source.labels[i] ?? classes) < classes));
  check(
    bad === undefined,
    () =>
      `${source.name}: ${source.nameOf(bad!)} has the label ${String(source.labels[bad!])}, but ` +
      `${name} has ${classes} classes: do the data belong to this model?`,
  );
}

function isSkipped(record: RunRecord, image: number): boolean {
  return record.kind === "skipped" && record.image === image;
}

type Keep = (record: RunRecord) => void;

/** Splits a list into groups of neighbouring elements. */
function groups<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** For each classifier, the images that it has already measured. */
function finishedImages(
  records: readonly RunRecord[],
  classifiers: readonly Classifier[],
): readonly ReadonlySet<number>[] {
  return classifiers.map(({ network: { timestep } }) => {
    const own = records.filter(
      (record) => record.kind === "skipped" || (record.kind === "image" && record.timestep === timestep),
    );
    return new Set(own.map((record) => (record as ImageRecord | SkippedRecord).image));
  });
}

/** The field that says to which timestep of the network a record belongs. */
function timestepOf({ network: { timestep } }: Classifier): { readonly timestep?: number } {
  return timestep === undefined ? {} : { timestep };
}

async function measurePictures(
  classifiers: readonly Classifier[],
  source: ImageSource,
  plan: EvaluationPlan,
  records: readonly RunRecord[],
  keep: Keep,
  { signal, threads, onProgress }: EvaluationOptions,
): Promise<void> {
  const { conditions, seed, batch } = plan;
  const versions = conditions.length + 1;
  const together = Math.max(1, Math.floor(batch / versions));
  const done = finishedImages(records, classifiers);
  const isDone = (image: number) => done.every((own) => own.has(image));
  const waiting = groups(plan.images, together).filter((group) => !group.every(isDone));
  const missing = waiting.flat();
  const firstStep = (plan.images.length - missing.length) * versions;
  const steps = plan.images.length * versions;
  const rate = createRateEstimator({ steps, firstStep });
  const task = conditions.length === 0 ? "clean images" : "corruptions";
  let step = firstStep;
  const pictures = fitted(classifiers[0]!, source, missing, keep);
  const corrupted =
    conditions.length === 0
      ? withoutCorruption(pictures)
      : corruptAll(pictures, conditions, {
          ...plan.corruption,
          seed,
          signal,
          ...(threads !== undefined && { threads }),
        });
  let open: { index: number; label: number; all: readonly RgbImage[] }[] = [];
  const flush = async (): Promise<void> => {
    if (open.length === 0) return;
    const all = open.flatMap((item) => item.all);
    for (const [at, classifier] of classifiers.entries()) {
      signal.throwIfAborted();
      const answers = await answersTo(classifier, all, [seed, "pictures", open[0]!.index], plan);
      open.forEach(({ index, label }, n) => {
        if (done[at]!.has(index)) return;
        const own = answers.slice(n * versions, (n + 1) * versions);
        keep({
          kind: "image",
          ...timestepOf(classifier),
          image: index,
          label,
          answers: own.map((rows) => answerFrom(rows, label)),
        });
      });
    }
    step += all.length;
    onProgress?.(task, { step, steps, ...rate.update(step, all.length) });
    open = [];
  };
  let group = 0;
  for await (const { index, label, image, corrupted: versionsOf } of corrupted) {
    signal.throwIfAborted();
    // The last images of a group may be unreadable, so a group is complete only when an image of a later
    // group arrives.
    while (!waiting[group]!.includes(index)) {
      await flush();
      group++;
    }
    open.push({ index, label, all: [image, ...versionsOf] });
  }
  await flush();
  if (missing.length > 0) onProgress?.(task, { step: steps, steps, ...rate.update(steps, 0) });
}

/** Computes the logits of images: for each image, one row per forward pass. */
async function answersTo(
  classifier: Classifier,
  pictures: readonly RgbImage[],
  noise: readonly RandomLabel[],
  { batch, passes }: EvaluationPlan,
): Promise<Float32Array[][]> {
  const logits: Float32Array[][] = pictures.map(() => []);
  classifier.seedNoise(noise);
  for (const at of groups([...pictures.keys()], batch)) {
    const images = toImageBatch(
      at.map((place) => pictures[place]!),
      classifier.network.imageShape,
    );
    for (let pass = 0; pass < passes; pass++) {
      const rows = await classifier.logits(images);
      const classes = rows.length / at.length;
      at.forEach((place, row) => logits[place]!.push(rows.slice(row * classes, (row + 1) * classes)));
    }
  }
  return logits;
}

/** Reads images, brings them to the size of the network and records the unreadable ones. */
async function* fitted(
  classifier: Classifier,
  source: ImageSource,
  images: readonly number[],
  keep?: Keep,
): AsyncGenerator<{ index: number; label: number; image: RgbImage }> {
  const { imageShape, preprocessing } = classifier.network;
  const chosen: ImageSource = {
    ...source,
    count: images.length,
    labels: Int32Array.from(images, (i) => source.labels[i]!),
    nameOf: (i) => source.nameOf(images[i]!),
    read: (i) => source.read(images[i]!),
  };
  const skipped: { name: string; reason: string }[] = [];
  let told = 0;
  const tell = (): void => {
    for (const { name, reason } of skipped.slice(told)) {
      const image = images.find((i) => source.nameOf(i) === name) ?? -1;
      keep?.({ kind: "skipped", image, name, reason });
    }
    told = skipped.length;
  };
  if (images.length === 0) return;
  for await (const { index, label, image } of readImages(chosen, { skipped })) {
    tell();
    yield { index: images[index]!, label, image: fitPicture(image, imageShape, preprocessing) };
  }
  tell();
}

async function* withoutCorruption<T>(
  source: AsyncIterable<T>,
): AsyncGenerator<T & { corrupted: readonly RgbImage[] }> {
  for await (const item of source) yield { ...item, corrupted: [] };
}

async function measureAttack(
  classifier: Classifier,
  source: ImageSource,
  plan: EvaluationPlan,
  attacks: AttackPlan,
  epsilon: number,
  records: readonly RunRecord[],
  keep: Keep,
  { signal, onProgress }: EvaluationOptions,
): Promise<void> {
  const own = (record: RunRecord): boolean =>
    (record.kind === "attack" || record.kind === "example") &&
    record.timestep === classifier.network.timestep &&
    record.plan === attacks.name &&
    record.epsilon === epsilon;
  const finished = new Set(
    records.flatMap((record) => (own(record) && record.kind === "attack" ? record.images : [])),
  );
  const unreadable = new Set(records.flatMap((record) => (record.kind === "skipped" ? [record.image] : [])));
  const all = groups(plan.attacked, plan.batch);
  const waiting = all.filter((group) => group.some((i) => !finished.has(i) && !unreadable.has(i)));
  if (waiting.length === 0) return;
  const steps = plan.attacked.length;
  let step = steps - waiting.flat().length;
  const rate = createRateEstimator({ steps, firstStep: step, smoothingSeconds: 120 });
  const { timestep } = classifier.network;
  const when = timestep === undefined ? "" : `, timestep ${timestep}`;
  const task = `${attacks.name}, epsilon ${showEpsilon(epsilon)}${when}`;
  onProgress?.(task, { step, steps, ...rate.update(step, 0) });
  const shown = new Set(
    records.flatMap((record) => (own(record) && record.kind === "example" ? [record.image] : [])),
  );
  for (const group of waiting) {
    signal.throwIfAborted();
    const pictures: { index: number; label: number; image: RgbImage }[] = [];
    for await (const picture of fitted(
      classifier,
      source,
      group.filter((i) => !unreadable.has(i)),
      keep,
    ))
      pictures.push(picture);
    const images = toImageBatch(
      pictures.map(({ image }) => image),
      classifier.network.imageShape,
    );
    const labels = Int32Array.from(pictures, ({ label }) => label);
    classifier.seedNoise([plan.seed, "attack", attacks.name, epsilon, group[0]!]);
    const outcome = await attackBatch(classifier, attacks.attacks, {
      images,
      labels,
      epsilon,
      random: Random.derive(plan.seed, "attack", attacks.name, epsilon, group[0]!),
      signal,
    });
    const fooled = pictures.filter(
      ({ index }, i) => outcome.clean[i] === 1 && outcome.robust[i] === 0 && !shown.has(index),
    );
    for (const picture of fooled.slice(0, Math.max(0, EXAMPLES - shown.size))) {
      const i = pictures.indexOf(picture);
      const size = classifier.imageSize;
      keep({
        kind: "example",
        ...timestepOf(classifier),
        plan: attacks.name,
        epsilon,
        image: picture.index,
        label: picture.label,
        predicted: outcome.predicted[i]!,
        pixels: encodePixels(outcome.adversarial.data.subarray(i * size, (i + 1) * size)),
      });
      shown.add(picture.index);
    }
    keep({
      kind: "attack",
      ...timestepOf(classifier),
      plan: attacks.name,
      epsilon,
      images: pictures.map(({ index }) => index),
      labels: [...labels],
      clean: [...outcome.clean],
      predicted: [...outcome.predicted],
      stages: outcome.stages.map(({ name, robust }) => ({ name, robust: [...robust] })),
      gradients: outcome.gradients,
    });
    step += group.length;
    onProgress?.(task, { step, steps, ...rate.update(step, group.length) });
  }
}

function encodePixels(values: Float32Array): string {
  const whole = Uint16Array.from(values, (value) => Math.round(65535 * value));
  return Buffer.from(whole.buffer).toString("base64");
}

/**
 * Decodes the values, in [0, 1], of an example's image. Throws {@link StriateError} if their number is wrong.
 */
export function decodePixels(text: string, size: number): Float32Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== 2 * size)
    throw new StriateError(`example: expected ${size} values, got ${bytes.length / 2}`);
  return Float32Array.from({ length: size }, (_, i) => bytes.readUInt16LE(2 * i) / 65535);
}
