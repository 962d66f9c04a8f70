import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import type { ResultCard } from "../../src/robustness/card.js";
import { readSafetensors } from "../../src/util/safetensors-node.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const shared = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const present = existsSync(`${shared}models`);
if (!present) console.log(`striate robustness: skipped, there is no ${shared}models`);

const model = join(shared, "models/cifar10-resnet8.onnx");

/** The 16 images of CIFAR-10's test set that lie beside the models, and one damaged file. */
async function cifarSample(folder: string): Promise<string> {
  const { tensors } = await readSafetensors(join(shared, "models/reference-logits.safetensors"));
  const pixels = tensors.get("input.cifar10.u8")!.data as Uint8Array;
  const labels = [...tensors].find(([name]) => /cifar10.*label|label.*cifar10/.test(name))![1];
  const data = join(folder, "sample");
  await mkdir(data);
  const size = 32 * 32 * 3;
  const list = await Promise.all(
    Array.from(labels.data as ArrayLike<number | bigint>, async (label, i) => {
      const image = { width: 32, height: 32, data: pixels.slice(i * size, (i + 1) * size) };
      await writePng(join(data, `${i}.png`), image);
      return { file: `${i}.png`, index: Number(label) };
    }),
  );
  await writeFile(join(data, "broken.png"), "no image");
  await writeFile(join(data, "files.json"), JSON.stringify([...list, { file: "broken.png", index: 1 }]));
  return data;
}

async function command(...args: readonly string[]) {
  const { streams, out, err } = captured();
  const status = await runCommandLine(["robustness", ...args], streams);
  return { status, out: out(), err: err() };
}

const read = async (path: string): Promise<string> => readFile(path, "utf8");

describe.skipIf(!present)("striate robustness", () => {
  it("measures a trained network, leaves a report, a card and records, and does not measure twice", async () => {
    const folder = await temporaryFolder();
    const data = await cifarSample(folder);
    const out = join(folder, "report.html");
    const args = [
      model,
      "--data",
      data,
      "--preprocessing",
      "raw",
      "--corruptions",
      "gaussian_noise,contrast,frost",
      "--severities",
      "1,5",
      "--attacks",
      "noise,pgd,apgd",
      "--eps",
      "0.5/255,1/255",
      "--threads",
      "1",
      "--out",
      out,
    ];
    const first = await command(...args);
    expect(first).toMatchObject({ status: 0 });
    expect(first.out).toContain("Robustness of cifar10-resnet8.onnx");
    expect(first.out).toContain("1 images could not be read");

    const card = JSON.parse(await read(join(folder, "report.json"))) as ResultCard;
    expect(card).toMatchObject({ complete: true, measured: 16, skipped: [{ name: "broken.png" }] });
    expect(card.protocol).toMatchObject({
      model: { answers: "logits", classes: 10, preprocessing: { scale: 255, layout: "NCHW" } },
      constants: 32,
      reencode: false,
      seed: 1,
    });
    expect(card.clean!.accuracy.value).toBeGreaterThan(0.7);
    const accuracy = (severity: number) =>
      card.corruptions
        .filter((one) => one.severity === severity)
        .reduce((total, one) => total + one.accuracy.value, 0);
    expect(accuracy(1)).toBeGreaterThan(accuracy(5));
    const robust = (plan: string, epsilon: number) =>
      card.attacks.find((attack) => attack.plan === plan && attack.epsilon === epsilon)!.robust.value;
    for (const epsilon of [0.5 / 255, 1 / 255]) {
      expect(robust("APGD-CE", epsilon)).toBeLessThanOrEqual(robust("PGD-20", epsilon));
      expect(robust("PGD-20", epsilon)).toBeLessThanOrEqual(robust("random sign noise", epsilon));
    }
    expect(robust("PGD-20", 1 / 255)).toBeLessThanOrEqual(robust("PGD-20", 0.5 / 255));

    const html = await read(out);
    for (const part of ["frost (procedural)", "Reliability", "Worst failures", "broken.png", "95 %"])
      expect(html).toContain(part);
    expect(html).not.toMatch(/src="(?!data:)|href="http/);

    const records = await read(join(folder, "report.results.jsonl"));
    const again = await command(...args);
    expect(again.err).toContain("continuing");
    expect(await read(join(folder, "report.results.jsonl"))).toBe(records);
    const second = JSON.parse(await read(join(folder, "report.json"))) as ResultCard;
    expect({ ...second, seconds: 0 }).toEqual({ ...card, seconds: 0 });

    const other = await command(...args, "--seed", "2");
    expect(other.status).toBe(1);
    expect(other.err).toContain("belongs to a run with other settings (seed: 1 there, 2 now)");
  });

  it("refuses what cannot be measured, in one line", async () => {
    const folder = await temporaryFolder();
    const data = await cifarSample(folder);
    const out = join(folder, "r.html");
    const unstated = await command(model, "--data", data, "--out", out);
    expect(unstated.err).toContain(
      "its file does not state the preprocessing: give --preprocessing with one of unit, raw",
    );
    const base = [model, "--data", data, "--preprocessing", "raw", "--out", out];
    expect((await command(...base, "--attacks", "pgd")).err).toContain("--attacks needs --eps");
    expect((await command(...base, "--attacks", "pgd", "--eps", "8")).err).toContain("did you mean 8/255?");
    expect((await command(...base, "--attacks", "pdg")).err).toContain("did you mean pgd?");
    expect((await command(...base, "--eps", "-1/255")).err).toContain("Expected radii above 0");
    expect((await command(...base, "--preprocessing", "imagnet")).err).toContain("did you mean imagenet?");
    expect((await command(...base.slice(0, -1), join(folder, "r.pdf"))).err).toContain("ends in .html");
    expect((await command(...base, "--layout", "NHWC")).err).toContain("the given layout is NHWC");
    const nothing = await command(
      model,
      "--data",
      join(folder, "nowhere"),
      "--preprocessing",
      "raw",
      "--out",
      out,
    );
    expect(nothing.err).toContain("nowhere");
    expect(existsSync(out)).toBe(false);
  });

  it("takes a network for 224 pixels from photographs to scores, worse with severity", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "photographs");
    await mkdir(data);
    const all = JSON.parse(await read(join(shared, "imagenet-val-sample/files.json"))) as {
      file: string;
      index: number;
    }[];
    const some = all.filter((_, i) => i % 36 === 0);
    for (const { file } of some)
      await writeFile(join(data, file), await readFile(join(shared, "imagenet-val-sample", file)));
    await writeFile(join(data, "files.json"), JSON.stringify(some));
    const { status } = await command(
      join(shared, "models/squeezenet1.1.onnx"),
      "--data",
      data,
      "--preprocessing",
      "imagenet",
      "--corruptions",
      "gaussian_noise,contrast",
      "--severities",
      "1,5",
      "--out",
      join(folder, "r.html"),
    );
    expect(status).toBe(0);
    const card = JSON.parse(await read(join(folder, "r.json"))) as ResultCard;
    expect(card.protocol).toMatchObject({ constants: 224, reencode: 85 });
    expect(card.clean!.accuracy.value).toBeGreaterThan(0.4);
    expect(card.clean!.top5.value).toBeGreaterThanOrEqual(card.clean!.accuracy.value);
    for (const name of ["gaussian_noise", "contrast"]) {
      const [mild, harsh] = card.corruptions.filter((one) => one.name === name);
      expect(mild!.accuracy.value).toBeGreaterThan(harsh!.accuracy.value);
      expect(mild!.nll).toBeLessThan(harsh!.nll);
    }
  });
});
