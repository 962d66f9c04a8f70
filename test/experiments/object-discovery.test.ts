import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { simclrViews } from "../../src/data/augmentation/simclr.js";
import { segmentedScenes } from "../../src/data/scenes/segmented-scenes.js";
import { cellFolder, cellKey, chooseCells } from "../../src/experiments/cells.js";
import { runDiscoveryCell } from "../../src/experiments/object-discovery/cell.js";
import { colourControl, sharesColours } from "../../src/experiments/object-discovery/colour-control.js";
import { objectDiscovery } from "../../src/experiments/object-discovery/experiment.js";
import { discoveryMultiplyAdds, objectTask } from "../../src/experiments/object-discovery/networks.js";
import { objectDiscoveryPage } from "../../src/experiments/object-discovery/page.js";
import { readDiscoveryPictures } from "../../src/experiments/object-discovery/pictures.js";
import type {
  DiscoveryCell,
  DiscoveryModelName,
  DiscoveryPlan,
  DiscoverySetName,
} from "../../src/experiments/object-discovery/plan.js";
import {
  discoveryCellName,
  discoveryCells,
  DISCOVERY_MODELS,
  DISCOVERY_PLANS,
  DISCOVERY_SET_NAMES,
  DISCOVERY_SETS,
} from "../../src/experiments/object-discovery/plan.js";
import { PAPER_RESULTS, paperResult } from "../../src/experiments/object-discovery/published.js";
import type { DiscoveryResult } from "../../src/experiments/object-discovery/results.js";
import { objectDiscoveryReport } from "../../src/experiments/object-discovery/results.js";
import { generateScenes, readScenes } from "../../src/experiments/object-discovery/scenes.js";
import { SCALES } from "../../src/experiments/options.js";
import { parameterCount } from "../../src/experiments/training.js";
import { VIEWS } from "../../src/systems/akorn/index.js";
import { temporaryFolder } from "../support/folders.js";
import { finishedRun } from "./finished-run.js";
import { npyBytes } from "../support/npy.js";

const counts = { trainScenes: 16, validationScenes: 4, testScenes: 18 };
const TINY: DiscoveryPlan = {
  ...DISCOVERY_PLANS.smoke,
  channels: 16,
  steps: 3,
  batchSize: 4,
  ...counts,
  evaluations: 1,
  average: { decay: 0.9, every: 1, after: 0 },
  upTiling: 2,
};

function paperCell(set: DiscoverySetName, model: DiscoveryModelName): DiscoveryCell {
  return discoveryCells(DISCOVERY_PLANS.paper, { seeds: [1], sets: [set], models: [model] })[0]!;
}

async function finish(config: DiscoveryCell, cells: string): Promise<DiscoveryResult> {
  await mkdir(cellFolder(cells, config), { recursive: true });
  const result = await runDiscoveryCell(config, {
    cells,
    scenes: generateScenes(config.set, config),
    device: "cpu",
    threads: 1,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onWarning: () => undefined,
  });
  if (result === undefined) throw new Error("the cell was stopped");
  return result;
}

describe("the cells", () => {
  it.each(SCALES)("of scale %s have names and addresses of their own", (scale) => {
    const cells = discoveryCells(DISCOVERY_PLANS[scale], { seeds: [1, 2] });
    expect(new Set(cells.map(discoveryCellName)).size).toBe(cells.length);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    expect(chooseCells(cells, discoveryCellName, "tetrominoes/akorn-attn/*")).toHaveLength(2);
  });

  it("of the paper have the authors' sizes", () => {
    const parameters = (set: DiscoverySetName, model: DiscoveryModelName) =>
      parameterCount(objectTask(paperCell(set, model)).parameters, "trainable");
    expect(parameters("tetrominoes", "akorn-attn")).toBe(278_400);
    expect(parameters("dsprites", "akorn-attn")).toBe(302_976);
    expect(parameters("clevr", "akorn-attn")).toBe(1_167_104);
    expect(parameters("clevrtex", "akorn-attn")).toBe(1_167_616);
    expect(parameters("clevrtex", "akorn-attn-2")).toBe(1_760_256);
    expect(parameters("clevrtex", "akorn-attn-large")).toBe(6_666_240);
    expect(parameters("tetrominoes", "akorn-conv")).toBe(613_888);
    expect(parameters("dsprites", "akorn-conv")).toBe(1_007_104);
    expect(parameters("clevr", "akorn-conv")).toBe(4_049_920);
    expect(parameters("tetrominoes", "itrsa")).toBe(278_912);
    expect(parameters("dsprites", "itrsa")).toBe(303_488);
    expect(parameters("clevr", "itrsa")).toBe(1_168_128);
    expect(parameters("clevrtex", "itrsa-2")).toBe(1_695_232);
  });

  it("of the paper have the authors' recipe", () => {
    const tetrominoes = paperCell("tetrominoes", "akorn-attn");
    expect(tetrominoes).toMatchObject({
      steps: 11_750,
      batchSize: 256,
      trainScenes: 60_000,
      learningRate: 1e-3,
      temperature: 0.1,
      average: { decay: 0.998, every: 10, after: 200 },
      testScenes: 320,
      upTiling: [1, 4],
      network: { channels: 128, timesteps: 8, heads: 8, rotatingDimensions: 4, patch: 4, kernel: 5 },
    });
    expect(paperCell("clevrtex", "akorn-attn-large")).toMatchObject({ batchSize: 512, learningRate: 5e-4 });
    const one = discoveryCells(DISCOVERY_PLANS.laptop, { seeds: [1], upTiling: 1 })[0]!;
    expect(one.upTiling).toEqual([1]);
    expect(cellKey(one)).not.toBe(cellKey(discoveryCells(DISCOVERY_PLANS.laptop, { seeds: [1] })[0]!));
  });

  it("cost what their products do", () => {
    const cell = paperCell("tetrominoes", "akorn-attn");
    // Patches, 8 steps of qkv, scores, sums and output, read-out to 4 x 128.
    const expected = 64 * (48 * 128 + 8 * (4 * 128 * 128 + 2 * 64 * 128) + 4 * 128 * 128);
    expect(discoveryMultiplyAdds(cell)).toBe(expected);
    expect(discoveryMultiplyAdds(paperCell("tetrominoes", "akorn-conv"))).toBeGreaterThan(2 * expected);
  });

  it("compare with the paper where it has a number", () => {
    expect(paperResult("tetrominoes", "akorn-attn", 1)).toMatchObject({ foregroundAri: [88.6, 1.7] });
    expect(paperResult("tetrominoes", "itrsa", 4)).toBeUndefined();
    for (const rows of Object.values(PAPER_RESULTS)) {
      for (const { model } of rows) expect(DISCOVERY_MODELS).toContain(model);
      expect(new Set(rows.map(({ model, upTiling }) => `${model} ${upTiling}`)).size).toBe(rows.length);
    }
  });
});

