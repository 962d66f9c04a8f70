import { checkBetween, checkOneOf, checkSlice, checkWhole } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { Random, type RandomLabel } from "../../util/random.js";
import { type ArraysDataset, type Field, arraysDataset, checkIndices } from "../dataset.js";
import type { DigitImages } from "./digit-images.js";
import {
  CANVAS,
  DIGIT,
  type DigitBoxes,
  type OverlapRule,
  type PlacedDigit,
  findBoxes,
  placeDigits,
} from "./scene-placement.js";
import {
  type MaskSampling,
  SCENE,
  drawDigits,
  sceneCanvas,
  writeSceneImage,
  writeSceneMasks,
} from "./scene-render.js";

/**
 * Number of digits in every scene; `"23"` means two digits in scenes with an even index and three in the
 * others.
 */
export type DigitsPerScene = 2 | 3 | "23";

/**
 * Options that say how many scenes `MultiMnist` makes, how many digits they have, and how far digits may
 * overlap.
 */
export interface MultiMnistOptions {
  /** Number of scenes. */
  readonly count: number;
  readonly seed: RandomLabel;
  /**
   * Name by which sets with the same random seed differ, such as `"train"` and `"test"`. Default `"train"`.
   */
  readonly stream?: string;
  /** Number of digits per scene. Default 2. */
  readonly digits?: DigitsPerScene;
  /** Largest allowed overlap of two digits' boxes, 0 to 1, measured by `overlapRule`. Default 0. */
  readonly maxOverlap?: number;
  /** Rule that measures the overlap of two boxes. Default `"reference"`, the authors' rule. */
  readonly overlapRule?: OverlapRule;
  /**
   * Whether masks have an additional last channel for pixels that several digits share. Default: true if `maxOverlap`
   * is above 0.
   */
  readonly overlapChannel?: boolean;
  /** Rule for sampling masks. Default `"exact"`. */
  readonly maskSampling?: MaskSampling;
}

/**
 * Arrays to which {@link Scenes.fillBatch} writes. Each array is optional and may be longer than the batch
 * needs.
 */
export interface SceneBatch {
  /** Images `[batch, channels, 32, 32]`, 0 to 1. */
  readonly x?: Float32Array;
  /** Labels `[batch, 10]`: 1 for each digit that is present, otherwise 0. */
  readonly y?: Float32Array;
  /** One-hot masks `[batch, maskChannels, 1, 32, 32]`. */
  readonly masks?: Float32Array | Uint8Array;
}

/** Images of several digits with labels and masks. */
export interface Scenes {
  readonly count: number;
  /** Number of channels: 1 for grey images, 3 for colour. */
  readonly channels: number;
  /** Largest number of digits in a scene. */
  readonly objects: number;
  /** Number of mask channels: background, one per object, and possibly one for overlaps. */
  readonly maskChannels: number;
  readonly overlapChannel: boolean;
  /** The labels of a scene's digits, in the order of the mask channels. */
  digitLabels(index: number): number[];
  /** Writes the scenes with the given indices one after another. Throws if an array is too short. */
  fillBatch(indices: ArrayLike<number>, batch: SceneBatch): void;
}

const CLASSES = 10;
const PIXELS = SCENE * SCENE;
const MOST_DIGITS = 3;
const boxesOf = new WeakMap<DigitImages, DigitBoxes>();

/**
 * Scenes of two or three MNIST digits with different labels, for multi-object classification (Muzellec,
 * Alamia, Serre, VanRullen, TMLR 2025, and the authors' generator). The digits are cropped to their ink and
 * added up on a canvas of 50x50 pixels, which is resized to 32x32. The authors' generator makes scenes of two
 * digits only; here a third digit is placed like the second, and the overlap rule holds for every pair.
 *
 * Scene i depends only on the digits, the options, the random seed and i; it does not depend on `count` or on
 * the order in which scenes are requested. The layout of a scene is chosen when the scene is first requested,
 * and its pixels are drawn only when a batch is filled, so a set takes 19 bytes of memory per scene.
 *
 * @example
 * ```ts
 * import { MultiMnist, sceneData } from "striate";
 * import { loadMnist } from "striate/node";
 *
 * const scenes = new MultiMnist(await loadMnist("test"), { count: 100, seed: 1, digits: 2 });
 * console.log(sceneData(scenes).count); // 100
 * ```
 */
export class MultiMnist implements Scenes {
  readonly count: number;
  readonly channels = 1;
  readonly classes = CLASSES;
  readonly objects: number;
  readonly maskChannels: number;
  readonly overlapChannel: boolean;
  readonly digits: DigitImages;
  readonly options: Readonly<Required<MultiMnistOptions>>;

  readonly #boxes: DigitBoxes;
  readonly #placedCount: Uint8Array;
  readonly #pictures: Uint32Array;
  readonly #corners: Uint8Array;
  readonly #canvas = sceneCanvas();

