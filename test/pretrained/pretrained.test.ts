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
