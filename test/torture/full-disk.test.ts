import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile, readdir, truncate, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { download } from "../../src/data/sets/download-node.js";
import { writePng } from "../../src/data/images/images-node.js";
import { writeCellResult } from "../../src/experiments/cell-results.js";
import { saveOnnx } from "../../src/graph/onnx/write/save-node.js";
import { input, mul, parameter, writeOnnx } from "../../src/graph/index.js";
import { zeros } from "../../src/nn/init.js";
import { openResults } from "../../src/robustness/results-file-node.js";
import { readCheckpoint } from "../../src/train/run/checkpoint-node.js";
import { StriateError } from "../../src/util/errors.js";
import { Random } from "../../src/util/random.js";
import { writeFileAtomic } from "../../src/util/files-node.js";
import { writeSafetensors } from "../../src/util/safetensors-node.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";
import { ranged, serve } from "../support/server.js";
import { inParallel, report, settings } from "./settings.js";
import { finished, script } from "./small-run.js";

const FULL = /the disk is full/;

/** Points at which the disk gets full, in the tests of every day. */
const POINTS = 3;

/** All checkpoints that lie in a folder, read: none is a part of one. */
async function checkCheckpoints(run: string): Promise<void> {
  const folder = join(run, "checkpoints");
  for (const name of await readdir(folder).catch(() => [])) {
    expect(name).toMatch(/^step-\d{8}\.safetensors$/);
    await readCheckpoint(join(folder, name));
  }
}

test(
  "a run whose disk gets full at any write says so once, loses nothing, and continues with the same bytes",
  { timeout: 3_600_000 },
  async () => {
    const { all } = settings;
    const started = performance.now();
    const folder = await temporaryFolder();
    const whole = await finished(join(folder, "whole"));
    const points = Array.from({ length: whole.changes }, (_, i) => i + 1);
    const every = all ? 1 : Math.ceil(points.length / POINTS);
    const cases = points
      .filter((point) => point % every === 0)
      .flatMap((at) =>
        (all ? (["full", "half-full"] as const) : (["half-full"] as const)).map((way) => ({ at, way })),
      );
    await inParallel(4, cases, async ({ at, way }) => {
      const run = join(folder, `${at}-${way}`);
      const { status, errors } = await runTypescript(script, [run, String(at), way]).ended();
      // The last changes of a run remove files, for which a full disk has room.
      if (status !== 0) {
        expect({ at, way, status, errors }).toMatchObject({
          status: 3,
          errors: expect.stringMatching(FULL) as string,
        });
        expect(errors.trimEnd().split("\n")).toHaveLength(1);
        expect(errors).toContain(run);
      }
      await checkCheckpoints(run);
      const { end, files } = await finished(run);
      expect({ at, way, end, files }).toEqual({ at, way, end: whole.end, files: whole.files });
    });
    report({
      kind: "full disk during a run",
      cases: cases.length,
      faults: 0,
      seconds: (performance.now() - started) / 1000,
      note: "one error each, no part of a file, the same bytes after the run was resumed",
    });
  },
);

test("a run on a real small disk stops with one error and continues when there is room", async (context) => {
  if (!settings.all) return context.skip("npm run torture alone does this, because it takes half a minute");
  const disk = await tinyDisk(24);
  if (disk === undefined) return context.skip("no right to mount a small file system here");
  const whole = await finished(join(await temporaryFolder(), "whole"));
  const run = join(disk, "run");
  const stops: string[] = [];
  for (let kibibytes = 24; ; kibibytes += 8) {
    execFileSync("mount", ["-o", `remount,size=${kibibytes}k`, disk]);
    const { status, errors } = await runTypescript(script, [run]).ended();
    await checkCheckpoints(run);
    if (status === 0) break;
    expect({ status, errors }).toMatchObject({ status: 3, errors: expect.stringMatching(FULL) as string });
    expect(errors).toContain(run);
    stops.push(errors);
  }
  expect(stops.length).toBeGreaterThan(1);
  expect((await finished(run)).files).toEqual(whole.files);
  report({
    kind: "small disk that grows",
    cases: stops.length,
    faults: 0,
    seconds: 0,
    note: "a real file system of 24 KiB, 8 KiB more after each stop",
  });
});

