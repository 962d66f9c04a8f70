import { flipAndMove } from "../../data/augmentation/flip-and-move.js";
import type { ImageSource } from "../../data/images/image-source.js";
import { sliceImages } from "../../data/images/prepared-images.js";
import type { TensorData } from "../../graph/index.js";
import type { CorruptionName, Severity } from "../../robustness/corruptions/kinds.js";
import { corrupt } from "../../robustness/corruptions/corrupt.js";
import type { PreparedImages, Preprocessing } from "../../systems/predify/index.js";
import {
  imageData,
  IMAGES,
  prepareImages,
  withGaussianNoise,
  withSaltAndPepper,
} from "../../systems/predify/index.js";
import type { MemoryData } from "../../train/task.js";
import { Random } from "../../util/random.js";
import type { BackboneCell, Disturbance } from "./plan.js";

/** A data set, prepared for the image shapes that networks take. Each preparation is made once and kept. */
export class ExperimentImages {
  readonly #made = new Map<string, Promise<PreparedImages>>();

  constructor(
    readonly train: ImageSource,
    readonly test: ImageSource,
  ) {}

  /** Prepares at most `most` images of a source, chosen at random. Every cell gets the same images. */
  prepared(source: ImageSource, shape: readonly number[], most: number): Promise<PreparedImages> {
    const key = [source.name, ...shape, most].join();
    const made = this.#made.get(key) ?? prepareImages(source, shape, { most, seed: 1 });
    this.#made.set(key, made);
    return made;
  }

  /** The training images of a cell, and the images that it holds out from the training set. */
  async training(
    { trainImages, validationImages }: BackboneCell,
    shape: readonly number[],
  ): Promise<{ training: PreparedImages; validation: PreparedImages }> {
    const all = await this.prepared(this.train, shape, trainImages ?? this.train.count);
    const from = all.count - validationImages;
    return { training: sliceImages(all, 0, from), validation: sliceImages(all, from, all.count) };
  }
}

/**
 * `count` training samples. Sample v is image (v modulo the number of images), mirrored and shifted at
 * random; the random seed and v decide how.
 */
export function augmentedData(
  images: PreparedImages,
  preprocessing: Preprocessing,
  { seed, count, reach = 4 }: { readonly seed: number; readonly count: number; readonly reach?: number },
): MemoryData {
  return changed(imageData(images, preprocessing), images.count, count, (image, sample) => {
    const shape = images.shape as [number, number, number];
    flipAndMove(image, shape, reach, Random.derive(seed, "augmentation", sample));
  });
}

/**
 * Training images with Gaussian noise. For each sample, the standard deviation of the noise is drawn
 * uniformly from 0 to `largestSigma`.
 */
export function noisyData(
  images: PreparedImages,
  preprocessing: Preprocessing,
  {
    seed,
    count,
    largestSigma,
  }: { readonly seed: number; readonly count: number; readonly largestSigma: number },
): MemoryData {
  return changed(imageData(images, preprocessing), images.count, count, (image, sample) => {
    const random = Random.derive(seed, "noise", sample);
    const sigma = random.uniformRange(0, largestSigma);
    const noise = random.fillNormal(new Float32Array(image.length), 0, sigma);
    for (let i = 0; i < image.length; i++) image[i]! += noise[i]!;
  });
}

function changed(
  data: MemoryData,
  images: number,
  count: number,
  change: (image: Float32Array, sample: number) => void,
): MemoryData {
  return {
    ...data,
    count,
    fill: (samples, fields) => {
      data.fill(
        Array.from(samples, (sample) => sample % images),
        fields,
      );
      const values = fields[IMAGES];
      if (values === undefined) return;
      const size = values.length / samples.length;
      for (let n = 0; n < samples.length; n++) change(values.subarray(n * size, (n + 1) * size), samples[n]!);
    },
  };
}

/**
 * Returns the images with the noise of a condition. Each batch gets different noise, but the noise of one
 * batch is the same for every network, setting and seed.
 */
export function disturbed(images: TensorData, disturbance: Disturbance, batch: number): TensorData {
  switch (disturbance.kind) {
    case "none":
      return images;
    case "gaussian":
      return withGaussianNoise(images, disturbance.sigma, batch);
    case "saltAndPepper":
      return withSaltAndPepper(images, disturbance.share, batch);
  }
}

/** A source whose images are corrupted when they are read. */
export function corruptedSource(source: ImageSource, name: CorruptionName, severity: Severity): ImageSource {
  return {
    ...source,
    read: async (index) => corrupt(await source.read(index), name, severity, { index }),
  };
}
