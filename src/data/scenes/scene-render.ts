import type { DigitBoxes, PlacedDigit } from "./scene-placement.js";
import { CANVAS, DIGIT } from "./scene-placement.js";
import type { DigitImages } from "./digit-images.js";

/** Side in pixels of the finished scenes. */
export const SCENE = 32;
const PIXELS = SCENE * SCENE;

// With half-pixel centres, output pixel i samples the canvas at (i + 1/2) * 50/32 - 1/2. All weights are
// multiples of 1/32, so the bilinear sum is exact in whole numbers.
const first = new Uint8Array(SCENE);
const weight = new Uint8Array(SCENE);
const nearest = new Uint8Array(SCENE);
const floored = new Uint8Array(SCENE);
for (let i = 0; i < SCENE; i++) {
  const source = ((i + 0.5) * CANVAS) / SCENE - 0.5;
  first[i] = Math.floor(source);
  weight[i] = (source - Math.floor(source)) * 32;
  nearest[i] = Math.floor(((i + 0.5) * CANVAS) / SCENE);
  floored[i] = Math.floor((i * CANVAS) / SCENE);
}

/**
 * The rule that chooses the canvas pixel for pixel i of a mask. `"exact"` takes the canvas pixel under its
 * centre, floor((i + 1/2) * 50/32). `"floor"` takes the one under its upper left corner, floor(i * 50/32), as
 * the KomplexNet authors do for scenes with backgrounds.
 */
export type MaskSampling = "exact" | "floor";

/**
 * A canvas with two layers: the ink, 0..255, and for each pixel, a bit mask of the placed digits that have
 * ink there.
 */
export interface SceneCanvas {
  readonly ink: Uint16Array;
  readonly owners: Uint8Array;
}

/** Allocates a canvas for {@link drawDigits}, which can be reused for every scene. */
export function sceneCanvas(): SceneCanvas {
  return { ink: new Uint16Array(CANVAS * CANVAS), owners: new Uint8Array(CANVAS * CANVAS) };
}

/** Clears the canvas and adds the placed digits to it; sums of ink above 250 become 255. */
export function drawDigits(
  { ink, owners }: SceneCanvas,
  digits: DigitImages,
  { boxes }: DigitBoxes,
  placed: readonly PlacedDigit[],
): void {
  ink.fill(0);
  owners.fill(0);
  for (let object = 0; object < placed.length; object++) {
    const { digit, top, left, bottom, right } = placed[object]!;
    const corner = (digit * DIGIT + boxes[4 * digit]!) * DIGIT + boxes[4 * digit + 1]!;
    const bit = 1 << object;
    for (let y = top; y < bottom; y++) {
      const row = corner + (y - top) * DIGIT;
      for (let x = left; x < right; x++) {
        const value = digits.images[row + x - left]!;
        if (value === 0) continue;
        const at = y * CANVAS + x;
        const sum = ink[at]! + value;
        ink[at] = sum > 250 ? 255 : sum;
        owners[at] = owners[at]! | bit;
      }
    }
  }
}

/**
 * Resizes the ink of a canvas [50, 50] to an image [32, 32] (bilinear, half-pixel centres, no antialiasing) and writes
 * it as float32 in [0, 1] to an array, starting at position `at`.
 */
export function writeSceneImage({ ink }: Pick<SceneCanvas, "ink">, out: Float32Array, at: number): void {
  for (let i = 0; i < SCENE; i++) {
    const row = first[i]! * CANVAS;
    const wy = weight[i]!;
    for (let j = 0; j < SCENE; j++) {
      const corner = row + first[j]!;
      const wx = weight[j]!;
      const upper = (32 - wx) * ink[corner]! + wx * ink[corner + 1]!;
      const lower = (32 - wx) * ink[corner + CANVAS]! + wx * ink[corner + CANVAS + 1]!;
      out[at + i * SCENE + j] = ((32 - wy) * upper + wy * lower) / (1024 * 255);
    }
  }
}

/**
 * Writes one-hot masks `[channels, 1, 32, 32]` to an array, starting at position `at`. `sampling` chooses the
 * canvas pixel for each mask pixel. Channel 0 is the background, and channels 1..objects are the digits. If
 * `overlapChannel` is true, the last channel holds the pixels of two or more digits, which then belong to no
 * digit's channel; otherwise such pixels belong to the digit that was placed last.
 */
export function writeSceneMasks(
  { owners }: Pick<SceneCanvas, "owners">,
  out: Float32Array | Uint8Array,
  at: number,
  objects: number,
  overlapChannel: boolean,
  sampling: MaskSampling = "exact",
): void {
  const source = sampling === "exact" ? nearest : floored;
  const channels = 1 + objects + (overlapChannel ? 1 : 0);
  out.fill(0, at, at + channels * PIXELS);
  for (let i = 0; i < SCENE; i++) {
    for (let j = 0; j < SCENE; j++) {
      const bits = owners[source[i]! * CANVAS + source[j]!]!;
      const shared = (bits & (bits - 1)) !== 0;
      const channel = shared && overlapChannel ? channels - 1 : 32 - Math.clz32(bits);
      out[at + channel * PIXELS + i * SCENE + j] = 1;
    }
  }
}
