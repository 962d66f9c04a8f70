import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import { PREPROCESSINGS } from "../../src/data/images/preprocessing.js";
import { flatten, input, lower, writeOnnx } from "../../src/graph/index.js";
import { Linear, initialState, namedParameters } from "../../src/nn/index.js";
import { asConstants } from "../../src/nn/training-state.js";
import type { ChangedImage, Comparison } from "../../src/robustness/comparison.js";
import type { ResultCard } from "../../src/robustness/card.js";
import { modelMetadata } from "../../src/train/model-description.js";
import { Random } from "../../src/util/random.js";
import { captured } from "./streams.js";

const SIDE = 32;
const CLASSES = ["blue", "green", "red"];

type Numbers = Omit<Comparison, "changed"> & {
  readonly networks: string[];
  readonly changed: readonly (ChangedImage & { readonly name?: string })[];
};

let folder = "";
let data = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "striate-test-"));
  data = join(folder, "photos");
  for (const name of CLASSES) {
    await mkdir(join(data, name), { recursive: true });
    for (let i = 0; i < 8; i++) {
      const random = Random.derive("picture", name, i);
      const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => random.integer(0, 256));
      await writePng(join(data, name, `${i}.png`), { width: SIDE, height: SIDE, data: pixels });
    }
  }
});

/** Writes an untrained network, whose answers depend on the seed. */
async function network(path: string, seed: number): Promise<string> {
  const model = new Linear(3 * SIDE * SIDE, CLASSES.length);
  const outputs = { logits: model.forward(flatten(input("images", ["batch", 3, SIDE, SIDE]))) };
  const values = initialState(namedParameters(model), (name) => Random.derive(seed, name));
  const { bytes } = writeOnnx(lower(outputs, "portable"), {
    values: asConstants(values),
    metadata: modelMetadata({ preprocessing: PREPROCESSINGS.unit, classes: CLASSES }),
  });
  await writeFile(path, bytes);
  return path;
}

