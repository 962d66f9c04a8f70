import { existsSync } from "node:fs";
import { appendFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ImageSource } from "../../src/data/images/image-source.js";
import { attackPlan } from "../../src/robustness/attacks/index.js";
import type { Protocol } from "../../src/robustness/card.js";
import { resultCard, scoresOf } from "../../src/robustness/card.js";
import { corruptionGroup } from "../../src/robustness/corruptions/index.js";
import type { EvaluationPlan } from "../../src/robustness/evaluate-node.js";
import { showEpsilon } from "../../src/robustness/epsilon.js";
import { decodePixels, evaluate } from "../../src/robustness/evaluate-node.js";
import { fitPicture, toImageBatch, toPicture } from "../../src/robustness/images.js";
import type { RunRecord } from "../../src/robustness/records.js";
import { answerFrom } from "../../src/robustness/records.js";
import { openResults } from "../../src/robustness/results-file-node.js";
import { tracedNetwork } from "../../src/robustness/network.js";
import { constant, flatten, gemm, mul } from "../../src/graph/index.js";
import { StriateError } from "../../src/util/errors.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { open } from "./small-network.js";

const SIDE = 32;

/** Squares of red, green or blue on noise; image 3 cannot be read. */
function colours(count: number): ImageSource {
  return {
    name: "colours",
    count,
    classes: ["red", "green", "blue"],
    labels: Int32Array.from({ length: count }, (_, i) => i % 3),
    nameOf: (i) => `image ${i}`,
    read: (i) => {
      if (i === 3) return Promise.reject(new StriateError("image 3 is damaged"));
      const random = Random.derive("colours", i);
      const data = new Uint8Array(3 * SIDE * SIDE);
      for (let at = 0; at < data.length; at++)
        data[at] = 100 + random.integer(0, 40) + (at % 3 === i % 3 ? 12 : 0);
      return Promise.resolve({ width: SIDE, height: SIDE, data });
    },
  };
}

/** Scores: the mean of each colour. */
function classifier() {
  const plane = SIDE * SIDE;
  const weights = Array.from({ length: 3 * plane * 3 }, (_, i) =>
    Math.floor(Math.floor(i / 3) / plane) === i % 3 ? 40 / plane : 0,
  );
  return open(
    tracedNetwork({
      name: "mean colour",
      imageShape: [3, SIDE, SIDE],
      state: new Map(),
      forward: (x) => gemm(flatten(x), constant(weights, [3 * plane, 3])),
    }),
  );
}

const plan: EvaluationPlan = {
  images: [0, 1, 2, 3, 4, 5, 6, 7],
  conditions: [
    { name: "contrast", severity: 1 },
    { name: "contrast", severity: 5 },
    { name: "gaussian_noise", severity: 3 },
  ],
  corruption: { constants: 32, reencode: false },
  attacked: [0, 1, 2, 3, 4],
  attacks: [attackPlan("fgsm")],
  epsilons: [0.001, 0.1],
  seed: 1,
  batch: 8,
  passes: 1,
};

async function run(path: string, signal = new AbortController().signal): Promise<RunRecord[]> {
  const results = await openResults(path, { seed: 1 });
  try {
    return await evaluate([classifier()], colours(8), plan, results, { signal, threads: 1 });
  } finally {
    await results.close();
  }
}

/** The mean colour, darker at each timestep: at the last one all colours look alike. */
function overTime() {
  const plane = SIDE * SIDE;
  const weights = Array.from({ length: 3 * plane * 3 }, (_, i) =>
    Math.floor(Math.floor(i / 3) / plane) === i % 3 ? 40 / plane : 0,
  );
  return [1, 0.5, 0].map((gain, timestep) =>
    open({
      ...tracedNetwork({
        name: "fading colour",
        imageShape: [3, SIDE, SIDE],
        state: new Map(),
        forward: (x) => gemm(flatten(mul(x, gain)), constant(weights, [3 * plane, 3])),
      }),
      timestep,
    }),
  );
}

/** Records without the order in which they came. */
function sorted(records: readonly RunRecord[]): string[] {
  return records.map((record) => JSON.stringify(record)).sort();
}

