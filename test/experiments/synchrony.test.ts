import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cellFolder, cellKey, chooseCells } from "../../src/experiments/cells.js";
import type { SceneSources } from "../../src/experiments/digits/scenes.js";
import { testScenes, trainingScenes } from "../../src/experiments/digits/scenes.js";
import { SCALES } from "../../src/experiments/options.js";
import { runSynchronyCell } from "../../src/experiments/synchrony/cell.js";
import { SYNCHRONY_MODEL_TEXTS, networkTask } from "../../src/experiments/synchrony/networks.js";
import type {
  SynchronyCell,
  SynchronyNetworkCell,
  SynchronyPlan,
} from "../../src/experiments/synchrony/plan.js";
import {
  synchronyCellName,
  synchronyCells,
  SYNCHRONY_MODELS,
  SYNCHRONY_PLANS,
  SYNCHRONY_SETS,
} from "../../src/experiments/synchrony/plan.js";
import { Random } from "../../src/util/random.js";
import { rectangleDigits } from "../data/scenes.js";
import { temporaryFolder } from "../support/folders.js";

const random = new Random(1);
const sources: SceneSources = {
  digits: rectangleDigits(300),
  backgrounds: { count: 5, images: Uint8Array.from({ length: 5 * 3072 }, () => random.integer(0, 256)) },
};

describe("the cells", () => {
  it.each(SCALES)("of scale %s have names and addresses of their own, and starts among them", (scale) => {
    const cells = synchronyCells(SYNCHRONY_PLANS[scale], [1, 2]);
    expect(new Set(cells.map(synchronyCellName)).size).toBe(cells.length);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    const seen = new Set<string>();
    for (const cell of cells) {
      if (cell.kind !== "kernel" && cell.start) expect(seen).toContain(cellKey(cell.start));
      seen.add(cellKey(cell));
    }
  });

  it("compare feedback with a control of the same steps and loss where both start from a trained network", () => {
    const cells = synchronyCells(SYNCHRONY_PLANS.laptop, [1]).filter((cell) => cell.kind === "network");
    const [feedback, control] = ["feedback", "continued"].map((model) =>
      cells.find((cell) => cell.set === "digits2" && cell.model === model)!,
    ) as [SynchronyNetworkCell, SynchronyNetworkCell];
    expect({ ...feedback, model: "" }).toEqual({ ...control, model: "" });
    const metrics = [feedback, control].map((cell) => Object.keys(networkTask(cell).loss(2).metrics ?? {}));
    expect(metrics[0]).toEqual(["crossEntropy", "synchronyLoss"]);
    expect(metrics[1]).toEqual(metrics[0]);
  });

  it("are chosen by pattern", () => {
    const cells = synchronyCells(SYNCHRONY_PLANS.smoke, [1]);
    const names = (pattern: string) => chooseCells(cells, synchronyCellName, pattern).map(synchronyCellName);
    expect(names("digits3/*")).toEqual(["digits3/kuramoto/seed1", "digits3/ideal/seed1"]);
    expect(names("*/real/*,digits2/kernel/seed1")).toHaveLength(3);
    expect(() => names("digits9/*")).toThrow(
      /cells "digits9\/\*": expected a pattern that matches one of digits2\//,
    );
    // A dot is a dot.
    expect(() => names("digits2.real.seed1")).toThrow(/expected a pattern/);
  });

  it("have about as many parameters each, and a text", () => {
    const count = (model: (typeof SYNCHRONY_MODELS)[number]) => {
      const cell = {
        set: "digits2",
        model,
        mode: "endtoend",
        dynamics: SYNCHRONY_PLANS.paper.dynamics,
      } as const;
      return [...networkTask(cell).parameters.values()].reduce(
        (sum, { shape }) => sum + (shape as number[]).reduce((a, b) => a * b, 1),
        0,
      );
    };
    expect(count("kuramoto")).toBe(114_676);
    expect(count("feedback")).toBe(122_900);
    expect(count("real")).toBe(107_467);
    expect(count("transformer")).toBe(106_250);
    for (const model of SYNCHRONY_MODELS) {
      expect(SYNCHRONY_MODEL_TEXTS[model].id).toBe(model);
      expect(count(model)).toBeGreaterThan(100_000);
      expect(count(model)).toBeLessThan(125_000);
    }
  });
});

