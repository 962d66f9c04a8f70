import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { DigitImages } from "../../src/data/index.js";
import { loadMnist } from "../../src/data/node.js";
import {
  type DigitBoxes,
  type PlacedDigit,
  findBoxes,
  overlapRatio,
} from "../../src/data/scenes/scene-placement.js";
import {
  drawDigits,
  sceneCanvas,
  writeSceneImage,
  writeSceneMasks,
} from "../../src/data/scenes/scene-render.js";
import { readSafetensors } from "../../src/util/safetensors-node.js";
import { range } from "./scenes.js";

const folder = resolve(import.meta.dirname, "../../../shared/goldens/komplexnet");
const present = existsSync(folder);
if (!present) console.log(`skipped: scenes of the reference, no folder ${folder}`);

/** Scenes that the authors' rules made of MNIST test digits, as images and masks without a note of the digits' places. */
describe.skipIf(!present)("scenes of the reference", () => {
  it.each(["ff_T3", "ff_T15", "ff_3obj_T3"])("%s: found again in MNIST, and drawn alike", async (name) => {
    const digits = await loadMnist("test");
    const boxes = findBoxes(digits);
    const { tensors } = await readSafetensors(resolve(folder, `${name}.safetensors`));
    const [x, y, masks] = ["input.x", "input.y", "input.masks"].map((key) => tensors.get(key)!);
    const channels = masks!.shape[1]!;
    const canvas = sceneCanvas();
    for (const n of range(0, x!.shape[0]!)) {
      const mask = (masks!.data as Float32Array).slice(n * channels * 1024, (n + 1) * channels * 1024);
      const image = (x!.data as Float32Array).slice(n * 1024, (n + 1) * 1024);
      const labels = range(0, 10).filter((c) => y!.data[n * 10 + c] === 1);
      const placed = range(1, channels).map((channel) =>
        findDigit(digits, boxes, labels, mask.subarray(channel * 1024, (channel + 1) * 1024), image),
      );
      expect(placed.map(({ digit }) => digits.labels[digit]!).sort()).toEqual(labels);
      expect(Math.max(placed[0]!.top, placed[0]!.left)).toBeLessThan(22);
      placed.forEach((box, k) => {
        for (const earlier of placed.slice(0, k)) {
          expect(overlapRatio(earlier, box, "reference")).toBeLessThanOrEqual(0);
        }
      });
      drawDigits(canvas, digits, boxes, placed);
      const ours = new Float32Array(1024);
      writeSceneImage(canvas, ours, 0);
      expect(Math.max(...ours.map((value, p) => Math.abs(value - image[p]!)))).toBeLessThan(1e-6);
      const ourMask = new Float32Array(channels * 1024);
      writeSceneMasks(canvas, ourMask, 0, channels - 1, false);
      expect(ourMask).toEqual(mask);
    }
  });
});

/** The digit and place whose own ink gives exactly this mask and, on its exclusive pixels, this image. */
function findDigit(
  digits: DigitImages,
  boxes: DigitBoxes,
  labels: readonly number[],
  mask: Float32Array,
  image: Float32Array,
): PlacedDigit {
  const pixels = range(0, 1024).filter((p) => mask[p] === 1);
  const nearest = (i: number): number => Math.floor((i + 0.5) * 1.5625);
  const top = nearest(Math.min(...pixels.map((p) => Math.floor(p / 32))));
  const left = nearest(Math.min(...pixels.map((p) => p % 32)));
  const canvas = sceneCanvas();
  const drawn = new Float32Array(1024);
  const drawnMask = new Float32Array(2048);
  for (const digit of boxes.usable) {
    if (!labels.includes(digits.labels[digit]!)) continue;
    const [firstRow, firstColumn, height, width] = boxes.boxes.subarray(4 * digit, 4 * digit + 4);
    const ink = (py: number, px: number): boolean =>
      py >= 0 &&
      py < height! &&
      px >= 0 &&
      px < width! &&
      digits.images[digit * 784 + (firstRow! + py) * 28 + firstColumn! + px] !== 0;
    for (let y = Math.max(0, top - 3); y <= top; y++) {
      for (let x = Math.max(0, left - 3); x <= left; x++) {
        if (!pixels.every((p) => ink(nearest(Math.floor(p / 32)) - y, nearest(p % 32) - x))) continue;
        const placed = { digit, top: y, left: x, bottom: y + height!, right: x + width! };
        drawDigits(canvas, digits, boxes, [placed]);
        writeSceneMasks(canvas, drawnMask, 0, 1, false);
        if (!mask.every((value, p) => value === drawnMask[1024 + p])) continue;
        writeSceneImage(canvas, drawn, 0);
        // Neighbouring digits may add to border pixels, so most pixels must agree here; the whole scene is compared later.
        const agreeing = pixels.filter((p) => Math.abs(drawn[p]! - image[p]!) < 1e-6).length;
        if (agreeing > 0.8 * pixels.length) return placed;
      }
    }
  }
  throw new Error("no digit of MNIST gives this mask");
}