describe("a robustness run", () => {
  it("measures a network at each of its timesteps, on the same images", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    const measure = async (signal: AbortSignal) => {
      const results = await openResults(path, { seed: 1 });
      try {
        return await evaluate(overTime(), colours(8), plan, results, { signal, threads: 1 });
      } finally {
        await results.close();
      }
    };
    const records = await measure(new AbortController().signal);
    for (const timestep of [0, 1, 2]) {
      const own = records.filter((record) => record.kind !== "skipped" && record.timestep === timestep);
      expect(own.filter(({ kind }) => kind === "image")).toHaveLength(7);
      expect(own.filter(({ kind }) => kind === "attack")).toHaveLength(2);
    }
    const model = { ...protocol.model, timesteps: [0, 1, 2] };
    const card = resultCard({
      protocol: { ...protocol, model },
      conditions: plan.conditions,
      plans: plan.attacks,
      epsilons: plan.epsilons,
      groupOf: corruptionGroup,
      seconds: 1,
      records,
    });
    expect(card.overTime!.map(({ clean }) => clean!.accuracy.value)).toEqual([1, 1, 2 / 7]);
    // At the last timestep nothing depends on the images, so no attack changes it.
    expect(card.overTime!.map(({ attacks }) => attacks.map(({ robust }) => robust.value))).toEqual([
      [1, 0],
      [1, 0],
      [0.25, 0.25],
    ]);
    expect([card.clean!.accuracy.value, card.complete]).toEqual([2 / 7, true]);

    // Killed in the middle of an image's timesteps: what is missing is measured, and nothing twice.
    const lines = (await readFile(path, "utf8")).split("\n");
    const cut =
      lines.findIndex((line) => line.includes('"kind":"image"') && line.includes('"timestep":1')) + 1;
    await writeFile(path, `${lines.slice(0, cut).join("\n")}\n`);
    expect(sorted(await measure(new AbortController().signal))).toEqual(sorted(records));
  });

  it("measures every image under every condition, and says which it could not read", async () => {
    const records = await run(join(await temporaryFolder(), "results.jsonl"));
    const images = records.filter(({ kind }) => kind === "image");
    expect(images.map((record) => (record.kind === "image" ? record.image : -1))).toEqual([
      0, 1, 2, 4, 5, 6, 7,
    ]);
    expect(images.every((record) => record.kind === "image" && record.answers.length === 4)).toBe(true);
    expect(records.filter(({ kind }) => kind === "skipped")).toEqual([
      { kind: "skipped", image: 3, name: "image 3", reason: "image 3 is damaged" },
    ]);
    const attacks = records.flatMap((record) => (record.kind === "attack" ? [record] : []));
    expect(attacks.map(({ epsilon, images: of }) => [epsilon, of])).toEqual([
      [0.001, [0, 1, 2, 4]],
      [0.1, [0, 1, 2, 4]],
    ]);
    expect(attacks[0]!.stages[0]!.robust).toEqual([1, 1, 1, 1]);
    expect(attacks[1]!.stages[0]!.robust).toEqual([0, 0, 0, 0]);
  });

  it("goes on where a killed one was, to the same numbers", async () => {
    const folder = await temporaryFolder();
    const whole = sorted(await run(join(folder, "whole.jsonl")));
    const lines = (await readFile(join(folder, "whole.jsonl"), "utf8")).split("\n");
    for (const kept of [1, 3, 6, lines.length - 2]) {
      const path = join(folder, `cut-${kept}.jsonl`);
      const part = lines.slice(0, kept);
      // The last line is cut in the middle, as by a kill.
      await writeFile(path, `${part.join("\n")}\n${lines[kept]!.slice(0, 10)}`);
      expect(sorted(await run(path))).toEqual(whole);
      const again = await openResults(path, { seed: 1 });
      expect(sorted(again.records)).toEqual(whole);
      await again.close();
    }
  });

  it("stops between batches when asked to", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    const controller = new AbortController();
    controller.abort();
    expect(await run(path, controller.signal)).toEqual([]);
    expect((await run(path)).length).toBeGreaterThan(8);
  });

  it("does not mix with a run of other settings, unless that is set aside", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    const skipped = { kind: "skipped", image: 0, name: "x.jpg", reason: "damaged" } as const;
    await (await openResults(path, { seed: 1, data: { name: "a" } })).close();
    // Nothing was found out: nothing is left behind.
    expect(existsSync(path)).toBe(false);
    const first = await openResults(path, { seed: 1, data: { name: "a" } });
    first.append(skipped);
    await first.close();
    await expect(openResults(path, { seed: 1, data: { name: "b" } })).rejects.toThrow(
      'other settings (data.name: "a" there, "b" now)',
    );
    const fresh = await openResults(path, { seed: 1, data: { name: "b" } }, { force: true });
    expect(fresh.records).toEqual([]);
    fresh.append(skipped);
    await fresh.close();
    await appendFile(path, '{"kind":"image","answers":[[1]]}\n');
    await expect(openResults(path, { seed: 1, data: { name: "b" } })).rejects.toThrow("line 3");
    await truncate(path, 0);
    await (await openResults(path, { seed: 9 })).close();
  });

  it("leaves a file alone that is no results file", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    for (const content of ["x", "something else\n", "{}\n", "x".repeat(99)]) {
      await writeFile(path, content);
      await expect(openResults(path, { seed: 1 })).rejects.toThrow(
        "is not a results file of a robustness run",
      );
      expect(await readFile(path, "utf8")).toBe(content);
    }
  });

  it("refuses records that the run cannot have made, naming the line, before it changes anything", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    await run(path);
    const whole = await readFile(path, "utf8");
    const lines = whole.split("\n").slice(0, -1);
    const limits = { labels: colours(8).labels, classes: 3, answers: 4, passes: 1 };
    const open = async (changed: readonly string[]) => {
      // The last line is cut, which a file in order would have mended.
      const content = `${changed.join("\n")}\n{"kind"`;
      await writeFile(path, content);
      await openResults(path, { seed: 1 }, { limits })
        .then(async (results) => {
          await results.close();
        })
        .finally(async () => {
          if (changed !== lines) expect(await readFile(path, "utf8")).toBe(content);
        });
    };
    await open(lines);
    expect(await readFile(path, "utf8")).toBe(whole);
    const at = lines.findIndex((line) => line.includes('"kind":"image"'));
    const image = JSON.parse(lines[at]!) as { image: number; label: number; answers: (number | string)[][] };
    const withImage = (change: object) => lines.with(at, JSON.stringify({ ...image, ...change }));
    const answers = (place: number, value: number | string) => [
      image.answers[0]!.with(place, value),
      ...image.answers.slice(1),
    ];
    const said = `line ${at + 1} of "${path}"`;
    await expect(open(withImage({ image: 9999 }))).rejects.toThrow(
      `${said}: image: expected a whole number from 0 to 7, got 9999`,
    );
    await expect(open(withImage({ answers: [] }))).rejects.toThrow(
      `${said}: answers: expected 4 values, got 0`,
    );
    await expect(open(withImage({ answers: answers(1, 1.7) }))).rejects.toThrow(`${said} is not a record`);
    await expect(open(withImage({ answers: answers(0, 3) }))).rejects.toThrow(
      `${said}: predicted class: expected a whole number from 0 to 2, got 3`,
    );
    await expect(open(withImage({ answers: answers(5, "11") }))).rejects.toThrow(
      "forward passes: expected 1 value, got 2",
    );
    await expect(open(withImage({ label: (image.label + 1) % 3 }))).rejects.toThrow(
      `of image ${image.image} in the data set, got`,
    );
    await expect(open([...lines, lines[at]!])).rejects.toThrow(
      `line ${lines.length + 1} of "${path}" repeats line ${at + 1} (image ${image.image})`,
    );
    const attack = lines.findIndex((line) => line.includes('"kind":"attack"'));
    await expect(open([...lines, lines[attack]!])).rejects.toThrow(
      `repeats line ${attack + 1} (attack of FGSM`,
    );
    await expect(open([...lines, lines[0]!])).rejects.toThrow("is the start of a second run");
  });

  it("does not write into a file that another run writes to", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    const first = await openResults(path, { seed: 1 });
    await expect(openResults(path, { seed: 1 })).rejects.toThrow(
      `The results file "${path}" is in use by process ${process.pid}`,
    );
    await expect(openResults(path, { seed: 1 }, { force: true })).rejects.toThrow("is in use");
    await first.close();
    await (await openResults(path, { seed: 1 })).close();
  });

  it("shows no image twice if it was killed between two of them", async () => {
    const folder = await temporaryFolder();
    const whole = sorted(await run(join(folder, "whole.jsonl")));
    const lines = (await readFile(join(folder, "whole.jsonl"), "utf8")).split("\n");
    const examples = lines.flatMap((line, i) => (line.includes('"kind":"example"') ? [i] : []));
    expect(examples.length).toBeGreaterThan(1);
    const path = join(folder, "cut.jsonl");
    await writeFile(path, `${lines.slice(0, examples[0]! + 1).join("\n")}\n`);
    expect(sorted(await run(path))).toEqual(whole);
  });

  it("refuses data whose labels the network does not have", async () => {
    const path = join(await temporaryFolder(), "results.jsonl");
    const results = await openResults(path, {});
    const source = { ...colours(8), labels: Int32Array.of(0, 1, 2, 0, 1, 7, 0, 1) };
    const options = { signal: new AbortController().signal, threads: 1 };
    await expect(evaluate([classifier()], source, plan, results, options)).rejects.toThrow(
      "image 5 has the label 7, but mean colour has 3 classes: do the data belong to this model?",
    );
    await results.close();
  });
});

