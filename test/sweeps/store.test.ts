import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CellChild } from "../../src/sweeps/cell-child.js";
import { putObject } from "../../src/sweeps/objects.js";
import { readSweep } from "../../src/sweeps/plan.js";
import { SweepStore } from "../../src/sweeps/store.js";
import { computeCell, openSweep } from "../../src/sweeps/worker.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";
import type { ToySweep } from "./toy-sweep.js";
import { TOY_CELLS, expectedResults, toySweep, until } from "./toy-sweep.js";

const KEY = "0123456789abcdef";
const facts = { name: "a cell", description: "fine", seconds: 3, processor: "a processor" };

/** The folder of a cell with a result, weights, and what is not to be stored. */
async function cellFolder(weights = "weights"): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "checkpoints"));
  for (const [name, text] of Object.entries({
    "result.json": "{}",
    "weights.safetensors": weights,
    "checkpoints/step-0001": "one",
    "run.lock.json": "{}",
    ".result.json.0123456789ab.striate-tmp": "half",
  }))
    await writeFile(join(folder, name), text);
  return folder;
}

async function emptyStore(): Promise<SweepStore> {
  return new SweepStore((await toySweep()).folder);
}

const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();

describe("the folder of a sweep", () => {
  it("keeps the files of a finished cell, once, and the first run of the cell counts", async () => {
    const store = await emptyStore();
    const first = await store.publish(KEY, await cellFolder(), facts);
    expect(first).toMatchObject({ isFirst: true, published: { description: "fine" } });
    expect(first.published.files.map(({ path }) => path)).toEqual(["result.json", "weights.safetensors"]);
    const objects = await filesOf(join(store.folder, "objects"));
    expect(objects).toHaveLength(2);
    // The same bytes again change nothing; other bytes do not count.
    const same = await store.publish(KEY, await cellFolder(), { ...facts, description: "again" });
    expect(same).toEqual({ isFirst: false, published: first.published });
    expect(await filesOf(join(store.folder, "objects"))).toEqual(objects);
    await store.publish(KEY, await cellFolder("others"), facts);
    const copy = await temporaryFolder();
    await store.fetch((await store.published(KEY))!, copy);
    expect(await readFile(join(copy, "weights.safetensors"), "utf8")).toBe("weights");
    expect(await filesOf(copy)).toEqual(["result.json", "weights.safetensors"]);
  });

  it("notices what was damaged: an object, the list of a cell's files, the plan", async () => {
    const store = await emptyStore();
    const { published } = await store.publish(KEY, await cellFolder(), facts);
    const [object] = (await filesOf(join(store.folder, "objects"))).filter((name) =>
      name.endsWith(published.files[1]!.sha256),
    );
    await writeFile(join(store.folder, "objects", object!), "weighty");
    await expect(store.fetch(published, await temporaryFolder())).rejects.toThrow(
      /is damaged: expected 7 bytes with the SHA-256 [0-9a-f]{64}, got 7 bytes with [0-9a-f]{64}/,
    );
    const path = join(store.folder, "published", `${KEY}.json`);
    await writeFile(path, (await readFile(path, "utf8")).replace("fine", "best"));
    await expect(store.published(KEY)).rejects.toThrow(`"${path}" was changed or is damaged`);
    const plan = join(store.folder, "sweep.json");
    await writeFile(plan, (await readFile(plan, "utf8")).replace('"seeds":[1]', '"seeds":[2]'));
    await expect(readSweep(store.folder)).rejects.toThrow(`"${plan}" was changed or is damaged`);
  });

  it("is refused if it is another sweep, no sweep, or one of other software", async () => {
    const { folder, plan } = await toySweep();
    await expect(openSweep(folder, "toy-smoke-00000000")).rejects.toThrow(
      `"${folder}": expected the sweep toy-smoke-00000000, got ${plan.id}`,
    );
    const empty = await temporaryFolder();
    await expect(openSweep(empty)).rejects.toThrow(
      `"${empty}": expected the folder of a sweep, found no sweep.json in it`,
    );
    const other = await toySweep();
    const path = join(other.folder, "sweep.json");
    const { createHash } = await import("node:crypto");
    const text = JSON.stringify({ ...other.plan, software: { ...other.plan.software, striate: "9.9.9" } });
    await writeFile(path, `{"sha256":"${createHash("sha256").update(text).digest("hex")}","plan":${text}}`);
    await expect(openSweep(other.folder)).rejects.toThrow(
      /: expected striate 9\.9\.9 .*, got striate 0\.1\.0 .* must not be mixed/,
    );
  });

  it("keeps two checkpoints of an unfinished cell, and gives the newest to the next attempt", async () => {
    const store = await emptyStore();
    const folder = await cellFolder();
    const first = await store.begin(KEY);
    expect(await first.isNewer(folder)).toBe(true);
    for (const step of ["one", "two", "three"]) {
      await writeFile(join(folder, "checkpoints/step-0001"), step);
      expect(await first.save(folder, 5)).toBe(true);
      expect(await first.isNewer(folder)).toBe(false);
    }
    // The result and the weights, and the checkpoint in its last two versions.
    expect(await filesOf(join(store.folder, "unfinished", KEY, "objects"))).toHaveLength(4);
    const second = await store.begin(KEY);
    expect(second.secondsBefore).toBe(5);
    const copy = await temporaryFolder();
    await second.restore(copy);
    expect(await readFile(join(copy, "checkpoints/step-0001"), "utf8")).toBe("three");
    expect(await second.isNewer(copy)).toBe(false);
    // The attempt that lost the cell changes nothing any more.
    await writeFile(join(folder, "checkpoints/step-0001"), "late");
    expect(await first.save(folder, 9)).toBe(false);
    expect(await store.unfinished(KEY)).toMatchObject({ seconds: 5 });
  });

  it("on a full or read-only disk is one error, and nothing half is left", async () => {
    const full = await tinyDisk(64);
    if (full === undefined) return;
    const source = join(await temporaryFolder(), "large");
    await writeFile(source, Buffer.alloc(200_000));
    await expect(putObject(join(full, "objects"), source, "large")).rejects.toThrow(/the disk is full/);
    expect(await filesOf(full)).toEqual([]);
    const fixed = await tinyDisk(64, { readOnly: true });
    await expect(putObject(join(fixed!, "objects"), source, "large")).rejects.toThrow(/read-only/);
  });
});