async function striate(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

const json = async <T>(path: string) => JSON.parse(await readFile(path, "utf8")) as T;

describe("striate compare", () => {
  it("measures networks as the first card was measured, and shows the images on which they differ", async () => {
    const first = await network(join(folder, "first.onnx"), 1);
    const run = join(folder, "run");
    await mkdir(run);
    await network(join(run, "model.onnx"), 2);
    const card = join(folder, "first.json");
    const measured = await striate(
      ...["robustness", first, "--data", data, "--images", "20", "--seed", "5", "--batch", "7"],
      ...["--corruptions", "fog,contrast", "--severities", "2", "--reencode", "70"],
      ...["--attacks", "fgsm", "--eps", "4/255", "--attack-images", "6"],
      ...["--threads", "1", "--out", join(folder, "first.html")],
    );
    expect(measured).toMatchObject({ status: 0 });
    const out = join(folder, "both.html");
    const args = ["compare", card, run, first, "--data", data, "--threads", "1", "--out", out];
    const compared = await striate(...args);
    expect(compared).toMatchObject({ status: 0 });
    expect(compared.err).not.toContain("caution");

    const own = await json<ResultCard>(join(folder, "both.run.json"));
    const before = await json<ResultCard>(card);
    expect(own.protocol.model.name).toBe("run");
    for (const key of ["seed", "batch", "corruptions", "severities", "constants", "reencode"] as const)
      expect(own.protocol[key], key).toEqual(before.protocol[key]);
    expect(own.protocol.data.sha256).toBe(before.protocol.data.sha256);
    // The network of the card, measured again from its file, has the same results.
    const again = await json<ResultCard>(join(folder, "both.first.json"));
    expect({ ...again, seconds: 0 }).toEqual({ ...before, seconds: 0 });

    const { networks, measures, changed } = await json<Numbers>(join(folder, "both.json"));
    expect(networks).toHaveLength(3);
    expect(measures.map(({ name }) => name)).toEqual([
      "clean",
      "corrupted",
      "fog",
      "contrast",
      "severity 2",
      "FGSM, ε 4/255",
    ]);
    for (const { differences } of measures)
      expect(differences[2]).toMatchObject({ difference: 0, gained: 0, lost: 0, status: "undecided" });
    const clean = measures[0]!.differences[1]!;
    expect(clean.count).toBe(20);
    expect(changed).toHaveLength(clean.gained + clean.lost);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed[0]!.name).toMatch(/^(blue|green|red)\/\d\.png$/);
    const html = await readFile(out, "utf8");
    expect(html.match(/<img src="data:image\/png/g)).toHaveLength(changed.length);
    expect(html).toContain(`alt="${CLASSES[changed[0]!.label]!}: ${changed[0]!.name!}"`);

    // A second call measures nothing: the records are there.
    const records = await readFile(join(folder, "both.run.results.jsonl"), "utf8");
    expect((await striate(...args)).err).toContain("continuing");
    expect(await readFile(join(folder, "both.run.results.jsonl"), "utf8")).toBe(records);

    // Cards alone are enough for the numbers; with --data, the pictures come too.
    const cards = ["compare", card, join(folder, "both.run.json"), "--out", join(folder, "cards.html")];
    expect(await striate(...cards)).toMatchObject({ status: 0 });
    expect(await readFile(join(folder, "cards.html"), "utf8")).not.toContain("<img");
    expect(await striate(...cards, "--data", data)).toMatchObject({ status: 0 });
    expect(await readFile(join(folder, "cards.html"), "utf8")).toContain("<img");
    const other = join(folder, "other");
    for (const name of CLASSES) {
      await mkdir(join(other, name), { recursive: true });
      const image = { width: SIDE, height: SIDE, data: new Uint8Array(3 * SIDE * SIDE) };
      await writePng(join(other, name, "0.png"), image);
    }
    expect((await striate(...cards, "--data", other)).err).toMatch(
      /--data .*other: expected the images of the result cards \(20 of .*photos\), got others/,
    );
    expect(
      (await striate("compare", card, run, "--data", other, "--out", join(folder, "x.html"))).err,
    ).toMatch(
      /run: expected --data with the images and the classes on which the network of the first result card was/,
    );
  });

  it("measures networks as the options say if there is no card", async () => {
    const [a, b] = [await network(join(folder, "a.onnx"), 3), await network(join(folder, "b.onnx"), 4)];
    const out = join(folder, "options.html");
    const args = ["compare", a, b, "--data", data, "--images", "10", "--threads", "1", "--out", out];
    expect(await striate(...args)).toMatchObject({ status: 0 });
    const { measures } = await json<Numbers>(join(folder, "options.json"));
    expect(measures.map(({ name }) => name)).toEqual(["clean"]);
    expect((await striate(...args, "--seed", "2")).err).toContain("belongs to a run with other settings");
    expect(await striate(...args, "--seed", "2", "--force")).toMatchObject({ status: 0 });
  });

  it("refuses what cannot be compared, in one sentence", async () => {
    const path = join(folder, "card.json");
    await writeFile(path, "{}");
    const model = await network(join(folder, "one.onnx"), 1);
    const fails = async (expected: RegExp, ...args: readonly string[]) => {
      const { status, err } = await striate("compare", ...args, "--out", join(folder, "no.html"));
      expect(err).toMatch(expected);
      expect(status).toBe(1);
      expect(existsSync(join(folder, "no.html"))).toBe(false);
    };
    await fails(/expected a result card of striate robustness/, path, path);
    await fails(/none\.json/, join(folder, "none.json"), path);
    await fails(/expected at least two networks to compare, got 1/, model);
    await fails(/one\.onnx": expected --data with the images|one\.onnx: expected --data/, model, model);
    await fails(/expected a result card \(\.json\), a network \(\.onnx\) or the folder/, "model.pt", model);
    await fails(/found no model\.onnx in it/, data, model, "--data", data);
    const card = join(folder, "one.json");
    await striate(
      ...[
        "robustness",
        model,
        "--data",
        data,
        "--images",
        "4",
        "--threads",
        "1",
        "--out",
        join(folder, "one.html"),
      ],
    );
    await fails(/--seed has no effect beside a result card/, card, model, "--data", data, "--seed", "2");
  });
});