describe("test scenes", () => {
  const masksOf = (
    set: (typeof SYNCHRONY_SETS)[keyof typeof SYNCHRONY_SETS],
    id: string,
    channels: number,
  ) => {
    const condition = set.conditions.find((one) => one.id === id)!;
    const data = testScenes(sources, set, condition, 4, (condition.maxOverlap ?? 0) > 0);
    const images = new Float32Array(4 * (set.background === "colour" ? 3 : 1) * 1024);
    const masks = new Float32Array(4 * channels * 1024);
    const targets = new Float32Array(40);
    data.fill([0, 1, 2, 3], { images, masks, targets });
    return { images, masks, targets, data };
  };

  it("of every set and condition are the same again, between 0 and 1, with one-hot masks and right labels", () => {
    for (const set of Object.values(SYNCHRONY_SETS)) {
      const seen = new Set<string>();
      for (const { id, digits = set.digits, maxOverlap = 0 } of set.conditions) {
        const channels = 1 + digits + (maxOverlap > 0 ? 1 : 0);
        const one = masksOf(set, id, channels);
        const again = masksOf(set, id, channels);
        expect(again.images).toEqual(one.images);
        expect(Math.min(...one.images)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...one.images)).toBeLessThanOrEqual(1);
        seen.add(one.images.join());
        for (let p = 0; p < 4 * 1024; p++) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            sum += one.masks[(Math.floor(p / 1024) * channels + c) * 1024 + (p % 1024)]!;
          }
          if (sum !== 1) throw new Error(`${set.title}, ${id}: pixel ${p} belongs to ${sum} channels`);
        }
        for (let n = 0; n < 4; n++) {
          const labels = one.data.digitLabels(n);
          expect(labels).toHaveLength(digits);
          for (const label of labels) expect(one.targets[n * 10 + label]).toBe(1);
        }
      }
      expect(seen.size).toBe(set.conditions.length);
    }
  });

  it("with backgrounds need images", () => {
    const { digits } = sources;
    expect(() =>
      trainingScenes({ digits }, SYNCHRONY_SETS.colour, { seed: 1, stream: "train", count: 2 }),
    ).toThrow(/colour backgrounds: expected images for the backgrounds, got none/);
  });
});

describe("a cell of each kind", () => {
  it("runs, leaves what others start from, and measures phases", async () => {
    const plan: SynchronyPlan = {
      ...SYNCHRONY_PLANS.smoke,
      sets: [{ set: "digits2", models: ["kuramoto", "feedback", "pretrained", "ideal", "real"], steps: 2 }],
      dynamics: { timesteps: 2, couplingSize: 5, desynchrony: 0.2 },
      batchSize: 4,
      furtherSteps: 2,
      kernelSteps: 2,
      validationScenes: 4,
      testScenes: 4,
      measuredScenes: 4,
      changes: [{ timesteps: 1 }, { couplingSize: 3 }],
    };
    const cells = await temporaryFolder();
    const run = (config: SynchronyCell) =>
      runSynchronyCell(config, {
        cells,
        training: sources,
        testing: sources,
        device: "cpu",
        threads: 1,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onWarning: () => undefined,
      });
    const results = new Map<string, Awaited<ReturnType<typeof run>>>();
    for (const config of synchronyCells(plan, [1])) {
      results.set(synchronyCellName(config), await run(config));
      if (config.kind === "network") {
        expect(existsSync(join(cellFolder(cells, config), "model.onnx"))).toBe(true);
      }
    }
    const ideal = results.get("digits2/ideal/seed1");
    if (ideal?.kind !== "network") throw new Error("no network");
    const clean = ideal.conditions.find(({ condition }) => condition === "clean")!;
    // Painted from the masks: every object a phase of its own.
    expect(clean.phases!.ari).toEqual([1, 1]);
    expect(clean.phases!.order[1]).toBeCloseTo(1, 5);
    expect(clean.phases!.separation[1]).toBeCloseTo(Math.PI, 5);
    const real = results.get("digits2/real/seed1");
    expect(real?.kind === "network" && real.conditions[0]!.phases).toBeUndefined();
    const feedback = results.get("digits2/feedback/seed1");
    expect(feedback?.kind === "network" && feedback.conditions).toHaveLength(9);
    const kernel = results.get("digits2/kernel/seed1");
    expect(kernel?.kind === "kernel" && kernel.after).toHaveLength(2);
    const ablation = results.get("digits2/ablation/seed1");
    if (ablation?.kind !== "ablation") throw new Error("no ablation");
    expect(ablation.rows.map(({ tested }) => tested.accuracyPerTimestep.length)).toEqual([2, 1, 2]);
  });
});