describe("the scenes", () => {
  it("of the generated sets have their sizes, and parts of their own", () => {
    for (const set of DISCOVERY_SET_NAMES.filter((name) => DISCOVERY_SETS[name].generated)) {
      const { train, test, validation } = generateScenes(set, counts);
      expect([train.count, validation.count, test.count]).toEqual([16, 4, 18]);
      expect(train.size).toBe(DISCOVERY_SETS[set].size);
      expect(train.objects).toBeLessThan(DISCOVERY_SETS[set].clusters);
      expect(train.images.subarray(0, 3072)).not.toEqual(test.images.subarray(0, 3072));
    }
    expect(() => generateScenes("clevr", counts)).toThrow(/CLEVR: expected the published files.*--data/);
  });

  it("come as two views each, the same for the same step", () => {
    const data = simclrViews(generateScenes("tetrominoes", counts).train);
    const draw = (step: number) => {
      const views = new Float32Array(2 * 3 * 3072);
      data.fill([3, 0, 7], { [VIEWS]: views }, [1, "step", step]);
      return views;
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    const views = draw(5);
    expect(views.subarray(0, 3072)).not.toEqual(views.subarray(3072, 6144));
    expect(Math.max(...views)).toBeLessThanOrEqual(1);
  });

  it("are read from converted parts", async () => {
    const folder = await temporaryFolder();
    const size = 32;
    for (const [i, part] of ["train", "val", "test"].entries()) {
      await mkdir(join(folder, `tetrominoes_${part}`));
      const file = (name: string) => join(folder, `tetrominoes_${part}`, name);
      const count = 2 + i;
      const pixels = new Uint8Array(count * 3 * size * size).fill(10 * i);
      const labels = new Uint8Array(count * size * size).fill(1);
      await writeFile(file("images.npy"), npyBytes({ shape: `(${count}, 3, ${size}, ${size})` }, pixels));
      await writeFile(file("labels.npy"), npyBytes({ shape: `(${count}, ${size}, ${size})` }, labels));
    }
    const notes: string[] = [];
    const parts = await readScenes("tetrominoes", folder, { ...counts, testScenes: 3 }, (line) =>
      notes.push(line),
    );
    expect([parts.train.count, parts.validation.count, parts.test.count]).toEqual([2, 3, 3]);
    expect(parts.test.images[0]).toBe(20);
    expect(notes).toHaveLength(1);
    await expect(readScenes("dsprites", folder, counts, () => undefined)).rejects.toThrow(
      /expected images of 64 x 64, got 32 x 32/,
    );
    await expect(readScenes("clevr", join(folder, "nothing"), counts, () => undefined)).rejects.toThrow(
      /expected a file or folder/,
    );
  });
});

describe("colour alone", () => {
  const size = 2;
  const scene = (colours: readonly number[], labels: readonly number[]) =>
    segmentedScenes({
      name: "two by two",
      size,
      objects: 3,
      images: Uint8Array.from([0, 1, 2].flatMap(() => colours)),
      labels: Int8Array.from(labels),
    });

  it("tells objects of different colours apart and joins those of one colour", () => {
    const apart = scene([10, 200, 0, 0], [1, 2, 0, 0]);
    expect(colourControl(apart, 4)).toEqual({
      foregroundAri: 1,
      bestOverlap: expect.closeTo(1, 6) as number,
    });
    expect(sharesColours(apart, 0)).toBe(false);
    const joined = scene([10, 10, 0, 0], [1, 2, 0, 0]);
    expect(colourControl(joined, 4)!.foregroundAri).toBe(0);
    expect(colourControl(joined, 4)!.bestOverlap).toBeCloseTo(0.5, 6);
    expect(sharesColours(joined, 0)).toBe(true);
  });

  it("joins near colours where there are too many", () => {
    expect(colourControl(scene([10, 12, 200, 0], [1, 1, 2, 0]), 3)!.foregroundAri).toBe(1);
    expect(colourControl(scene([10, 12, 200, 0], [1, 2, 3, 0]), 3)!.foregroundAri).toBe(0);
  });
});

describe("a run", () => {
  it("trains, tests and reports oscillators and the network without them; a finished cell is the same again", async () => {
    const cells = await temporaryFolder();
    const models = ["akorn-attn", "itrsa"] as const;
    const configs = discoveryCells(TINY, { seeds: [1], models });
    const results = [];
    for (const config of configs) results.push({ config, result: await finish(config, cells) });
    // A second seed with the same results: what the page makes of two.
    for (const { config, result } of [...results]) results.push({ config: { ...config, seed: 2 }, result });
    const [akorn, itrsa] = results.map(({ result }) => result) as [DiscoveryResult, DiscoveryResult];
    expect(akorn.tests.map(({ upTiling }) => upTiling)).toEqual([1, 2]);
    expect(akorn.tests[0]!.foregroundAriOfScenes).toHaveLength(18);
    expect(akorn.tests[0]!.energies[0]).toHaveLength(8);
    // Oscillators relax towards what drives them.
    expect(akorn.tests[0]!.energies[0]!.at(-1)).toBeLessThan(akorn.tests[0]!.energies[0]![0]!);
    expect(itrsa.tests[0]!.energies).toEqual([]);
    expect(akorn.learningCurve.map(({ step }) => step)).toEqual([0, 3]);
    expect(akorn.losses.at(-1)).toMatchObject({ step: 3 });
    expect(akorn.tests).not.toEqual(akorn.untrained);
    const again = await finish({ ...configs[0]! }, await temporaryFolder());
    expect(again.tests).toEqual(akorn.tests);

    const own = cellFolder(cells, configs[0]);
    expect(existsSync(join(own, "model.onnx"))).toBe(true);
    const pictures = await readDiscoveryPictures(own);
    expect([...pictures.segments.keys()]).toEqual([1, 2]);
    expect(pictures.fields[0]).toHaveLength(8);
    expect(pictures.fields[0]![0]).toMatchObject({ width: 16, height: 16 });
    expect((await readDiscoveryPictures(cellFolder(cells, configs[1]))).fields).toEqual([]);

    const report = await objectDiscoveryReport({
      ...finishedRun(TINY, new Map(results.map(({ config, result }) => [config, result])), {
        seeds: [1, 2],
        cells,
      }),
      scenes: { of: ({ set }) => Promise.resolve(generateScenes(set, counts)) },
    });
    const [set] = report.sets;
    expect(set!.rows).toHaveLength(4);
    expect(set!.rows[0]!.foregroundAri.values).toHaveLength(2);
    expect(set!.comparisons.map(({ control, judged }) => [control, judged.seeds])).toEqual([
      ["itrsa", 2],
      ["itrsa", 2],
    ]);
    const difference = set!.rows[0]!.foregroundAri.mean - set!.rows[2]!.foregroundAri.mean;
    expect(set!.comparisons[0]!.judged.mean).toBeCloseTo(difference, 10);
    const html = await objectDiscoveryPage(report);
    for (const part of ["segments", "fields", "energies", "learning", "colours"])
      expect(html).toContain(`id="tetrominoes-${part}"`);
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(html.length).toBeLessThan(5e6);
  });

  it("refuses names that it does not know, and one path for several sets", async () => {
    const run = (more: object) =>
      objectDiscovery.run({
        scale: "smoke",
        out: "nowhere",
        seeds: [1],
        device: "cpu",
        threads: 1,
        resume: false,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onNote: () => undefined,
        ...more,
      });
    await expect(run({ dataSet: "tetromino" })).rejects.toThrow(/data set.*tetromino.*tetrominoes/is);
    await expect(run({ models: "akorn" })).rejects.toThrow(/network.*akorn/is);
    await expect(run({ data: "x", dataSet: "dsprites,shapes" })).rejects.toThrow(
      /--data: expected one data set/,
    );
    await expect(run({ cells: "clevr/*" })).rejects.toThrow(/expected a pattern/);
    await expect(run({ dataSet: "clevr" })).rejects.toThrow(/CLEVR: expected the published files/);
  });
});
