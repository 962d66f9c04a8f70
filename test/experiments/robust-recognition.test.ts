import { describe, expect, it } from "vitest";
import { CIFAR10_CLASSES } from "../../src/data/sets/cifar10.js";
import type { ImageSource } from "../../src/data/images/image-source.js";
import { prepareImages } from "../../src/data/images/prepared-images.js";
import { cellKey, chooseCells } from "../../src/experiments/cells.js";
import { SCALES } from "../../src/experiments/options.js";
import { runRecognitionCell } from "../../src/experiments/robust-recognition/cell.js";
import { trainingImages } from "../../src/experiments/robust-recognition/images.js";
import { attackedNetwork, modelOf } from "../../src/experiments/robust-recognition/networks.js";
import { recognitionMeasures, recognitionPage } from "../../src/experiments/robust-recognition/page.js";
import type { RecognitionCell, RecognitionPlan } from "../../src/experiments/robust-recognition/plan.js";
import {
  recognitionCellName,
  recognitionCells,
  RECOGNITION_PLANS,
} from "../../src/experiments/robust-recognition/plan.js";
import { recognitionReport } from "../../src/experiments/robust-recognition/results.js";
import { parameterCount } from "../../src/experiments/training.js";
import { Classifier } from "../../src/robustness/classifier.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { initialValues } from "../../src/train/trainer.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { finishedRun } from "./finished-run.js";

/** Images of one colour for each class, with some noise. */
function colours(count: number, name: string): ImageSource {
  const labels = Int32Array.from({ length: count }, (_, i) => i % CIFAR10_CLASSES.length);
  return {
    name,
    count,
    classes: CIFAR10_CLASSES,
    labels,
    nameOf: (index) => `picture ${index}`,
    read: (index) => {
      const random = Random.derive(name, index);
      const data = Uint8Array.from({ length: 3072 }, (_, i) =>
        Math.round(20 + 20 * labels[index]! * ((i % 3) / 2) + random.uniformRange(0, 30)),
      );
      return Promise.resolve({ width: 32, height: 32, data });
    },
  };
}

describe("the cells", () => {
  it.each(SCALES)("of scale %s have names and addresses of their own, and starts among them", (scale) => {
    const cells = recognitionCells(RECOGNITION_PLANS[scale], [1, 2]);
    expect(new Set(cells.map(recognitionCellName)).size).toBe(cells.length);
    expect(new Set(cells.map(cellKey)).size).toBe(cells.length);
    const seen = new Set<string>();
    for (const cell of cells) {
      if (cell.kind !== "network") expect(seen).toContain(cellKey(cell.start));
      seen.add(cellKey(cell));
    }
    expect(chooseCells(cells, recognitionCellName, "akorn-fixed/pgd/*").map(recognitionCellName)).toEqual([
      "akorn-fixed/pgd/seed1",
      "akorn-fixed/pgd/seed2",
    ]);
  });

  it("average gradients where oscillators start at random, and only there", () => {
    const attacks = recognitionCells(RECOGNITION_PLANS.laptop, [1]).filter((cell) => cell.kind === "attack");
    for (const { start, noise, eot } of attacks) {
      expect(eot).toBe(start.model === "akorn" && noise === "fresh" ? RECOGNITION_PLANS.laptop.eot : 1);
    }
    expect(attacks.filter(({ noise }) => noise === "fixed").map(({ attack }) => attack)).toEqual([
      "fgsm",
      "pgd",
      "apgd",
    ]);
  });

  it("compare networks of about the same size", () => {
    for (const scale of ["laptop", "paper"] as const) {
      const { shapes } = RECOGNITION_PLANS[scale];
      const [akorn, resnet, vit] = (["akorn", "resnet", "vit"] as const).map((model) =>
        parameterCount(modelOf({ model, shapes }).task.parameters, "trainable"),
      ) as [number, number, number];
      // In full width ResNet-18 is what it is: 11.2 million.
      const most = scale === "paper" ? 1.7 : 1.15;
      for (const other of [resnet, vit]) {
        expect(other / akorn).toBeGreaterThan(1 / 1.15);
        expect(other / akorn).toBeLessThan(most);
      }
    }
    expect(
      parameterCount(
        modelOf({ model: "akorn", shapes: RECOGNITION_PLANS.paper.shapes }).task.parameters,
        "trainable",
      ),
    ).toBe(7_023_760);
    expect(
      parameterCount(
        modelOf({ model: "resnet", shapes: RECOGNITION_PLANS.paper.shapes }).task.parameters,
        "trainable",
      ),
    ).toBe(11_173_962);
  });
});