const protocol: Protocol = {
  model: {
    name: "m",
    sha256: "0",
    classes: 3,
    imageShape: [3, 32, 32],
    answers: "logits",
    preprocessing: {},
    preprocessingFrom: "stated" as const,
  },
  data: { name: "d", count: 8, images: 8, attacked: 5, choice: "all", labels: "those of the data set" },
  seed: 1,
  passes: 1,
  batch: 8,
  corruptions: ["contrast", "gaussian_noise"],
  severities: [1, 5],
  constants: 32,
  reencode: false,
  frost: "procedural",
  bins: 15,
  device: "cpu",
  version: "0",
};

describe("the result card", () => {
  it("counts what the records say, and says when something is missing", async () => {
    const records = await run(join(await temporaryFolder(), "results.jsonl"));
    const input = {
      protocol,
      conditions: plan.conditions,
      plans: plan.attacks,
      epsilons: plan.epsilons,
      groupOf: corruptionGroup,
      seconds: 1,
    };
    const card = resultCard({ ...input, records });
    expect(card.complete).toBe(true);
    expect(card).toMatchObject({ measured: 7, skipped: [{ name: "image 3" }] });
    expect(card.clean!.accuracy).toMatchObject({ value: 1, n: 7, high: 1 });
    expect(card.clean!.accuracy.low).toBeCloseTo(0.6457, 3);
    expect(card.attacks.map(({ robust }) => robust.value)).toEqual([1, 0]);
    expect(card.summary?.mceAlexNet).toBeUndefined();
    expect(card.summary?.remark).toContain("mCE needs the benchmark's 15 corruptions");
    const part = resultCard({ ...input, records: records.slice(0, 4) });
    expect(part.complete).toBe(false);
    expect(resultCard({ ...input, records: [] })).toMatchObject({
      measured: 0,
      complete: false,
      corruptions: [],
    });
  });

  it("gives AlexNet's mCE for 224 pixels and the whole benchmark only", () => {
    const names = Object.keys({
      gaussian_noise: 0,
      shot_noise: 0,
      impulse_noise: 0,
      defocus_blur: 0,
      glass_blur: 0,
      motion_blur: 0,
      zoom_blur: 0,
      snow: 0,
      frost: 0,
      fog: 0,
      brightness: 0,
      contrast: 0,
      elastic_transform: 0,
      pixelate: 0,
      jpeg_compression: 0,
    }) as Protocol["corruptions"];
    const conditions = names.flatMap((name) =>
      ([1, 2, 3, 4, 5] as const).map((severity) => ({ name, severity })),
    );
    const right = { predicted: 0, confidence: 0.9, nll: 0.1, brier: 0.02, rank: 0, passes: "1" };
    const wrong = { ...right, predicted: 1, rank: 1, passes: "0" };
    const records: RunRecord[] = [0, 1].map((image) => ({
      kind: "image",
      image,
      label: 0,
      answers: [right, ...conditions.map(() => (image === 0 ? right : wrong))],
    }));
    const card = (constants: number) =>
      resultCard({
        protocol: { ...protocol, constants, corruptions: names, severities: [1, 2, 3, 4, 5] },
        conditions,
        plans: [],
        epsilons: [],
        records,
        groupOf: corruptionGroup,
        seconds: 1,
      }).summary!;
    // Half of all answers are wrong: CE_c = .5 / AlexNet's error.
    const alexNet = [
      0.886428, 0.894468, 0.92264, 0.81988, 0.826268, 0.785948, 0.79836, 0.866816, 0.826572, 0.819324,
      0.564592, 0.853204, 0.646056, 0.71784, 0.6065,
    ];
    const expected = (100 * alexNet.reduce((total, error) => total + 0.5 / error, 0)) / 15;
    expect(card(224).mceAlexNet).toBeCloseTo(expected, 9);
    expect(card(224).relativeMceAlexNet).toBeCloseTo(
      (100 * alexNet.reduce((total, error) => total + 0.5 / (error - 0.435), 0)) / 15,
      9,
    );
    expect(card(32).mceAlexNet).toBeUndefined();
    expect(card(32)).toMatchObject({ meanErrorBenchmark: 0.5 });
  });

  it("counts any number of forward passes", () => {
    for (const passes of [53, 54, 200]) {
      const answer = answerFrom(Array<Float32Array>(passes).fill(Float32Array.of(1, 0)), 0);
      const scores = scoresOf([answer], passes, 15);
      expect([scores.accuracy.value, scores.singlePass!.accuracy]).toEqual([1, 1]);
    }
  });

  it("averages probabilities over passes, and tells how accuracies differ between them", () => {
    const sure = Float32Array.of(10, 0);
    const unsure = Float32Array.of(0, 1);
    const answer = answerFrom([sure, unsure], 0);
    expect(answer).toMatchObject({ predicted: 0, rank: 0, passes: "10" });
    expect(answer.confidence).toBeCloseTo((1 / (1 + Math.exp(-10)) + 1 / (1 + Math.E)) / 2, 6);
    const other = answerFrom([sure, sure], 0);
    const scores = scoresOf([answer, other], 2, 15);
    // Every score is of the averaged answer; single passes have a figure of their own.
    expect(scores.accuracy.value).toBe(1);
    expect(scores.singlePass!.accuracy).toBe(0.75);
    expect(scores.singlePass!.spread).toBeCloseTo(Math.SQRT1_2 / 2, 9);
    expect(() => answerFrom([sure], 2)).toThrow("label: expected a whole number from 0 to 1, got 2");
  });
});

