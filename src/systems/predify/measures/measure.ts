import type { TensorData } from "../../../graph/index.js";
import { checkLength, checkSome } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { Random } from "../../../util/random.js";
import { correlationDistance } from "./metrics.js";
import { stateName } from "../core/network.js";
import type { PredictiveRunner, RunInputs } from "../core/run.js";

/** Images, prepared as the backbone expects them, and their classes. */
export interface LabelledBatch {
  readonly images: TensorData;
  readonly labels: ArrayLike<number>;
}

/** Scores of a network at every timestep. */
export interface TimestepScores {
  readonly images: number;
  /** Number of images that are classified correctly (by the largest logit) at each timestep. */
  readonly correct: readonly number[];
  /** Fraction of images that are classified correctly at each timestep. */
  readonly accuracy: readonly number[];
  /** Number of images that are classified correctly at each timestep but wrongly at timestep 0. */
  readonly gained: readonly number[];
  /** Number of images that are classified wrongly at each timestep but correctly at timestep 0. */
  readonly lost: readonly number[];
  /** Mean prediction error, as [PCoder][timestep]. Empty if the runner does not return "error.pcoderI". */
  readonly errors: readonly (readonly number[])[];
}

/** Runs batches through a network and counts the correct classifications at each timestep. */
export async function measureTimesteps(
  runner: PredictiveRunner,
  batches: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>,
  inputs: RunInputs = {},
): Promise<TimestepScores> {
  const tally = new TimestepTally();
  for await (const { images, labels } of batches) tally.add(await runner.run(images, inputs), labels);
  return tally.scores();
}

/**
 * Counts correct classifications over several runs of a network. It does the same as
 * {@link measureTimesteps}, but for results that are already computed.
 */
export class TimestepTally {
  #images = 0;
  readonly #correct: number[] = [];
  readonly #gained: number[] = [];
  readonly #lost: number[] = [];
  readonly #errors: number[][] = [];

