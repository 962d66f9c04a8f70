import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadMnist } from "../../src/data/node.js";
import { tetrominoes } from "../../src/data/scenes/tetrominoes.js";
import { MultiMnist } from "../../src/data/scenes/multi-mnist.js";
import { PRETRAINED_CARDS } from "../../src/pretrained/cards.js";
import { decodePretrained } from "../../src/pretrained/decode.js";
import { loadPretrained as loadInPage } from "../../src/pretrained/load.js";
import { loadPretrained } from "../../src/pretrained/load-node.js";
import { PRETRAINED_NAMES } from "../../src/pretrained/models.js";
import { SUDOKU_GIVENS, generateSudoku } from "../../src/data/sudoku/generator.js";
import { openImages } from "../../src/systems/predify/training/image-sources-node.js";
import {
  PREPROCESSINGS,
  imageBatch,
  prepareImages,
  withGaussianNoise,
} from "../../src/systems/predify/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { sceneData } from "../../src/systems/komplexnet/training/tasks.js";
import { Evaluator } from "../../src/train/evaluator.js";
import { openStepper } from "../../src/train/stepper.js";
import { topKSetAccuracy } from "../../src/metrics/multi-label.js";
import { foregroundAri } from "../../src/metrics/segmentation.js";
import { average } from "../../src/metrics/statistics.js";
import type { FeatureMapBatch } from "../../src/systems/akorn/objects/segmentation.js";
import { segmentImages } from "../../src/systems/akorn/objects/segmentation.js";

const folder = fileURLToPath(new URL("../../pretrained/", import.meta.url));

const DIGITS = ["komplexnet-digits2", "random-phases-digits2", "real-valued-digits2"] as const;

/** Share of test scenes whose two digits a network names. */
async function accuracyOf(name: (typeof DIGITS)[number], count: number): Promise<number> {
  const { model, values } = await loadPretrained(name);
  const test = await loadMnist("test");
  const data = sceneData(new MultiMnist(test, { count, seed: 99, stream: "test" }));
  const evaluator = await Evaluator.open(model, count, new Map(), nodeRuntime);
  try {
    const indices = Array.from({ length: count }, (_, i) => i);
    const { logits } = await evaluator.run(values, data, indices, ["pretrained"]);
    const targets = new Float32Array(count * 10);
    data.fill(indices, { targets });
    const last = (logits!.data as Float32Array).slice(-targets.length);
    return topKSetAccuracy(last, targets, 10, 2);
  } finally {
    await evaluator.close();
  }
}

/** For each group of logits, the place of the largest, from 1. */
function largestDigits(logits: Float32Array, group = 9): number[] {
  return Array.from({ length: logits.length / group }, (_, i) => {
    const scores = logits.subarray(i * group, (i + 1) * group);
    return 1 + scores.indexOf(Math.max(...scores));
  });
}

