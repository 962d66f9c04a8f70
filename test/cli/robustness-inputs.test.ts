import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import type { Tensor } from "../../src/graph/index.js";
import {
  cast,
  concat,
  input,
  log,
  lower,
  mean,
  mul,
  neg,
  softmax,
  sub,
  unsqueeze,
  writeOnnx,
} from "../../src/graph/index.js";
import type { ResultCard } from "../../src/robustness/card.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const SIDE = 8;
const SHADES = [
  [200, 60, 50],
  [50, 190, 70],
  [60, 80, 200],
] as const;

/** Three classes of two images each: mostly red, green and blue. */
async function colours(
  root: string,
  names: readonly [string, string, string] = ["a", "b", "c"],
): Promise<string> {
  for (const [c, name] of names.entries()) {
    await mkdir(join(root, name), { recursive: true });
    for (const n of [0, 1]) {
      const data = Uint8Array.from(
        { length: 3 * SIDE * SIDE },
        (_, i) => SHADES[c]![i % 3]! + 13 * n * (1 + (i % 3)) + (i % 5),
      );
      await writePng(join(root, name, `${n}.png`), { width: SIDE, height: SIDE, data });
    }
  }
  return root;
}

/** A network whose scores are the means of red, green and blue, changed by `end`. */
async function network(
  folder: string,
  {
    end = (scores) => mul(scores, 7.3),
    ...more
  }: {
    readonly end?: (scores: Tensor) => Tensor;
    readonly batch?: number;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly second?: (scores: Tensor) => Tensor;
  } = {},
): Promise<string> {
  const scores = mean(input("images", [more.batch ?? "batch", 3, SIDE, SIDE]), [2, 3]);
  const outputs = { scores: end(scores), ...(more.second && { other: more.second(scores) }) };
  const path = join(folder, "network.onnx");
  const { bytes } = writeOnnx(lower(outputs, "portable"), more.metadata && { metadata: more.metadata });
  await writeFile(path, bytes);
  return path;
}

async function measure(model: string, data: string, ...more: readonly string[]) {
  const { streams, out, err } = captured();
  const report = more.includes("--out") ? more[more.indexOf("--out") + 1]! : join(data, "..", "r.html");
  const given = more.includes("--out") ? [] : ["--out", report];
  const status = await runCommandLine(
    ["robustness", model, "--data", data, "--preprocessing", "unit", "--threads", "1", ...given, ...more],
    streams,
  );
  const path = report.replace(/\.html$/, ".json");
  const card = status === 0 ? (JSON.parse(await readFile(path, "utf8")) as ResultCard) : undefined;
  return { status, out: out(), err: err(), card };
}

async function prepared(options: Parameters<typeof network>[1] = {}) {
  const folder = await temporaryFolder();
  return { folder, model: await network(folder, options), data: await colours(join(folder, "data")) };
}

describe("labels of striate robustness", () => {
  it("follow the names in the model's file, which --classes must not contradict", async () => {
    const folder = await temporaryFolder();
    const names = { metadata: { "striate.classes": '["c","b","a"]' } };
    const model = await network(folder, names);
    // Red, the first output, is what the file calls c.
    const data = await colours(join(folder, "data"), ["c", "b", "a"]);
    const own = await measure(model, data);
    expect(own.card).toMatchObject({ clean: { accuracy: { value: 1 } } });
    expect(own.card!.protocol.data.labels).toContain("the metadata of network.onnx");
    const list = join(folder, "list.txt");
    await writeFile(list, "a\nb\nc\n");
    expect((await measure(model, data, "--classes", list)).err).toContain(
      "contradicts the metadata of network.onnx: the option gives a, b, c, the file gives c, b, a",
    );
    await writeFile(list, "c\nb\n");
    expect((await measure(model, data, "--classes", list)).err).toContain("each of the 3 outputs");
    await network(folder, { metadata: { "striate.classes": '["a","b"]' } });
    expect((await measure(model, data)).err).toContain(
      '"striate.classes" name 2 classes, but it has 3 outputs',
    );
  });

  it("are refused options that have no effect", async () => {
    const { folder, model, data } = await prepared();
    await writeFile(join(data, "files.json"), JSON.stringify([{ file: "a/0.png", index: 0 }]));
    await writeFile(join(folder, "list.txt"), "x\ny\nz\n");
    expect((await measure(model, data, "--classes", join(folder, "list.txt"))).err).toContain(
      "--classes has no effect",
    );
    expect((await measure(model, data, "--eps", "1/255")).err).toContain(
      "--eps has no effect without --attacks",
    );
    expect((await measure(model, data, "--resize", "4")).err).toContain(
      "expected resize of at least the network's 8 pixels, got 4",
    );
    expect((await measure(model, data, "--out", join(folder, "data"))).err).toContain("ends in .html");
    await mkdir(join(folder, "folder.html"));
    expect((await measure(model, data, "--out", join(folder, "folder.html"))).err).toContain(
      "expected the name of a file, got the folder",
    );
  });
});

