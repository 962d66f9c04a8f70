import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import type { StudyReport } from "../../src/experiments/own-images/page.js";
import type { TrainingReport } from "../../src/experiments/own-images/training-page.js";
import { loadOnnx } from "../../src/graph/onnx/read/open-node.js";
import type { Comparison } from "../../src/robustness/comparison.js";
import { describeModel } from "../../src/train/model-description.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const SIDE = 32;
const COLOURS = ["red", "green", "blue"];

let data = "";
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "striate-test-"));
  for (const [channel, name] of COLOURS.entries()) {
    await mkdir(join(data, name), { recursive: true });
    for (let i = 0; i < 40; i++) {
      const random = Random.derive("picture", name, i);
      const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) =>
        random.integer(0, at % 3 === channel ? 256 : 120),
      );
      await writePng(join(data, name, `${i}.png`), { width: SIDE, height: SIDE, data: pixels });
    }
  }
});

async function striate(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

async function succeed(...args: readonly string[]): Promise<string> {
  const { status, out, err } = await striate(...args);
  expect(err, args.join(" ")).not.toContain("error:");
  expect(status).toBe(0);
  return out;
}

const json = async <T>(path: string) => JSON.parse(await readFile(path, "utf8")) as T;

/** Options of a network and a recipe that learn the three colours in seconds. */
const SMALL = [
  "--model",
  "resnet18",
  "--width",
  "0.0625",
  "--size",
  "32",
  "--batch-size",
  "8",
  "--validation",
  "0.2",
];
const QUICK = ["--threads", "1", "--optimizer", "adamw", "--learning-rate", "0.01", "--label-smoothing", "0"];

afterAll(() => rm(data, { recursive: true, force: true }));

describe("striate train", () => {
  it("learns a folder of images, writes what it did, and does the same again from its own options", async () => {
    const out = join(await temporaryFolder(), "run");
    const args = ["train", "--data", data, ...SMALL, ...QUICK, "--loaders", "1"];
    const printed = await succeed(...args, "--epochs", "4", "--mixup", "0.2", "--out", out);
    expect(printed).toContain("best on validation");
    const report = await json<TrainingReport>(join(out, "results.json"));
    expect(report.test.accuracy).toBeGreaterThan(0.8);
    expect(report.validation.map(({ step }) => step)).toHaveLength(4);
    expect(report.data.counts.train + report.data.counts.validation + report.data.counts.test).toBe(120);
    expect(report.data.classes).toEqual(["blue", "green", "red"]);
    expect(await readFile(join(out, "report.html"), "utf8")).toContain("best validation accuracy");
    const model = await loadOnnx(join(out, "model.onnx"));
    expect(describeModel(model.metadata, "model")).toMatchObject({ classes: ["blue", "green", "red"] });

    const again = join(await temporaryFolder(), "again");
    await succeed("train", "--config", join(out, "config.toml"), "--out", again);
    expect(await readFile(join(again, "model.onnx"))).toEqual(await readFile(join(out, "model.onnx")));

    // The last layer has these classes, so it stays; only the patterns' parameters change.
    const tuned = join(await temporaryFolder(), "tuned");
    const { err } = await striate(
      ...["train", "--data", data, "--model", join(out, "model.onnx"), "--epochs", "1", "--batch-size", "8"],
      ...["--validation", "0.2", "--trains", "fc.*", "--out", tuned, "--threads", "1"],
    );
    expect(err).toContain("already has these classes");
    const other = await loadOnnx(join(tuned, "model.onnx"));
    expect(other.parameters.get("conv1.weight")!.data).toEqual(model.parameters.get("conv1.weight")!.data);
    expect(other.parameters.get("fc.weight")!.data).not.toEqual(model.parameters.get("fc.weight")!.data);
  });

  it("puts V1, oscillators and predictive feedback into one network, whose robustness is then measured", async () => {
    const out = join(await temporaryFolder(), "run");
    await succeed(
      ...["train", "--data", data, ...SMALL, ...QUICK, "--epochs", "1", "--out", out],
      ...["--v1", "biol", "--v1-cells", "8", "--v1-noise", "--kuramoto", "auto", "--kuramoto-steps", "2"],
      ...["--predify", "2", "--timesteps", "2"],
    );
    const { choices } = await json<TrainingReport>(join(out, "results.json"));
    expect(choices).toEqual([
      expect.stringMatching(/^oscillators at "/),
      expect.stringMatching(/^V1 in place of everything up to ".*", for images of 1 degrees$/),
    ]);
    const { metadata } = await loadOnnx(join(out, "model.onnx"));
    expect(Object.keys(metadata).some((key) => key.startsWith("v1."))).toBe(true);
    for (const name of ["model", "predified"])
      await succeed(
        ...["robustness", join(out, `${name}.onnx`), "--data", data, "--images", "9", "--passes", "1"],
        ...["--attack-images", "4", "--attacks", "pgd", "--eps", "2/255", "--threads", "1"],
        ...["--corruptions", "fog", "--severities", "2", "--out", join(out, `${name}.html`)],
      );
    await succeed(
      ...["compare", join(out, "model.json"), join(out, "predified.json"), join(out, "model.json")],
      ...["--out", join(out, "both.html")],
    );
    const comparison = await json<Comparison & { networks: string[] }>(join(out, "both.json"));
    const clean = comparison.measures.find(({ name }) => name === "clean")!;
    expect(comparison.measures.map(({ kind }) => kind)).toEqual([
      "clean",
      "corrupted",
      "corruption",
      "severity",
      "attack",
    ]);
    const same = clean.differences[2]!;
    expect([same.difference, same.gained, same.lost]).toEqual([0, 0, 0]);
    expect(same.low < 0 && same.high > 0).toBe(true);
    expect(await readFile(join(out, "both.html"), "utf8")).toContain("blue");
  });

  it("averages the gradients of several batches for one step, and resumes with the same weights", async () => {
    const folder = await temporaryFolder();
    const small = [
      "train",
      "--data",
      data,
      ...SMALL,
      "--accumulate",
      "3",
      "--threads",
      "1",
      "--loaders",
      "1",
    ];
    const [out, again] = [join(folder, "run"), join(folder, "again")];
    const { err } = await striate(...small, "--epochs", "2", "--out", out);
    expect(err).toContain("batches of 8, 3 for each step · sgd with a learning rate of 0.009375");
    const { recipe, validation, data: facts } = await json<TrainingReport>(join(out, "results.json"));
    expect(recipe).toMatchObject({ batchSize: 8, accumulate: 3, learningRate: (0.1 * 24) / 256 });
    const perEpoch = Math.floor(facts.counts.train / 24);
    expect(validation.map(({ step }) => step)).toEqual([perEpoch, 2 * perEpoch]);
    expect(await readFile(join(out, "config.toml"), "utf8")).toContain("accumulate = 3");

    // Without the second epoch's checkpoints, the run continues from the first epoch.
    await cp(out, again, { recursive: true });
    for (const name of await readdir(join(again, "checkpoints")))
      if (name !== `step-${String(perEpoch).padStart(8, "0")}.safetensors`)
        await rm(join(again, "checkpoints", name));
    await succeed(...small, "--epochs", "2", "--out", again, "--resume");
    expect(await readFile(join(again, "model.onnx"))).toEqual(await readFile(join(out, "model.onnx")));

    const rate = await succeed(...small, "--find-rate", "--out", join(folder, "rate"));
    expect(rate).toMatch(/--learning-rate [\d.e-]+/);
    expect((await striate(...small, "--batch-size", "64", "--out", join(folder, "large"))).err).toMatch(
      /expected at least the 192 images of one step, got \d+/,
    );
  });

  it("finds a learning rate without leaving a run", async () => {
    const out = join(await temporaryFolder(), "rate");
    const printed = await succeed(
      "train",
      "--data",
      data,
      ...SMALL,
      "--threads",
      "1",
      "--find-rate",
      "--out",
      out,
    );
    expect(printed).toMatch(/--learning-rate [\d.e-]+/);
    expect(existsSync(join(out, "learning-rate.html"))).toBe(true);
    expect(existsSync(join(out, "config.json"))).toBe(false);
  });

  it("says what is wrong in one sentence", async () => {
    const folder = await temporaryFolder();
    const toml = join(folder, "options.toml");
    const fails = async (expected: RegExp, ...args: readonly string[]) => {
      const { status, err } = await striate("train", ...args, "--out", join(folder, "run"));
      expect(err).toMatch(expected);
      expect(status).toBe(1);
      expect(existsSync(join(folder, "run"))).toBe(false);
    };
    await fails(/expected --data/, "--model", "resnet18");
    await fails(/expected --model/, "--data", data);
    await fails(
      /one of resnet18, .* or an .onnx file, got "resnet19"/,
      "--data",
      data,
      "--model",
      "resnet19",
    );
    await fails(
      /a pattern that matches a parameter, got "head\*"/,
      "--data",
      data,
      ...SMALL,
      "--trains",
      "head*",
    );
    await fails(
      /--v1-at, --v1-noise and --visual-degrees have no effect/,
      "--data",
      data,
      ...SMALL,
      "--visual-degrees",
      "2",
    );
    await fails(
      /--v1-noise has no effect with --retina/,
      ...["--data", data, ...SMALL, "--retina", "standard", "--v1-noise"],
    );
    await fails(/recipe: cropScale: expected .* above 0/, "--data", data, ...SMALL, "--crop-scale", "0");
    await writeFile(toml, 'data = "x"\nlearning-rat = 0.1\n');
    await fails(/unknown option "learning-rat".*learning-rate/, "--config", toml);
    await writeFile(toml, 'epochs = "many"\n');
    await fails(/epochs: got "many"\. Expected a whole number/, "--config", toml);
    await writeFile(toml, "epochs = = 1\n");
    await fails(/is not a TOML file/, "--config", toml);
  });
});

describe("striate study", () => {
  it("trains the same network with additions and compares them on one page", async () => {
    const out = join(await temporaryFolder(), "study");
    const args = [
      ...["study", "--data", data, ...SMALL, ...QUICK, "--epochs", "1", "--seeds", "2", "--out", out],
      ...[
        "--variants",
        "v1,predify",
        "--v1-cells",
        "8",
        "--pcoders",
        "2",
        "--timesteps",
        "1",
        "--feedback-epochs",
        "1",
      ],
      ...[
        "--corruptions",
        "fog",
        "--severities",
        "1",
        "--eps",
        "1/255",
        "--attack-steps",
        "2",
        "--attack-images",
        "6",
      ],
    ];
    const printed = await succeed(...args);
    expect(printed).toContain("against plain");
    const report = await json<StudyReport>(join(out, "results.json"));
    expect(report.variants.map(({ variant }) => variant)).toEqual(["plain", "v1", "predify"]);
    for (const { measures, variant } of report.variants)
      for (const { name, values, difference } of measures) {
        expect(values, `${variant} ${name}`).toHaveLength(2);
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
        expect(difference === undefined).toBe(variant === "plain");
      }
    const text = await readFile(join(out, "report.html"), "utf8");
    expect(text).toContain("Difference to plain in points");
    // Everything is there, so the study is over at once, with the same numbers.
    await succeed(...args, "--resume");
    expect((await json<StudyReport>(join(out, "results.json"))).variants).toEqual(report.variants);
  });

  it("refuses additions that it does not know", async () => {
    const { err } = await striate("study", "--data", data, ...SMALL, "--variants", "v2");
    expect(err).toMatch(/--variants: unknown addition "v2"/);
  });
});