  /**
   * Throws {@link StriateError} for invalid options, and for digits that are not 28x28 or have too few different
   * labels.
   */
  constructor(digits: DigitImages, options: MultiMnistOptions) {
    const all = {
      stream: "train",
      digits: 2,
      maxOverlap: 0,
      overlapRule: "reference",
      maskSampling: "exact",
      ...options,
    } as const;
    const overlapChannel = options.overlapChannel ?? all.maxOverlap > 0;
    checkOptions(digits, all);
    this.options = { ...all, overlapChannel };
    this.digits = digits;
    this.count = all.count;
    this.objects = all.digits === 2 ? 2 : MOST_DIGITS;
    this.overlapChannel = overlapChannel;
    this.maskChannels = 1 + this.objects + (overlapChannel ? 1 : 0);
    this.#boxes = boxesOf.get(digits) ?? findBoxes(digits);
    boxesOf.set(digits, this.#boxes);
    const labels = new Set(Array.from(this.#boxes.usable, (picture) => digits.labels[picture]));
    check(
      labels.size >= this.objects,
      () =>
        `Multi-MNIST: expected digit images with at least ${this.objects} different labels, got ${labels.size}`,
    );
    this.#placedCount = new Uint8Array(this.count);
    this.#pictures = new Uint32Array(this.count * MOST_DIGITS);
    this.#corners = new Uint8Array(this.count * MOST_DIGITS * 2);
  }

  /** The number of digits in scene `index`. */
  digitCount(index: number): 2 | 3 {
    const { digits } = this.options;
    return digits === "23" ? (index % 2 === 0 ? 2 : 3) : digits;
  }

  /** The digits of a scene and their boxes on the 50x50 canvas, in the order of the mask channels. */
  placements(index: number): PlacedDigit[] {
    checkIndices("Multi-MNIST", [index], this.count);
    const from = index * MOST_DIGITS;
    if (this.#placedCount[index] === 0) {
      const { seed, stream, maxOverlap, overlapRule } = this.options;
      const random = Random.derive(seed, "multi-mnist", stream, index);
      const placed = placeDigits(
        this.digits,
        this.#boxes,
        this.digitCount(index),
        maxOverlap,
        overlapRule,
        random,
      );
      placed.forEach(({ digit, top, left }, object) => {
        this.#pictures[from + object] = digit;
        this.#corners[2 * (from + object)] = top;
        this.#corners[2 * (from + object) + 1] = left;
      });
      this.#placedCount[index] = placed.length;
    }
    return Array.from({ length: this.#placedCount[index]! }, (_, object) => {
      const digit = this.#pictures[from + object]!;
      const top = this.#corners[2 * (from + object)]!;
      const left = this.#corners[2 * (from + object) + 1]!;
      const { boxes } = this.#boxes;
      return { digit, top, left, bottom: top + boxes[4 * digit + 2]!, right: left + boxes[4 * digit + 3]! };
    });
  }

  digitLabels(index: number): number[] {
    return this.placements(index).map(({ digit }) => this.digits.labels[digit]!);
  }

  fillBatch(indices: ArrayLike<number>, { x, y, masks }: SceneBatch): void {
    const { maskSampling } = this.options;
    const maskSize = this.maskChannels * PIXELS;
    checkRoom("x", x, indices.length * PIXELS);
    checkRoom("y", y, indices.length * CLASSES);
    checkRoom("masks", masks, indices.length * maskSize);
    checkIndices("Multi-MNIST batch", indices, this.count);
    y?.fill(0, 0, indices.length * CLASSES);
    for (let n = 0; n < indices.length; n++) {
      const placed = this.placements(indices[n]!);
      if (y !== undefined) for (const { digit } of placed) y[n * CLASSES + this.digits.labels[digit]!] = 1;
      if (x === undefined && masks === undefined) continue;
      drawDigits(this.#canvas, this.digits, this.#boxes, placed);
      if (x !== undefined) writeSceneImage(this.#canvas, x, n * PIXELS);
      if (masks !== undefined)
        writeSceneMasks(this.#canvas, masks, n * maskSize, this.objects, this.overlapChannel, maskSampling);
    }
  }

  /** Returns scenes start..end-1 as arrays: `x` and `y` as float32, `masks` as bytes. */
  toArrays(
    start = 0,
    end = this.count,
  ): ArraysDataset<{ x: Field<Float32Array>; y: Field<Float32Array>; masks: Field<Uint8Array> }> {
    checkSlice("Multi-MNIST: scenes", start, end, this.count);
    const count = end - start;
    const x = new Float32Array(count * PIXELS);
    const y = new Float32Array(count * CLASSES);
    const masks = new Uint8Array(count * this.maskChannels * PIXELS);
    this.fillBatch(
      Array.from({ length: count }, (_, i) => start + i),
      { x, y, masks },
    );
    return arraysDataset({
      x: { data: x, shape: [1, SCENE, SCENE] },
      y: { data: y, shape: [CLASSES] },
      masks: { data: masks, shape: [this.maskChannels, 1, SCENE, SCENE] },
    });
  }
}

function checkOptions(
  digits: DigitImages,
  {
    count,
    digits: perScene,
    maxOverlap,
    overlapRule,
    maskSampling,
  }: Pick<Required<MultiMnistOptions>, "count" | "digits" | "maxOverlap" | "overlapRule" | "maskSampling">,
): void {
  check(
    digits.height === DIGIT && digits.width === DIGIT,
    () =>
      `Multi-MNIST: expected digits of ${DIGIT}x${DIGIT} for its ${CANVAS}x${CANVAS} canvas, got ${digits.height}x${digits.width}`,
  );
  checkWhole("Multi-MNIST: count", count);
  check(
    [2, 3, "23"].includes(perScene),
    () => `Multi-MNIST: expected 2, 3 or "23" digits per scene, got ${JSON.stringify(perScene)}`,
  );
  checkBetween("Multi-MNIST: maxOverlap", maxOverlap, 0, 1);
  checkOneOf("Multi-MNIST: overlapRule", overlapRule, ["reference", "intersection"]);
  checkOneOf("Multi-MNIST: maskSampling", maskSampling, ["exact", "floor"]);
}

function checkRoom(name: string, array: ArrayLike<number> | undefined, needed: number): void {
  if (array !== undefined && array.length < needed) {
    throw new StriateError(
      `Multi-MNIST batch: expected room for ${needed} numbers in ${name}, got ${array.length}`,
    );
  }
}