const CONTENT = "x".repeat(40_000);
const noise = (length: number): Uint8Array => {
  const random = new Random(1);
  return Uint8Array.from({ length }, () => random.integer(0, 256));
};

/** Everything that writes a file, with the name of the file. */
const WRITERS: Readonly<Record<string, readonly [name: string, write: (path: string) => Promise<unknown>]>> =
  {
    "report or text": ["report.html", (path) => writeFileAtomic(path, CONTENT)],
    safetensors: [
      "w.safetensors",
      (path) =>
        writeSafetensors(path, new Map([["w", { dtype: "U8", shape: [40_000], data: noise(40_000) }]])),
    ],
    "ONNX model": ["net.onnx", (path) => saveOnnx(path, model(), { externalData: false })],
    "values beside an ONNX model": ["net2.onnx", (path) => saveOnnx(path, model(), { externalData: true })],
    image: ["a.png", (path) => writePng(path, { width: 200, height: 100, data: noise(60_000) })],
    "result of a cell": ["result.json", (path) => writeCellResult(dirname(path), CONTENT)],
    "results of a robustness run": [
      "r.jsonl",
      async (path) => {
        const results = await openResults(path, { seed: 1 });
        try {
          results.append({ kind: "skipped", image: results.records.length, name: "a", reason: CONTENT });
        } finally {
          await results.close();
        }
      },
    ],
    download: [
      "d.bin",
      async (path) => {
        const bytes = Buffer.from(noise(40_000));
        const digest = createHash("md5").update(bytes).digest("hex");
        await download(await serve(ranged(bytes).listener, "d.bin"), path, {
          checksum: { algorithm: "md5", digest },
        });
      },
    ],
  };

function model() {
  const weight = parameter([10_000], zeros, { name: "weight" });
  const data = Float32Array.from(noise(10_000));
  return writeOnnx(
    { y: mul(input("x", [10_000]), weight) },
    { values: () => ({ dtype: "float32", shape: [10_000], data }) },
  );
}

/** Fills a disk but for some KiB. */
async function fill(disk: string, free: number): Promise<string> {
  const filler = join(disk, "filler");
  let size = 0;
  await writeFile(filler, "");
  for (;;) {
    const full = await appendFile(filler, new Uint8Array(4096)).then(
      () => false,
      () => true,
    );
    if (full) break;
    size += 4096;
  }
  await truncate(filler, size - 1024 * free);
  return filler;
}

/** The content of all files in a folder, by name. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const pairs = names.map(async (name) => [name, await readFile(join(folder, name), "latin1")]);
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, string>;
}

test("a full disk is one error for everything that writes, and keeps the old files", async (context) => {
  const disk = await tinyDisk(512);
  if (disk === undefined) return context.skip("no right to mount a small file system here");
  const started = performance.now();
  for (const [what, [name, write]] of Object.entries(WRITERS)) {
    const folder = join(disk, what.replaceAll(" ", "-"));
    const path = join(folder, name);
    await mkdir(folder);
    // A download replaces no file, and a results file must be one.
    if (what === "results of a robustness run") await write(path);
    else if (what !== "download") await writeFile(path, "old");
    const before = await contentsOf(folder);
    const filler = await fill(disk, 12);
    const error = await write(path).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect({ what, error }).toMatchObject({ error: expect.any(StriateError) as unknown });
    expect((error as Error).message).toMatch(FULL);
    expect((error as Error).message).toContain(path);
    const { [`${name}.part`]: part, ...after } = await contentsOf(folder);
    expect({ what, part: part !== undefined }).toEqual({ what, part: what === "download" });
    expect(after).toEqual(before);
    await unlink(filler);
    await write(path);
    const now = await contentsOf(folder);
    expect(now[name]).not.toBe(before[name]);
    expect(Object.keys(now).filter((file) => /striate-tmp|\.part$|lock/.test(file))).toEqual([]);
  }
  report({
    kind: "full disk, one file",
    cases: Object.keys(WRITERS).length,
    faults: 0,
    seconds: (performance.now() - started) / 1000,
    note: Object.keys(WRITERS).join(", "),
  });
});