describe("answers of a network", () => {
  const probabilities = (scores: Tensor) => softmax(mul(scores, 5), 1);

  it.each<[string, (scores: Tensor) => Tensor, string]>([
    ["per cent", (s) => mul(probabilities(s), 100), "sum to about 100"],
    [
      "negative logarithms",
      (s) => neg(log(mul(probabilities(s), 1))),
      "as negative logarithms of probabilities",
    ],
    [
      "logarithms to base 10",
      (s) => mul(log(mul(probabilities(s), 1)), Math.LOG10E),
      "as logarithms to base 10",
    ],
  ])("are refused if they are probabilities in %s", async (_, end, message) => {
    const { model, data } = await prepared({ end });
    const { status, err } = await measure(model, data);
    expect([status, err]).toEqual([1, expect.stringContaining(message)]);
  });

  it("give a caution if they have a sum of 2, or are declared to be logits", async () => {
    const two = await prepared({ end: (s) => mul(probabilities(s), 2) });
    expect((await measure(two.model, two.data)).card!.warnings.join()).toContain("sum to about 2");
    const one = await prepared({ end: (s) => mul(probabilities(s), 1) });
    const stated = await measure(one.model, one.data, "--answers", "logits");
    expect(stated.card!.warnings.join()).toContain("declared to be logits, but none is below 0");
  });

  it("are refused if they are no probabilities but declared to be", async () => {
    const { model, data } = await prepared({ end: (s) => mul(probabilities(s), 100) });
    expect((await measure(model, data, "--answers", "probabilities")).err).toContain("got a sum of 100");
    const good = await prepared({ end: (s) => mul(probabilities(s), 1) });
    const { card } = await measure(good.model, good.data, "--answers", "probabilities");
    expect(card).toMatchObject({ clean: { accuracy: { value: 1 } }, warnings: [] });
  });

  it("are read as float64, and come with a caution if they depend on the batch", async () => {
    const double = await prepared({ end: (s) => cast(mul(s, 7.3), "float64") });
    expect((await measure(double.model, double.data)).card).toMatchObject({
      clean: { accuracy: { value: 1 } },
      warnings: [],
    });
    const dependent = (s: Tensor) => mul(sub(s, mean(s, [0], { keepAxes: true })), 20);
    const free = await prepared({ end: dependent });
    expect((await measure(free.model, free.data)).card!.warnings.join()).toContain(
      "depends on the other images",
    );
    const fixed = await prepared({ end: dependent, batch: 4 });
    expect((await measure(fixed.model, fixed.data)).card!.warnings.join()).toContain("fixed batch of 4");
  });
});

describe("metadata of a network's file", () => {
  it.each([
    ["striate.noise.gone", '{"distribution":"normal"}', 'its metadata describe an unknown input "gone"'],
    ["striate.input.gone", '{"default":[1]}', 'its metadata describe an unknown input "gone"'],
    [
      "striate.preprocessing",
      '{"std":[0]}',
      'its metadata "striate.preprocessing": preprocessing: standard deviation: expected a number above 0, got 0',
    ],
    ["striate.preprocessing", '{"resize":4}', "expected resize of at least the network's 8 pixels, got 4"],
  ])("must fit the network: %s %s", async (key, value, message) => {
    const { model, data } = await prepared({ metadata: { [key]: value } });
    expect((await measure(model, data)).err).toContain(message);
  });

  it("must count the timesteps that there are", async () => {
    const timesteps = '{"output":"scores","count":3}';
    const { model, data } = await prepared({
      end: (s) => concat([unsqueeze(mul(s, 7.3), [0]), unsqueeze(mul(s, 2.1), [0])], 0),
      metadata: { "striate.timesteps": timesteps },
    });
    expect((await measure(model, data)).err).toContain(
      'metadata state 3 "striate.timesteps", but its output has 2',
    );
  });
});

describe("striate import", () => {
  it("says that an ONNX file is no checkpoint", async () => {
    const { model } = await prepared();
    const { streams, err } = captured();
    expect(await runCommandLine(["import", model, "--into", model], streams)).toBe(1);
    expect(err()).toContain("expected a checkpoint of weights");
  });
});

describe("a results file", () => {
  it("is not gone on with if something else is measured", async () => {
    const { folder, model, data } = await prepared({ second: (s) => neg(mul(s, 7.3)) });
    const run = (...more: string[]) => measure(model, data, "--output", "scores", ...more);
    expect((await run()).status).toBe(0);
    expect((await run()).err).toContain("continuing");
    const other = await measure(model, data, "--output", "other");
    expect(other.err).toContain('other settings (model.output: "scores" there, "other" now)');
    await rm(join(data, "a", "0.png"));
    await writePng(join(data, "a", "0.png"), {
      width: SIDE,
      height: SIDE,
      data: new Uint8Array(3 * SIDE * SIDE).fill(9),
    });
    expect((await run()).err).toContain("other settings (data.sha256");
    expect((await run("--force")).status).toBe(0);
    const list = join(folder, "list.txt");
    await writeFile(list, "a\nb\nc\n");
    expect((await run("--force", "--classes", list)).status).toBe(0);
    await writeFile(list, "b\na\nc\n");
    expect((await run("--classes", list)).err).toContain("other settings (data.sha256");
    expect(existsSync(join(folder, "r.results.jsonl.lock"))).toBe(false);
  });
});
