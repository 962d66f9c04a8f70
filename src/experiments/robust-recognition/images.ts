import { flipAndMove } from "../../data/augmentation/flip-and-move.js";
import { strongAugmentation } from "../../data/augmentation/strong.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { IMAGES, LABELS } from "../../data/images/prepared-images.js";
import { PREPROCESSINGS } from "../../data/images/preprocessing.js";
import type { RgbImage } from "../../data/images/rgb-image.js";
import type { MemoryData } from "../../train/task.js";
import { Random } from "../../util/random.js";
import type { Augmentation } from "./plan.js";

/** Largest number of pixels by which the light augmentation shifts an image. */
const REACH = 4;

/**
 * Training images in [0, 1], augmented anew each time that training uses them. The random labels that the
 * trainer passes decide the augmentation.
 */
export function trainingImages(images: PreparedImages, augmentation: Augmentation): MemoryData {
  const { count, labels, pixels } = images;
  const [channels, height, width] = images.shape as [number, number, number];
  const size = channels * height * width;
  const change = augmentation === "strong" ? changedStrongly : changedLightly;
  return {
    count,
    preprocessing: PREPROCESSINGS.unit,
    fill: (indices, fields, draw = ["images"]) => {
      const [out, classes] = [fields[IMAGES], fields[LABELS]];
      for (let n = 0; n < indices.length; n++) {
        const index = indices[n]!;
        if (classes !== undefined) classes[n] = labels[index]!;
        if (out === undefined) continue;
        const random = Random.derive(draw[0]!, ...draw.slice(1), "augmentation", n);
        const image = pixels.subarray(index * size, (index + 1) * size);
        change(image, [channels, height, width], random, out.subarray(n * size, (n + 1) * size));
      }
    },
  };
}

type Change = (
  image: Uint8Array,
  shape: readonly [number, number, number],
  random: Random,
  out: Float32Array,
) => void;

const changedLightly: Change = (image, shape, random, out) => {
  for (let i = 0; i < image.length; i++) out[i] = image[i]! / 255;
  flipAndMove(out, shape, REACH, random);
};

const changedStrongly: Change = (image, [channels, height, width], random, out) => {
  const plane = height * width;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) data[3 * i + c] = image[(c % channels) * plane + i]!;
  const picture: RgbImage = { width, height, data };
  const changed = strongAugmentation(picture, height, random);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) out[c * plane + i] = changed.data[3 * i + c]! / 255;
};
