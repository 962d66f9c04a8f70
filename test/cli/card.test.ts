import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runCommandLine } from "../../src/cli/command-line.js";
import { frontMatter } from "../../src/cli/card/front-matter.js";
import { leaderboardEntries } from "../../src/cli/card/robustbench.js";
import type { CardOptions } from "../../src/cli/commands/card.js";
import { writePng } from "../../src/data/images/images-node.js";
import type { ResultCard } from "../../src/robustness/card.js";
import { BENCHMARK_CORRUPTIONS } from "../../src/robustness/corruptions/kinds.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const COLOURS = ["red", "green", "blue"];

async function photos(root: string, count: number): Promise<void> {
  for (const [channel, name] of COLOURS.entries()) {
    await mkdir(join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const random = Random.derive("picture", name, i);
      const data = Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) =>
        random.integer(0, at % 3 === channel ? 256 : 120),
      );
      await writePng(join(root, name, `${i}.png`), { width: 32, height: 32, data });
    }
  }
}

async function striate(...args: readonly string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

describe("striate card --format huggingface", () => {
  it("writes a README whose metadata the hub reads, with the results of the run and of its result card", async () => {
    const folder = await temporaryFolder();
    const data = join(folder, "photos");
    await photos(data, 20);
    const run = join(folder, "run");
    const trained = await striate(
      ...[
        "train",
        "--data",
        data,
        "--model",
        "resnet18",
        "--width",
        "0.0625",
        "--size",
        "32",
        "--epochs",
        "1",
      ],
      ...["--batch-size", "8", "--validation", "0.2", "--threads", "1", "--out", run],
    );
    expect(trained).toMatchObject({ status: 0 });
    const report = join(folder, "robust.html");
    const measured = await striate(
      ...["robustness", join(run, "model.onnx"), "--data", data, "--images", "12", "--threads", "1"],
      ...[
        "--corruptions",
        "fog",
        "--severities",
        "1,3",
        "--attacks",
        "fgsm",
        "--eps",
        "2/255",
        "--out",
        report,
      ],
    );
    expect(measured).toMatchObject({ status: 0 });
    const args = ["card", run, "--format", "huggingface", "--robustness", join(folder, "robust.json")];
    const { status, out, err } = await striate(...args, "--license", "mit", "--dataset", "someone/colours");
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain(join(run, "README.md"));
    const text = await readFile(join(run, "README.md"), "utf8");
    const [, yaml = "", body = ""] = /^---\n([^]*?)\n---\n([^]*)$/.exec(text) ?? [];
    const results = JSON.parse(await readFile(join(run, "results.json"), "utf8")) as {
      test: { accuracy: number };
    };
    const card = JSON.parse(await readFile(join(folder, "robust.json"), "utf8")) as ResultCard;
    const metric = (value: number, name: string) => [
      { type: "accuracy", value: expect.closeTo(value, 6) as number, name },
    ];
    const task = { type: "image-classification", name: "Image Classification" };
    const dataset = (name: string) => ({ type: "someone/colours", name, split: "test" });
    expect(parse(yaml)).toEqual({
      license: "mit",
      pipeline_tag: "image-classification",
      tags: ["image-classification", "onnx", "striate"],
      datasets: ["someone/colours"],
      metrics: ["accuracy"],
      "model-index": [
        {
          name: "resnet18",
          results: [
            { task, dataset: dataset("photos"), metrics: metric(results.test.accuracy, "Test accuracy") },
            {
              task,
              dataset: dataset("photos, corrupted"),
              metrics: metric(
                (card.corruptions[0]!.accuracy.value + card.corruptions[1]!.accuracy.value) / 2,
                "Accuracy under 1 corruptions, severities 1, 3",
              ),
            },
            {
              task,
              dataset: dataset("photos, attacked"),
              metrics: metric(card.attacks[0]!.robust.value, "Accuracy under FGSM, Linf 2/255"),
            },
          ],
        },
      ],
    });
    expect(body).toContain("Classes: `blue`, `green`, `red`.");
    expect(body).toMatch(/\| Test accuracy \| [\d.]+ \| [\d.]+ to [\d.]+ \| \d+ \|/);
    expect((await striate(...args)).err).toMatch(/README\.md" exists already: .* --force/);
    const again = await striate(...args, "--force");
    expect(again.err).toMatch(/caution the card names no license/);
    expect((await striate(...args, "--force", "--license", "MIT License")).err).toMatch(
      /expected an id of the hub/,
    );
    const other = join(folder, "other.json");
    const { protocol } = card;
    const model = { ...protocol.model, sha256: "0".repeat(64) };
    await writeFile(other, JSON.stringify({ ...card, protocol: { ...protocol, model } }));
    expect((await striate(...args.slice(0, -1), other, "--force")).err).toMatch(
      /other\.json: expected the result card of ".*model\.onnx", got that of another network/,
    );
    expect((await striate("card", data, "--format", "huggingface")).err).toMatch(/results\.json/);
  });

  it("quotes what YAML would read as something else", () => {
    const value = {
      plain: "image-classification",
      "a: b": ["no", "1.5", "x # y", "- z", "", " padded", "é, “q”", 'say "hi"\n'],
      nested: [{ one: 1, two: [true, null], three: { four: "yes" } }, [["deep"]], {}],
    };
    const text = frontMatter(value);
    expect(parse(text.replace(/^---\n/, "").replace(/---\n$/, ""))).toEqual(value);
  });
});

const share = (value: number, n = 10_000) => ({ value, low: value, high: value, n });
const OPTIONS: CardOptions = { format: "robustbench", additionalData: false, force: false };

/** A result card with AutoAttack and the benchmark's corruptions. */
function benchmarked(): ResultCard {
  const attack = (epsilon: number, robust: number) => ({
    plan: "AutoAttack",
    norm: "Linf" as const,
    epsilon,
    clean: share(0.9368),
    robust: share(robust),
    stages: [],
    settings: [],
    warnings: [],
    complete: true,
  });
  return {
    kind: "striate robustness",
    protocol: {
      model: { name: "wrn.onnx" },
      data: { name: "CIFAR-10 test", count: 10_000, choice: "all" },
      passes: 1,
      corruptions: BENCHMARK_CORRUPTIONS,
      severities: [1, 2, 3, 4, 5],
      version: "0.1.0",
    },
    clean: { accuracy: share(0.93) },
    attacks: [attack(8 / 255, 0.73714)],
    corruptions: [],
    summary: { meanError: 0.2, meanErrorBenchmark: 0.1999 },
  } as unknown as ResultCard;
}

describe("striate card --format robustbench", () => {
  it("has the fields, in the form, of RobustBench's own entries", () => {
    const options = { ...OPTIONS, dataset: "cifar10", architecture: "WideResNet-94-16", title: "A paper" };
    const [attacked, corrupted, ...others] = leaderboardEntries(benchmarked(), options);
    expect(others).toEqual([]);
    // model_info/cifar10/Linf/Bartoldson2024Adversarial_WRN-94-16.json, with these keys and types
    expect(attacked).toEqual({
      dataset: "cifar10",
      threat: "Linf",
      name: "wrn",
      cautions: [],
      entry: {
        link: null,
        name: "A paper",
        authors: null,
        additional_data: false,
        number_forward_passes: 1,
        dataset: "cifar10",
        venue: null,
        architecture: "WideResNet-94-16",
        eps: "8/255",
        clean_acc: "93.68",
        reported: null,
        autoattack_acc: "73.71",
        footnote: "Measured with Striate 0.1.0 on 10000 of 10000 images (all).",
      },
    });
    expect(corrupted).toMatchObject({
      threat: "corruptions",
      entry: { corruptions_acc: "80.01", clean_acc: "93.00", eps: null },
      cautions: [expect.stringMatching(/procedural frost/)],
    });
  });

  it("refuses what the leaderboard does not rank", () => {
    const card = benchmarked();
    const [one] = card.attacks;
    const two = { ...card, attacks: [one!, { ...one!, epsilon: 4 / 255 }] };
    expect(() => leaderboardEntries(two, OPTIONS)).toThrow(/8\/255, 4\/255, and an entry has one radius/);
    expect(leaderboardEntries(two, { ...OPTIONS, eps: [4 / 255] })[0]!.entry.eps).toBe("4/255");
    expect(() => leaderboardEntries(two, { ...OPTIONS, eps: [0.5] })).toThrow(/--eps: expected a radius/);
    const { summary: _summary, ...rest } = card;
    const weak = { ...rest, summary: undefined, attacks: [{ ...one!, plan: "PGD-20" }] };
    expect(() => leaderboardEntries(weak, OPTIONS)).toThrow(/expected a card with AutoAttack .* got PGD-20/);
    const few = { ...card, attacks: [{ ...one!, robust: share(0.5, 200) }] };
    expect(leaderboardEntries(few, { ...OPTIONS, dataset: "cifar10" })[0]!.cautions).toEqual([
      expect.stringMatching(/measures 10000 images of cifar10, the card has 200/),
    ]);
  });
});

type Node = Readonly<Record<string, unknown>>;

/** All objects below a value. */
function nodesIn(value: unknown): Node[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(nodesIn);
  return Array.isArray(value) ? inner : [value as Node, ...inner];
}

describe("striate card --format croissant", () => {
  it("describes the files, classes and parts of a folder as the specification says", async () => {
    const root = join(await temporaryFolder(), "photos");
    for (const part of ["train", "val", "test"]) await photos(join(root, part), 2);
    const { status, err } = await striate(
      ...[
        "card",
        root,
        "--format",
        "croissant",
        "--license",
        "CC-BY-4.0",
        "--authors",
        "A. Person, B. Person",
      ],
      ...["--link", "https://example.org/photos"],
    );
    expect([status, err]).toEqual([0, ""]);
    const metadata = JSON.parse(await readFile(join(root, "croissant.json"), "utf8")) as Node;
    expect(metadata).toMatchObject({
      "@type": "sc:Dataset",
      conformsTo: "http://mlcommons.org/croissant/1.0",
      name: "photos",
      license: "https://spdx.org/licenses/CC-BY-4.0",
      url: "https://example.org/photos",
      creator: [{ name: "A. Person" }, { name: "B. Person" }],
      datePublished: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
    });
    const { "@context": context, ...rest } = metadata;
    const nodes = nodesIn(rest);
    // Every key is a term of the context or of schema.org, and every reference leads to a node.
    const schema = [
      "name",
      "description",
      "license",
      "url",
      "creator",
      "datePublished",
      "version",
      "distribution",
    ];
    const terms = new Set([...Object.keys(context as Node), ...schema, "encodingFormat", "@type", "@id"]);
    const records = nodes.filter((node) => !Object.keys(node).some((key) => key.includes("/")));
    for (const key of records.flatMap((node) => Object.keys(node))) expect(terms).toContain(key);
    const defined = new Set(nodes.filter((node) => "@type" in node).map((node) => node["@id"]));
    const references = nodes.filter((node) => Object.keys(node).join() === "@id").map((node) => node["@id"]);
    expect(references.length).toBeGreaterThan(5);
    for (const reference of references) expect(defined).toContain(reference);
    // The globs and the regular expressions find each image, its class and its part.
    const { distribution, recordSet } = metadata as unknown as {
      distribution: { includes: string[]; encodingFormat: string }[];
      recordSet: {
        "@id": string;
        data?: Node[];
        field: { name: string; source?: { transform?: { regex: string } } }[];
      }[];
    };
    expect(distribution.map(({ encodingFormat }) => encodingFormat)).toEqual(["image/png"]);
    const globs = distribution[0]!.includes.map(
      (glob) => new RegExp(`^${glob.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`),
    );
    const files = (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.name.endsWith(".png"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    expect(files).toHaveLength(18);
    const images = recordSet.find((one) => one["@id"] === "images")!;
    const found = (name: string, file: string) =>
      new RegExp(images.field.find((one) => one.name === name)!.source!.transform!.regex).exec(
        `photos/${file}`,
      )![1];
    const names = recordSet[0]!.data!.map((one) => one["classes/name"]);
    expect(names).toEqual(["blue", "green", "red"]);
    for (const file of files) {
      expect(
        globs.some((glob) => glob.test(file)),
        file,
      ).toBe(true);
      const [part, label] = file.split("/");
      expect([found("split", file), found("label", file)]).toEqual([part, label]);
    }
    expect(recordSet[1]!.data).toContainEqual({
      "splits/name": "val",
      "splits/url": "cr:ValidationSplit",
    });
  });

  it("describes a folder without parts, and says what is missing", async () => {
    const root = join(await temporaryFolder(), "photos");
    await photos(root, 1);
    const { status, err } = await striate("card", root, "--format", "croissant");
    expect(status).toBe(0);
    expect(err).toMatch(/caution Croissant demands .* give --license, --link, --authors/);
    const text = await readFile(join(root, "croissant.json"), "utf8");
    expect(text).toContain('"*/*.png"');
    expect(text).not.toContain("splits");
    expect((await striate("card", join(root, "none"), "--format", "croissant")).err).toMatch(/no such file/);
  });
});