describe("training images", () => {
  it.each(["light", "strong"] as const)(
    "are changed anew at every step, and stay within 0..1: %s",
    async (kind) => {
      const images = await prepareImages(colours(20, "colours"), [3, 32, 32]);
      const data = trainingImages(images, kind);
      const at = (step: number) => {
        const fields = { images: new Float32Array(4 * 3072), labels: new Float32Array(4) };
        data.fill([3, 4, 15, 19], fields, [1, "training noise", step]);
        return fields;
      };
      expect(at(1)).toEqual(at(1));
      expect(at(1).images).not.toEqual(at(2).images);
      expect(Array.from(at(1).labels)).toEqual([3, 4, 5, 9]);
      expect(Math.min(...at(1).images)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...at(1).images)).toBeLessThanOrEqual(1);
    },
  );
});

describe("AKOrN under attack", () => {
  it("answers by chance where its noise is fresh, always the same where it is fixed", async () => {
    const cell = recognitionCells(RECOGNITION_PLANS.smoke, [1]).find(
      (one) => one.kind === "network" && one.model === "akorn",
    );
    if (cell?.kind !== "network") throw new Error("no network");
    const state = initialValues(modelOf(cell).task, { seed: 1 });
    const images = { count: 2, data: new Random(1).fillUniform(new Float32Array(2 * 3072)) };
    const twice = async (noise: "fresh" | "fixed") => {
      const network = new Classifier(attackedNetwork(cell, noise, noise, state), nodeRuntime);
      const answers = [await network.logits(images), await network.logits(images)];
      // In another batch an image gets the same answer where the start is fixed.
      const alone = await network.logits({ count: 1, data: images.data.slice(3072) });
      const { gradient } = await network.lossAndGradient("ce", images, Int32Array.of(1, 2));
      await network.close();
      expect(network.isStochastic).toBe(noise === "fresh");
      expect(gradient.some((value) => value !== 0)).toBe(true);
      return { answers, alone };
    };
    const fixed = await twice("fixed");
    expect(fixed.answers[0]).toEqual(fixed.answers[1]);
    fixed.alone.forEach((value, i) => {
      expect(value).toBeCloseTo(fixed.answers[0]![10 + i]!, 4);
    });
    const fresh = await twice("fresh");
    expect(fresh.answers[0]).not.toEqual(fresh.answers[1]);
  });
});

describe("a run of every kind of cell", () => {
  it("trains, tests, attacks, and makes a page", async () => {
    const plan: RecognitionPlan = {
      ...RECOGNITION_PLANS.smoke,
      trainImages: 40,
      validationImages: 10,
      steps: 2,
      cleanImages: 10,
      corruptedImages: 2,
      corruptions: ["contrast"],
      attackedImages: 10,
      attacks: [
        { attack: "noise", epsilons: [64 / 255] },
        { attack: "pgd", epsilons: [8 / 255], steps: 2 },
      ],
    };
    const cells = await temporaryFolder();
    const results = new Map<RecognitionCell, NonNullable<Awaited<ReturnType<typeof runRecognitionCell>>>>();
    const [train, test] = [colours(50, "training colours"), colours(30, "test colours")];
    for (const config of recognitionCells(plan, [1])) {
      const result = await runRecognitionCell(config, {
        cells,
        train,
        test,
        device: "cpu",
        threads: 1,
        signal: new AbortController().signal,
        onProgress: () => undefined,
        onWarning: () => undefined,
      });
      results.set(config, result!);
    }
    const report = recognitionReport(finishedRun(plan, results));
    expect(report.networks.map(({ id }) => id)).toEqual(["akorn", "akorn-fixed", "resnet", "vit"]);
    expect(report.clean.map(({ network }) => network)).toEqual(["akorn", "akorn-fixed", "resnet", "vit"]);
    expect(report.attacks).toHaveLength(3 * 2 + 1);
    for (const { scores } of report.attacks) {
      expect(scores.every(({ robust, clean }) => robust.value <= clean.value && robust.n === 10)).toBe(true);
    }
    const measures = recognitionMeasures(report);
    expect(measures.map(({ title }) => title)).toEqual([
      "clean",
      "random sign noise, ε 64/255",
      "PGD-2, ε 8/255",
      "corrupted",
      "clean",
      "corrupted",
    ]);
    expect(measures[0]!.values("akorn-fixed")).toHaveLength(1);
    // Noise says nothing about a start that is fixed.
    expect(measures[1]!.values("akorn-fixed")).toEqual([]);
    const page = await recognitionPage(report);
    for (const id of ["summary", "attacks", "corruptions", "calibration", "learning", "paper", "provenance"])
      expect(page).toContain(`<section id="${id}"`);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});