  /**
   * Adds the results of one run.
   *
   * @param results outputs of a {@link PredictiveRunner}: "logits" and, if errors should be averaged,
   * "error.pcoderI"
   */
  add(results: Readonly<Record<string, TensorData>>, labels: ArrayLike<number>): void {
    const logits = results.logits!;
    const [timesteps, count] = logits.shape as [number, number];
    checkLength("measuring: labels", labels, count);
    const isRight = (t: number) => largestLogits(logits, t).map((answer, i) => answer === labels[i]);
    const first = isRight(0);
    for (let t = 0; t < timesteps; t++) {
      const right = isRight(t);
      const tally = (list: number[], counts: (is: boolean, was: boolean) => boolean) =>
        (list[t] = (list[t] ?? 0) + right.filter((is, i) => counts(is, first[i]!)).length);
      tally(this.#correct, (is) => is);
      tally(this.#gained, (is, was) => is && !was);
      tally(this.#lost, (is, was) => was && !is);
    }
    for (let i = 0; results[`error.pcoder${i + 1}`] !== undefined; i++) {
      const values = Array.from(results[`error.pcoder${i + 1}`]!.data, Number);
      this.#errors[i] = values.map((value, t) => (this.#errors[i]?.[t] ?? 0) + value * count);
    }
    this.#images += count;
  }

  /**
   * Returns the scores over all runs that were added.
   *
   * @throws StriateError if no run was added
   */
  scores(): TimestepScores {
    const images = this.#images;
    checkSome("measuring", images, "image");
    return {
      images,
      correct: [...this.#correct],
      accuracy: this.#correct.map((right) => right / images),
      gained: [...this.#gained],
      lost: [...this.#lost],
      errors: this.#errors.map((sums) => sums.map((sum) => sum / images)),
    };
  }
}

/**
 * Returns for each image the class with the largest logit at timestep `t`. `logits` are [timesteps, batch,
 * classes].
 */
export function largestLogits({ shape, data }: TensorData, t: number): number[] {
  const [, batch, classes] = shape as [number, number, number];
  return Array.from({ length: batch }, (_, b) => {
    const at = (t * batch + b) * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[at + c]! > data[at + best]!) best = c;
    return best;
  });
}

/**
 * Measures the paper's manifold projection: the correlation distance between the representations of a
 * disturbed image and of the clean image, averaged over images. Returns it as [PCoder][timestep]. If the
 * distance falls over time, the dynamics move disturbed representations towards the clean ones. To compare
 * PCoders, divide their distances by those at timestep 0. The runner must be opened with `representations:
 * true`.
 */
export async function measureDistances(
  runner: PredictiveRunner,
  pairs: Iterable<readonly [clean: TensorData, disturbed: TensorData]>,
  inputs: RunInputs = {},
): Promise<number[][]> {
  const tally = new DistanceTally();
  for (const [clean, disturbed] of pairs)
    tally.add(await runner.run(clean, inputs), await runner.run(disturbed, inputs));
  return tally.means();
}

/**
 * Averages correlation distances over several runs. It does the same as {@link measureDistances}, but for
 * results that are already computed.
 */
export class DistanceTally {
  #images = 0;
  readonly #sums: number[][] = [];

  /**
   * Adds the results of a {@link PredictiveRunner} for clean images and for disturbed versions of the same
   * images. Both must include "representation.pcoderI.tN".
   */
  add(clean: Readonly<Record<string, TensorData>>, disturbed: Readonly<Record<string, TensorData>>): void {
    const first = clean[`${stateName(1)}.t0`];
    check(
      first !== undefined,
      () =>
        "measuring distances: expected representations, got none; open the runner with `representations: true`",
    );
    const count = first.shape[0]!;
    for (let i = 0; clean[`${stateName(i + 1)}.t0`] !== undefined; i++) {
      const row = (this.#sums[i] ??= []);
      for (let t = 0; clean[`${stateName(i + 1)}.t${t}`] !== undefined; t++) {
        const [x, y] = [clean, disturbed].map(
          (results) => results[`${stateName(i + 1)}.t${t}`]!.data as Float32Array,
        ) as [Float32Array, Float32Array];
        const size = x.length / count;
        for (let n = 0; n < count; n++) {
          const range = [n * size, (n + 1) * size] as const;
          row[t] = (row[t] ?? 0) + correlationDistance(x.subarray(...range), y.subarray(...range));
        }
      }
    }
    this.#images += count;
  }

  /**
   * Returns the mean distances as [PCoder][timestep].
   *
   * @throws StriateError if no run was added
   */
  means(): number[][] {
    checkSome("measuring", this.#images, "image");
    return this.#sums.map((row) => row.map((sum) => sum / this.#images));
  }
}

/**
 * Adds Gaussian noise to images that are already normalised, as the authors do. The noise depends on the random seed
 * alone, not on the images.
 */
export function withGaussianNoise(images: TensorData, sigma: number, seed: number): TensorData {
  const noise = Random.derive(seed, "gaussian noise").fillNormal(
    new Float32Array(images.data.length),
    0,
    sigma,
  );
  const clean = images.data as Float32Array;
  return { ...images, data: noise.map((value, i) => value + clean[i]!) };
}

/**
 * Sets randomly chosen positions to the image's smallest or largest value, in all channels. `share` is the
 * probability for a position to be chosen.
 */
export function withSaltAndPepper(images: TensorData, share: number, seed: number): TensorData {
  const random = Random.derive(seed, "salt and pepper");
  const data = Float32Array.from(images.data as Float32Array);
  const [batch, channels] = images.shape as [number, number];
  const positions = data.length / batch / channels;
  for (let n = 0; n < batch; n++) {
    const image = data.subarray(n * channels * positions, (n + 1) * channels * positions);
    const [low, high] = [image.reduce((a, b) => Math.min(a, b)), image.reduce((a, b) => Math.max(a, b))];
    for (let i = 0; i < positions; i++) {
      const u = random.uniform();
      if (u >= share) continue;
      for (let c = 0; c < channels; c++) image[c * positions + i] = u < share / 2 ? low : high;
    }
  }
  return { ...images, data };
}
