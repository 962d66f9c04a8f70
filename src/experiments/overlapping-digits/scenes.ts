import type { DigitImages } from "../../data/digit-images.js";
import { MultiMnist } from "../../data/multi-mnist.js";
import { corrupt } from "../../data/noise.js";
import { shiftImages, shiftMasks } from "../../data/shifts.js";
import { IMAGES, MASKS, sceneData } from "../../systems/komplexnet/tasks.js";
import type { TrainingData } from "../../train/task.js";
import type { Condition } from "./config.js";

const SIZE = { height: 32, width: 32 };
export const PIXELS = SIZE.height * SIZE.width;

/** Training scenes of a seed, from MNIST's training digits; "validation" gives others. */
export function trainingScenes(
  digits: DigitImages,
  seed: number,
  stream: string,
  count: number,
): TrainingData {
  return sceneData(new MultiMnist(digits, { count, seed, stream, digits: 2 }));
}

/**
 * Test scenes of a condition, from MNIST's test digits. They do not depend on the run's seed: all networks and seeds are
 * tested on the same pictures.
 */
export function testScenes(digits: DigitImages, condition: Condition, count: number): TrainingData {
  const { maxOverlap = 0, corruption, shift } = condition;
  const scenes = sceneData(
    new MultiMnist(digits, {
      count,
      seed: "test",
      stream: "test",
      digits: 2,
      maxOverlap,
      overlapChannel: false,
    }),
  );
  return {
    count,
    fill: (indices, fields) => {
      scenes.fill(indices, fields);
      const { [IMAGES]: images, [MASKS]: masks } = fields;
      if (images && shift) images.set(shiftImages(images, shift, SIZE));
      if (masks && shift) {
        const channels = masks.length / (indices.length * PIXELS);
        masks.set(shiftMasks(masks, shift, { ...SIZE, channels }));
      }
      if (images && corruption)
        corrupt(images, corruption, { seed: "test noise", sampleSize: PIXELS, indices });
    },
  };
}
