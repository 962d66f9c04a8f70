import type { TensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import { correlationDistance } from "./metrics.js";
import { stateName } from "./network.js";
import type { PredictiveRunner, RunInputs } from "./run.js";

/** Images as the backbone expects them, with the classes that are right. */
export interface LabelledBatch {
  readonly images: TensorData;
  readonly labels: ArrayLike<number>;
}

/** How a network does at every timestep. */
export interface TimestepScores {
  readonly images: number;
  /** Right answers (largest logit) at each timestep. */
  readonly correct: readonly number[];
  /** Share of them. */
  readonly accuracy: readonly number[];
  /** Mean prediction error, [PCoder][timestep]; empty unless the runner gives "error.pcoderI". */
  readonly errors: readonly (readonly number[])[];
}

/** Runs batches through a network and counts right answers at each timestep. */
export async function measureTimesteps(
  runner: PredictiveRunner,
  batches: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>,
  inputs: RunInputs = {},
): Promise<TimestepScores> {
  let images = 0;
  const correct: number[] = [];
  const errors: number[][] = [];
  for await (const { images: batch, labels } of batches) {
    const count = batch.shape[0]!;
    check(labels.length === count, () => `measuring: ${count} images came with ${labels.length} labels`);
    const results = await runner.run(batch, inputs);
    const logits = results.logits!;
    for (let t = 0; t < logits.shape[0]!; t++) {
      const answers = largest(logits, t);
      correct[t] = (correct[t] ?? 0) + answers.filter((answer, i) => answer === labels[i]).length;
    }
    for (let i = 0; results[`error.pcoder${i + 1}`] !== undefined; i++) {
      const values = Array.from(results[`error.pcoder${i + 1}`]!.data, Number);
      errors[i] = values.map((value, t) => (errors[i]?.[t] ?? 0) + value * count);
    }
    images += count;
  }
  check(images > 0, () => "measuring: there are no images");
  return {
    images,
    correct,
    accuracy: correct.map((right) => right / images),
    errors: errors.map((sums) => sums.map((sum) => sum / images)),
  };
}

/** Classes with the largest logit at a timestep of logits [timesteps, batch, classes]. */
function largest({ shape, data }: TensorData, t: number): number[] {
  const [, batch, classes] = shape as [number, number, number];
  return Array.from({ length: batch }, (_, b) => {
    const at = (t * batch + b) * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[at + c]! > data[at + best]!) best = c;
    return best;
  });
}

/**
 * Manifold projection: correlation distance between the representations of a disturbed and the clean image, for every
 * timestep and PCoder, as a mean over images: [PCoder][timestep]. Falling curves mean that the dynamics pull disturbed
 * states back to the clean ones; divide by timestep 0 to compare. The runner must give representations.
 */
export async function measureDistances(
  runner: PredictiveRunner,
  pairs: Iterable<readonly [clean: TensorData, disturbed: TensorData]>,
  inputs: RunInputs = {},
): Promise<number[][]> {
  const sums: number[][] = [];
  let images = 0;
  for (const [clean, disturbed] of pairs) {
    const [a, b] = [await runner.run(clean, inputs), await runner.run(disturbed, inputs)];
    const count = clean.shape[0]!;
    check(
      a[`${stateName(1)}.t0`] !== undefined,
      () => "measuring distances: the runner gives no representations; open it with `representations: true`",
    );
    for (let i = 0; a[`${stateName(i + 1)}.t0`] !== undefined; i++) {
      const row = (sums[i] ??= []);
      for (let t = 0; a[`${stateName(i + 1)}.t${t}`] !== undefined; t++) {
        const [x, y] = [a, b].map(
          (results) => results[`${stateName(i + 1)}.t${t}`]!.data as Float32Array,
        ) as [Float32Array, Float32Array];
        const size = x.length / count;
        for (let n = 0; n < count; n++) {
          const range = [n * size, (n + 1) * size] as const;
          row[t] = (row[t] ?? 0) + correlationDistance(x.subarray(...range), y.subarray(...range));
        }
      }
    }
    images += count;
  }
  check(images > 0, () => "measuring: there are no images");
  return sums.map((row) => row.map((sum) => sum / images));
}

/**
 * Gaussian noise added to images as the network sees them (after normalisation, as the authors do). The same noise for
 * the same seed, whatever the image.
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

/** A share of the positions set to the image's smallest or largest value, all channels alike. */
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