/** Computes the only cell of a sweep with a process and a scratch folder of its own. */
async function attempt(sweep: ToySweep, how: { readonly signal?: AbortSignal } = {}) {
  const child = new CellChild(TOY_CELLS);
  const notes: string[] = [];
  try {
    const outcome = await computeCell(sweep, sweep.plan.cells[0]!.key, {
      child,
      folder: await temporaryFolder(),
      signal: how.signal ?? new AbortController().signal,
      isLast: true,
      onNote: (line) => notes.push(line),
    });
    return { outcome, notes };
  } finally {
    child.kill();
  }
}

describe("two machines on one cell", () => {
  it("publish the same bytes, and one counts, even if neither notices the other", async () => {
    // Without checkpoints, at which a machine would notice the other one.
    const sweep = await toySweep({ cells: ["together"], steps: 0 });
    const both = await Promise.all([attempt(sweep), attempt(sweep)]);
    expect(await sweep.lines("end")).toHaveLength(2);
    expect(both.map(({ outcome }) => outcome.kind)).toEqual(["finished", "finished"]);
    expect(both.filter(({ outcome }) => outcome.kind === "finished" && outcome.computed)).toHaveLength(1);
    expect(await sweep.results()).toEqual(await expectedResults(sweep));
    expect(await sweep.store.finished()).toEqual(new Set([sweep.plan.cells[0]!.key]));
    expect(await readdir(join(sweep.folder, "unfinished"))).toEqual([]);
    // A third attempt computes nothing.
    expect((await attempt(sweep)).outcome).toMatchObject({ kind: "finished", computed: false });
    expect(await sweep.lines("start")).toHaveLength(2);
  });

  it("are one, as soon as the first sees that the second has taken over", async () => {
    const sweep = await toySweep({ steps: 30, milliseconds: 200 });
    const first = attempt(sweep);
    await until(async () => (await sweep.lines("step")).length >= 2);
    const stop = new AbortController();
    const second = attempt(sweep, { signal: stop.signal });
    expect((await first).outcome).toEqual({ kind: "lost" });
    expect((await first).notes).toEqual(["first/seed1: another worker has taken over this cell"]);
    stop.abort();
    expect((await second).outcome).toEqual({ kind: "stopped" });
  });
});

describe("a cell", () => {
  it("whose process is ended fails with the reason", async () => {
    const sweep = await toySweep({ cells: ["dying"] });
    const { outcome, notes } = await attempt(sweep);
    const message = "the process of the cell was ended by SIGKILL; was the memory used up?";
    expect(outcome).toEqual({ kind: "failed", message, mayPass: true });
    expect(notes).toEqual([`dying/seed1: failed, ${message}`]);
    expect(await sweep.store.failure(sweep.plan.cells[0]!.key)).toMatchObject({
      message,
      name: "dying/seed1",
    });
  });

  it("has the threads of its sweep on every machine", async () => {
    const sweep = await toySweep({}, { threads: 3 });
    await attempt(sweep);
    expect((await sweep.results())["first/seed1"]).toMatch(/ on 3$/);
  });
});