describe("pictures", () => {
  it("become numbers and images again", async () => {
    const picture = await colours(1).read(0);
    const batch = toImageBatch([picture, picture], [3, SIDE, SIDE]);
    expect(batch.data[SIDE * SIDE]).toBe(Math.fround(picture.data[1]! / 255));
    expect(toPicture(batch.data, [3, SIDE, SIDE])).toEqual(picture);
    expect(toImageBatch([picture], [1, SIDE, SIDE]).data).toHaveLength(SIDE * SIDE);
    expect(() => toImageBatch([picture], [3, 8, 8])).toThrow("expected 8 x 8 pixels, got 32 x 32");
  });

  it("are fitted by resizing and cropping", async () => {
    const picture = await colours(1).read(0);
    expect(fitPicture(picture, [3, SIDE, SIDE])).toBe(picture);
    expect(fitPicture(picture, [3, 16, 16])).toMatchObject({ width: 16, height: 16 });
    expect(fitPicture(picture, [3, 16, 16], { resize: 20 })).toMatchObject({ width: 16, height: 16 });
    const wide = { width: 40, height: 20, data: new Uint8Array(2400) };
    expect(fitPicture(wide, [3, 32, 32])).toMatchObject({ width: 32, height: 32 });
    expect(fitPicture(wide, [3, 16, 32])).toMatchObject({ width: 32, height: 16 });
  });

  it("of examples keep 16 bits, and radii are written as people do", () => {
    expect(decodePixels(Buffer.from(Uint16Array.of(0, 65535).buffer).toString("base64"), 2)).toEqual(
      Float32Array.of(0, 1),
    );
    expect(() => decodePixels("AAA=", 2)).toThrow("expected 2 values");
    expect([showEpsilon(8 / 255), showEpsilon(0.5)]).toEqual(["8/255", "0.5"]);
  });
});