describe("trained networks that come with Striate", () => {
  it.each(PRETRAINED_NAMES)("%s has the card that lies beside its weights", async (name) => {
    const card: unknown = JSON.parse(await readFile(`${folder}${name}.json`, "utf8"));
    expect(card).toEqual(PRETRAINED_CARDS[name]);
    const { bytes, figures } = PRETRAINED_CARDS[name];
    expect(bytes).toBeLessThan(2 ** 20);
    expect(figures.length).toBeGreaterThan(0);
  });

  it("lie in the package's folder, and nothing else does", async () => {
    const names = PRETRAINED_NAMES.flatMap((name) => [`${name}.json`, `${name}.safetensors`]);
    expect((await readdir(folder)).sort()).toEqual(names.sort());
  });

  // 256 scenes: three standard errors of a proportion are about 9 points.
  it.each(DIGITS)("%s is as accurate on new scenes as its card says", async (name) => {
    const stated = PRETRAINED_CARDS[name].figures[0]!.value;
    expect(Math.abs(100 * (await accuracyOf(name, 256)) - stated)).toBeLessThan(10);
  });

  // The scores of single scenes have a standard deviation of about 25 points: three standard errors are about 10.
  it("akorn-tetrominoes finds the pieces of new scenes as its card says", async () => {
    const count = 64;
    const { card, model, values } = await loadPretrained("akorn-tetrominoes");
    const scenes = tetrominoes({ count, seed: 99, stream: "test" });
    const images = Float32Array.from(scenes.images, (value) => value / 255);
    const stepper = await openStepper(nodeRuntime, { model, values }, { batch: count, seed: 1 });
    const found = await segmentImages(
      images,
      async () => {
        for (let t = 1; t < 8; t++) await stepper.step({ images });
        const { features } = await stepper.step({ images });
        return features as FeatureMapBatch;
      },
      { tiling: { size: 32, patch: 4, factor: 1 }, clusters: 4 },
    );
    await stepper.close();
    const pixels = 32 * 32;
    const scores = Array.from({ length: count }, (_, n) =>
      foregroundAri(
        scenes.labels.subarray(n * pixels, (n + 1) * pixels),
        found.subarray(n * pixels, (n + 1) * pixels),
      ),
    );
    expect(Math.abs(100 * average(scores) - card.figures[0]!.value)).toBeLessThan(10);
  });

  // 96 boards: three standard errors of a proportion of 75 % are 13 points.
  it("akorn-sudoku solves new boards as its card says, and more of them with more timesteps", async () => {
    const count = 96;
    const { card, model, values } = await loadPretrained("akorn-sudoku");
    const boards = generateSudoku({ count, givens: SUDOKU_GIVENS.id, seed: 99, stream: "test" });
    const puzzle = Float32Array.from(boards.puzzles);
    const stepper = await openStepper(nodeRuntime, { model, values }, { batch: count, seed: 1 });
    const solved: number[] = [];
    for (let t = 1; t <= 96; t++) {
      const { logits } = await stepper.step({ puzzle });
      if (t !== 16 && t !== 96) continue;
      const digits = largestDigits(logits!.data as Float32Array);
      const isRight = (cell: number) => puzzle[cell] !== 0 || digits[cell] === boards.solutions[cell];
      const right = (n: number) => Array.from({ length: 81 }, (_, k) => isRight(81 * n + k)).every(Boolean);
      solved.push((100 * Array.from({ length: count }, (_, n) => right(n)).filter(Boolean).length) / count);
    }
    await stepper.close();
    expect(Math.abs(solved[0]! - card.figures[0]!.value)).toBeLessThan(14);
    expect(Math.abs(solved[1]! - card.figures[1]!.value)).toBeLessThan(10);
  });

  // 200 images: three standard errors of a proportion are at most 10 points.
  it("predify-digits names noisy digits as its card says", async () => {
    const count = 200;
    const { card, model, values } = await loadPretrained("predify-digits");
    const digits = await prepareImages(await openImages("mnist", "test"), [1, 32, 32], {
      most: 1000,
      seed: 5,
    });
    const indices = Array.from({ length: count }, (_, i) => i);
    const clean = imageBatch(digits, PREPROCESSINGS.mnist, indices);
    const noisy = withGaussianNoise(clean, 0.4 / PREPROCESSINGS.mnist.std[0], 99);
    const stepper = await openStepper(nodeRuntime, { model, values }, { batch: count });
    const correct: number[] = [];
    for (let t = 0; t <= 8; t++) {
      const { logits } = await stepper.step({ images: noisy });
      const answers = largestDigits(logits!.data as Float32Array, 10);
      correct.push((100 * indices.filter((i) => answers[i]! - 1 === digits.labels[i]).length) / count);
    }
    await stepper.close();
    const figure = (what: string) => card.figures.find(({ name }) => name.includes(`0.4, ${what}`))!.value;
    expect(Math.abs(correct[0]! - figure("classifier alone"))).toBeLessThan(10);
    expect(Math.abs(correct[8]! - figure("after 8 timesteps"))).toBeLessThan(10);
  });

  it("refuses names and bytes that are not theirs", async () => {
    await expect(loadPretrained("komplexnet-digits3" as "komplexnet-digits2")).rejects.toThrow(
      /komplexnet-digits3.*komplexnet-digits2/s,
    );
    await expect(loadInPage("nothing" as "komplexnet-digits2")).rejects.toThrow(/"nothing"/);
    const bytes = new Uint8Array(await readFile(`${folder}komplexnet-digits2.safetensors`));
    await expect(decodePretrained("komplexnet-digits2", bytes.slice(1), "file")).rejects.toThrow(
      `file: expected the ${bytes.length} bytes of the weights of komplexnet-digits2, got ${bytes.length - 1} bytes`,
    );
    bytes[bytes.length - 1]! ^= 1;
    await expect(decodePretrained("komplexnet-digits2", bytes, "file")).rejects.toThrow(/SHA-256/);
  });
});
