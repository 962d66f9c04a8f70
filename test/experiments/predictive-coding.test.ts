import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runExperiment } from "../../src/cli/run.js";
import type { RunOptions } from "../../src/cli/commands/run.js";
import { CIFAR10_RECORD } from "../../src/data/sets/cifar10.js";
import { flipAndMove } from "../../src/data/augmentation/flip-and-move.js";
import { cellFolder, cellKey } from "../../src/experiments/cells.js";
import { SCALES } from "../../src/experiments/options.js";
import type { BackboneCell } from "../../src/experiments/predictive-coding/plan.js";
import {
  predictiveCellName,
  predictiveCells,
  hyperparametersUnder,
  PREDICTIVE_PLANS,
  SETTINGS,
} from "../../src/experiments/predictive-coding/plan.js";
import type { PredictiveCodingReport } from "../../src/experiments/predictive-coding/results.js";
import { Random } from "../../src/util/random.js";
import { captured } from "../cli/streams.js";
import { readHtml } from "../report/markup.js";
import { temporaryFolder } from "../support/folders.js";

describe("the cells of predictive-coding", () => {
  it.each(SCALES)("of scale %s have names and addresses of their own, and starts before them", (scale) => {
    const cells = predictiveCells(PREDICTIVE_PLANS[scale], [1, 2]);
    expect(new Set(cells.map(predictiveCellName)).size).toBe(cells.length);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    cells.forEach((cell, i) => {
      if ("start" in cell) expect(cells.slice(0, i)).toContainEqual(cell.start);
    });
    expect(PREDICTIVE_PLANS[scale].conditions.map(({ id }) => id)).toContain(PREDICTIVE_PLANS[scale].shown);
  });

  it("depend on the network that is given", () => {
    const given = (sha256: string) =>
      predictiveCells(
        {
          ...PREDICTIVE_PLANS.smoke,
          given: { sha256, preprocessing: { scale: 255 }, name: "a.onnx", path: "a.onnx" },
        },
        [1],
      ).map((cell) => cellKey(cell));
    const [one, other] = [given("a"), given("b")];
    for (const key of one) expect(other).not.toContain(key);
  });

  it("leave out one term at a time", () => {
    const values = [{ feedforward: 0.5, feedback: 0.2, error: 0.1 }];
    const under = (id: string) =>
      hyperparametersUnder(
        SETTINGS.find((setting) => setting.id === id)!,
        values,
      )[0]!;
    expect(under("tuned")).toEqual(values[0]);
    expect(under("tunedNoFeedback")).toEqual({ feedforward: 0.5, feedback: 0, error: 0.1 });
    expect(under("authorsNoError")).toEqual({ feedforward: 0.5, feedback: 0.2, error: 0 });
  });
});

describe("mirrored and moved images", () => {
  it("keep what stays inside, in every channel, and are black outside", () => {
    const picture = Float32Array.from({ length: 2 * 3 * 4 }, (_, i) => i + 1);
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const image = Float32Array.from(picture);
      flipAndMove(image, [2, 3, 4], 1, new Random(seed));
      seen.add(image.join());
      // The second channel is the first one plus 12, wherever it is.
      for (let i = 0; i < 12; i++) expect(image[12 + i]).toBe(image[i] === 0 ? 0 : image[i]! + 12);
    }
    expect(seen.size).toBe(2 * 9);
    expect(seen).toContain(picture.join());
    const mirrored = [4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9];
    expect(seen).toContain([...mirrored, ...mirrored.map((value) => value + 12)].join());
    const down = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    expect(seen).toContain([...down, ...down.map((value) => (value === 0 ? 0 : value + 12))].join());
    expect(() => {
      flipAndMove(picture, [1, 3, 4], 1, new Random(1));
    }).toThrow(/expected 1 x 3 x 4 numbers/);
  });
});

/** CIFAR-10's files with images of its ten classes that anybody can tell apart: a colour and a direction of stripes. */
async function writeStripes(folder: string): Promise<void> {
  const random = new Random(1);
  const files = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  await mkdir(folder, { recursive: true });
  for (const file of [...files, "test_batch.bin"]) {
    const bytes = new Uint8Array(440 * CIFAR10_RECORD);
    for (let n = 0; n < 440; n++) {
      const label = random.integer(0, 10);
      const record = bytes.subarray(n * CIFAR10_RECORD, (n + 1) * CIFAR10_RECORD);
      record[0] = label;
      const shift = random.integer(0, 8);
      for (let c = 0; c < 3; c++)
        for (let i = 0; i < 1024; i++) {
          const along = label < 5 ? i % 32 : Math.floor(i / 32);
          const stripe = (along + shift) % 8 < 4 ? 60 : 0;
          record[1 + 1024 * c + i] = 40 * ((label + c) % 5) + stripe + random.integer(0, 20);
        }
    }
    await writeFile(join(folder, file), bytes);
  }
}

const SMOKE: RunOptions = { scale: "smoke", seed: 1, device: "cpu", resume: false, force: false };

describe("striate run predictive-coding", () => {
  it("trains, tunes, tests and reports; goes on from what is there; takes a network that is given", async () => {
    const data = await temporaryFolder();
    await writeStripes(join(data, "cifar-10-batches-bin"));
    vi.stubEnv("STRIATE_DATA", data);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const out = join(await temporaryFolder(), "run");
    const run = async (more: Partial<RunOptions>) => {
      const { streams, out: text, err } = captured();
      const options = { ...SMOKE, threads: 1, ...more };
      expect(await runExperiment("predictive-coding", options, { streams, words: [] })).toBe(0);
      return { text: text(), notes: err() };
    };
    const { text } = await run({ out });
    expect(text).toMatch(/Gaussian 0.5/);
    const report = JSON.parse(await readFile(join(out, "results.json"), "utf8")) as PredictiveCodingReport;
    expect(report.network.runs[0]!.accuracy).toBeGreaterThan(0.25);
    for (const { curve } of report.decoders)
      for (const [i, error] of curve.at(-1)!.errors.entries())
        expect(error).toBeLessThan(curve[0]!.errors[i]!);
    expect(report.noise).toHaveLength(SETTINGS.length * 4);
    for (const row of report.noise) {
      const same = report.noise.find((other) => other.condition === row.condition)!;
      // The first pass is the network alone, whatever the values.
      expect(row.accuracy[0]).toBe(same.accuracy[0]);
      row.accuracy.forEach((accuracy, t) => {
        const change = (row.gained[t]! - row.lost[t]!) / row.images;
        expect(accuracy - row.accuracy[0]!).toBeCloseTo(change, 10);
      });
      expect(row.errors).toHaveLength(3);
      expect(row.distances.map((list) => list.length)).toEqual(row.condition === "clean" ? [] : [4, 4, 4]);
    }
    const distance = (condition: string) =>
      report.noise.find((row) => row.setting === "tuned" && row.condition === condition)!.distances[0]![0]!;
    expect(distance("gaussian1")).toBeGreaterThan(distance("gaussian0.5"));
    expect(report.corruptions).toHaveLength(2 * 3 * 2);
    expect(report.families).toHaveLength(2 * 3);
    const [noiseFamily] = report.families.filter(
      ({ setting, family }) => setting === "tuned" && family === "noise",
    );
    const noisy = report.corruptions.filter(
      ({ setting, corruption }) => setting === "tuned" && corruption === "gaussian_noise",
    );
    const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
    expect(noiseFamily!.gained).toBe(sum(noisy.map(({ gained }) => gained.at(-1)!)));
    expect(noiseFamily!.lost).toBe(sum(noisy.map(({ lost }) => lost.at(-1)!)));
    expect(text).toMatch(/Common corruptions by family/);
    const { tuned, authors } = report.values[0]!;
    expect(tuned[0]!.feedback).not.toBe(authors[0]!.feedback);

    const html = await readFile(join(out, "report.html"), "utf8");
    const { elements, errors } = readHtml(html);
    expect(errors).toEqual([]);
    // Two images, each with what is seen and three PCoders at four timesteps.
    expect(elements.filter(({ name }) => name === "img")).toHaveLength(2 * 4 * 4);

    const again = await run({ out, resume: true });
    expect(again.notes).not.toMatch(/step 1\//);
    const { noise } = JSON.parse(await readFile(join(out, "results.json"), "utf8")) as PredictiveCodingReport;
    expect(noise).toEqual(report.noise);

    const backbone = predictiveCells(PREDICTIVE_PLANS.smoke, [1])[0] as BackboneCell;
    const model = join(cellFolder(join(out, "cells"), backbone), "model.onnx");
    const given = await run({
      out: join(data, "given"),
      model,
      preprocessing: "cifar10",
      cells: "feedback/*",
    });
    expect(given.text).toMatch(/2 of 5 cells/);
    const accuracy = (100 * report.network.runs[0]!.accuracy).toFixed(1);
    expect(given.text).toContain(`${accuracy} % of held-out images`);
  });

  it("says what is wrong with a network that is given", async () => {
    const run = (name: string, more: Partial<RunOptions>) =>
      runExperiment(name, { ...SMOKE, ...more }, { streams: captured().streams, words: [] });
    await expect(run("synchrony", { model: "x.onnx", preprocessing: "raw" })).rejects.toThrow(
      "leave --model out",
    );
    await expect(run("predictive-coding", { preprocessing: "raw" })).rejects.toThrow(
      "--preprocessing has no effect without --model",
    );
    const out = await temporaryFolder();
    await expect(
      run("predictive-coding", {
        out: join(out, "a"),
        model: join(out, "x.onnx"),
        preprocessing: "raw",
      }),
    ).rejects.toThrow(/Could not read the ONNX model/);
  });
});
