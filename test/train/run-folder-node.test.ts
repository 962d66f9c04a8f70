import { appendFile, mkdir, readdir, readFile, rmdir, truncate, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { checkpointsToRemove } from "../../src/train/run/checkpoint-files.js";
import { checkpointPath, listCheckpoints } from "../../src/train/run/checkpoint-node.js";
import type { Checkpoint } from "../../src/train/run/checkpoint-format.js";
import { readMetrics } from "../../src/train/run/metrics-file-node.js";
import { cutMetrics } from "../../src/train/metrics.js";
import { openRunFolder } from "../../src/train/run/run-folder-node.js";
import type { RunFolder, RunFolderOptions } from "../../src/train/run/run-folder-node.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";

const config = { lr: 0.1 };
const trainForever = new URL("./train-forever.ts", import.meta.url);

function state(step: number, size = 3): Omit<Checkpoint, "config"> {
  const data = new Float32Array(size).fill(step);
  return { step, epoch: 1, seed: 7, tensors: new Map([["param.w", { dtype: "F32", shape: [size], data }]]) };
}

async function open(path: string, options: Partial<RunFolderOptions> = {}): Promise<RunFolder> {
  const onWarning = (message: string): void => {
    throw new Error(`unexpected warning: ${message}`);
  };
  return openRunFolder(path, { config, resume: true, onWarning, ...options });
}

describe("begin and resume", () => {
  test("a fresh folder holds the config, the metrics and the checkpoints, and goes on from the newest", async () => {
    const path = join(await temporaryFolder(), "runs", "first");
    const run = await open(path, { resume: false });
    expect(run.resumed).toBe(false);
    expect(run.checkpoint).toBeUndefined();
    run.appendMetrics({ step: 1, loss: 0.5 });
    await run.saveCheckpoint(state(1));
    run.appendMetrics({ step: 2, loss: NaN, note: "line\nbreak" });
    await run.close();
    await run.close();
    expect(JSON.parse(await readFile(join(path, "config.json"), "utf8"))).toEqual(config);
    expect(await readMetrics(run.file("metrics.jsonl"))).toEqual([
      { step: 1, loss: 0.5 },
      { step: 2, loss: null, note: "line\nbreak" },
    ]);
    expect((await readdir(path)).sort()).toEqual(["checkpoints", "config.json", "metrics.jsonl"]);
    expect(() => {
      run.appendMetrics({ step: 3 });
    }).toThrow(/is closed/);

    const again = await open(path);
    expect(again.resumed).toBe(true);
    expect(again.checkpoint).toMatchObject({ step: 1, epoch: 1, seed: 7, config });
    expect(again.checkpoint?.tensors.get("param.w")?.data).toEqual(Float32Array.of(1, 1, 1));
    expect(await readMetrics(again.file("metrics.jsonl"))).toEqual([{ step: 1, loss: 0.5 }]);
    await again.close();
  });

  test("a folder with a run is not begun again by accident", async () => {
    const path = await temporaryFolder();
    await (await open(path)).close();
    await expect(open(path, { resume: false })).rejects.toThrow(
      /already holds a run. Resume it, or choose another/,
    );
    await (await open(path)).close();
  });

  test("another config names the first key that differs", async () => {
    const path = await temporaryFolder();
    const first = { model: { kernel: 13, channels: [8, 32] }, lr: 0.1 };
    await (await open(path, { config: first })).close();
    const changed = (changes: object): Promise<unknown> => open(path, { config: { ...first, ...changes } });
    await expect(changed({ lr: 0.2 })).rejects.toThrow(/config.json has lr = 0.1, this run 0.2/);
    await expect(changed({ model: { kernel: 13, channels: [8, 64] } })).rejects.toThrow(
      /model.channels\[1\] = 32, this run 64/,
    );
    await expect(changed({ epochs: 3 })).rejects.toThrow(/epochs = \(nothing\), this run 3/);
    await (await open(path, { config: { lr: 0.1, model: { channels: [8, 32], kernel: 13 } } })).close();
    await writeFile(join(path, "config.json"), '{"lr": 0.1');
    await expect(open(path)).rejects.toThrow(/config.json" is not valid JSON/);
  });

  test("checkpoints without a config are not overwritten; a file is no folder", async () => {
    const path = await temporaryFolder();
    await mkdir(join(path, "checkpoints"));
    await writeFile(checkpointPath(join(path, "checkpoints"), 5), "x");
    await expect(open(path)).rejects.toThrow(/holds checkpoints but no config.json/);
    await expect(open(join(path, "checkpoints", "step-00000005.safetensors"))).rejects.toThrow(
      /a part of the path is a file/,
    );
  });

  test("a full disk keeps the run as it was", async (context) => {
    const disk = await tinyDisk(256);
    if (disk === undefined) return context.skip("no right to mount a small file system here");
    const run = await open(join(disk, "run"));
    run.appendMetrics({ step: 1 });
    await run.saveCheckpoint(state(1));
    await expect(run.saveCheckpoint(state(2, 100_000))).rejects.toThrow(
      /step-00000002.safetensors": the disk is full/,
    );
    expect(await readdir(run.file("checkpoints"))).toEqual(["step-00000001.safetensors"]);
    expect(() => {
      for (let step = 2; ; step++) run.appendMetrics({ step, text: "x".repeat(1000) });
    }).toThrow(/metrics.jsonl": the disk is full/);
    const rows = await readMetrics(run.file("metrics.jsonl"));
    expect(rows.length).toBeGreaterThan(50);
    await run.close();
    const again = await open(join(disk, "run"));
    expect(again.checkpoint?.step).toBe(1);
    await again.close();
  });
});

describe("metrics", () => {
  test("a half-written end and later steps go, all else stays", () => {
    const text = '{"step":1}\n{"step":2,"loss":1}\n{"step":3}\n{"ste';
    expect(cutMetrics(text, 2)).toBe('{"step":1}\n{"step":2,"loss":1}\n');
    expect(cutMetrics(text, 9)).toBe('{"step":1}\n{"step":2,"loss":1}\n{"step":3}\n');
    expect(cutMetrics(text, -1)).toBe("");
    expect(cutMetrics('{"step":1}\n', 1)).toBeUndefined();
    expect(cutMetrics("", 1)).toBeUndefined();
    // A complete object without its newline may be a number cut short: 12 of 120.
    expect(cutMetrics('{"step":1}\n{"step":2}', 9)).toBe('{"step":1}\n');
    // After a power cut, a file can end in blocks that were never written.
    expect(cutMetrics('{"step":1}\n\0\0\0\n\0\0', 9)).toBe('{"step":1}\n');
    expect(() => cutMetrics('{"step":1}\nnonsense\n{"step":2}\n', 9, "m")).toThrow(
      /"m" line 2 is not a JSON object/,
    );
  });

  test("lines out of order and bytes that are no text are handled too", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    await run.saveCheckpoint(state(2));
    await run.close();
    const line = '{"step":2,"ü":1}\n';
    await writeFile(join(path, "metrics.jsonl"), `{"step":1}\n{"step":3}\n${line}{"step":4}\n`);
    await (await open(path)).close();
    expect(await readFile(join(path, "metrics.jsonl"), "utf8")).toBe(`{"step":1}\n${line}`);
    await writeFile(
      join(path, "metrics.jsonl"),
      Buffer.concat([Buffer.from(line), Buffer.of(0xff, 0x0a, 0xc3)]),
    );
    const again = await open(path);
    again.appendMetrics({ step: 3 });
    await again.close();
    expect(await readFile(join(path, "metrics.jsonl"), "utf8")).toBe(`${line}{"step":3}\n`);
  });

  test("rows need a step", async () => {
    const run = await open(await temporaryFolder());
    expect(() => {
      run.appendMetrics({ step: 0.5 });
    }).toThrow("metrics row: step: expected a whole number from 0 to 9007199254740991, got 0.5");
    await run.close();
  });
});

describe("checkpoints", () => {
  test("the newest and the best stay", async () => {
    expect(checkpointsToRemove([50, 10, 20, 40, 30], 2, 20)).toEqual([10, 30]);
    const path = await temporaryFolder();
    let run = await open(path, { keepLast: 2 });
    const scores = [0.1, 0.9, 0.3, 0.9, 0.2];
    for (const [i, score] of scores.entries()) await run.saveCheckpoint({ ...state(i + 1), score });
    expect(run.bestCheckpoint()).toEqual({ step: 2, score: 0.9 });
    expect(await listCheckpoints(run.file("checkpoints"))).toEqual([2, 4, 5]);
    await run.close();
    run = await open(path, { keepLast: 1 });
    expect(run.bestCheckpoint()).toEqual({ step: 2, score: 0.9 });
    await run.saveCheckpoint({ ...state(6), score: 0.95 });
    expect(await listCheckpoints(run.file("checkpoints"))).toEqual([6]);
    await expect(run.saveCheckpoint({ ...state(7), score: NaN })).rejects.toThrow(
      "The score of the checkpoint at step 7: expected a number, got NaN",
    );
    await run.close();
  });

  test("at least one stays", async () => {
    await expect(open(await temporaryFolder(), { keepLast: 0 })).rejects.toThrow(
      /keepLast: expected a whole number of at least 1, got/,
    );
  });

  test("ones with NaN or an infinity are set aside: the run continues from the last finite one", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    await run.saveCheckpoint(state(1));
    const tensors = new Map([
      ["optimizer.v", { dtype: "F32" as const, shape: [2], data: Float32Array.of(1, Infinity) }],
    ]);
    await run.saveCheckpoint({ ...state(2), tensors });
    await run.close();
    const warnings: string[] = [];
    const again = await open(path, { onWarning: (message) => warnings.push(message) });
    expect(again.checkpoint?.step).toBe(1);
    expect(warnings[0]).toMatch(/expected finite numbers in "optimizer.v", got Infinity/);
    await again.close();
  });

  test("truncated ones are skipped with a warning and set aside; metrics go back to the good one", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    for (const step of [1, 2, 3]) {
      run.appendMetrics({ step });
      await run.saveCheckpoint({ ...state(step), score: step });
    }
    await run.close();
    const folder = run.file("checkpoints");
    await truncate(checkpointPath(folder, 3), 100);
    await truncate(checkpointPath(folder, 2), 0);
    const warnings: string[] = [];
    const again = await open(path, { onWarning: (message) => warnings.push(message) });
    expect(again.checkpoint?.step).toBe(1);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^Skipped a damaged checkpoint, now ".*3.safetensors.damaged". .* is truncated/,
    );
    expect(warnings[1]).toMatch(/2.safetensors" is empty/);
    expect(await readMetrics(again.file("metrics.jsonl"))).toEqual([{ step: 1 }]);
    expect(again.bestCheckpoint()).toEqual({ step: 1, score: 1 });
    await again.saveCheckpoint({ ...state(2), score: 3 });
    expect(again.bestCheckpoint()).toEqual({ step: 2, score: 3 });
    await again.close();
    expect((await readdir(folder)).filter((name) => name.endsWith(".damaged"))).toHaveLength(2);
  });

  test("when every checkpoint is damaged, nothing is thrown away", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    run.appendMetrics({ step: 1 });
    await run.saveCheckpoint(state(1));
    await run.close();
    await truncate(checkpointPath(run.file("checkpoints"), 1), 50);
    await expect(open(path)).rejects.toThrow(/None of the 1 checkpoints in ".*" can be used. .*truncated/);
    expect(await readMetrics(run.file("metrics.jsonl"))).toEqual([{ step: 1 }]);
    expect(await listCheckpoints(run.file("checkpoints"))).toEqual([1]);
  });

  test("a checkpoint under a wrong name is not used", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    await run.saveCheckpoint(state(1));
    const bytes = await readFile(checkpointPath(run.file("checkpoints"), 1));
    await run.close();
    await writeFile(checkpointPath(run.file("checkpoints"), 9), bytes);
    const warnings: string[] = [];
    const again = await open(path, { onWarning: (message) => warnings.push(message) });
    expect(again.checkpoint?.step).toBe(1);
    expect(warnings[0]).toMatch(/is of step 1, its name says 9/);
    await again.close();
  });
});

describe("one process at a time", () => {
  test("a second opening in this process and a second process get one clear error", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    await expect(open(path)).rejects.toThrow(
      new RegExp(`in use by process ${process.pid} on .* choose another folder`),
    );
    const child = runTypescript(trainForever, [path]);
    const { status, errors } = await child.ended();
    expect(errors).toMatch(
      new RegExp(`StriateError: The run folder ".*" is in use by process ${process.pid} on`),
    );
    expect(status).toBe(1);
    run.appendMetrics({ step: 1 });
    await run.close();
    await (await open(path)).close();
  });

  test("a process that another one keeps out does not free the folder when it ends", async () => {
    const path = await temporaryFolder();
    const child = runTypescript(trainForever, [path]);
    expect(await child.nextLine()).toBe("open 0");
    await expect(open(path)).rejects.toThrow(new RegExp(`in use by process ${child.pid} `));
    await expect(open(path)).rejects.toThrow(new RegExp(`in use by process ${child.pid} `));
    await child.kill();
  });

  test("after a SIGKILL, the folder opens again within seconds", async () => {
    const path = await temporaryFolder();
    const child = runTypescript(trainForever, [path]);
    expect(await child.nextLine()).toBe("open 0");
    await child.kill();
    const began = performance.now();
    const warnings: string[] = [];
    const run = await open(path, { onWarning: (message) => warnings.push(message) });
    expect(performance.now() - began).toBeLessThan(9_000);
    expect(warnings).toEqual([expect.stringMatching(/^Waiting for the lock that a stopped process left/)]);
    run.appendMetrics({ step: 1 });
    await run.close();
  });

  test("of two that wait for a killed one's lock, exactly one gets it", async () => {
    const path = await temporaryFolder();
    const child = runTypescript(trainForever, [path]);
    await child.nextLine();
    await child.kill();
    // Whoever gets it keeps it until the other has been told.
    const outcomes = await Promise.allSettled([open(path, { onWarning: () => undefined }), runSecond(path)]);
    const results = outcomes.map((outcome) => {
      if (outcome.status === "fulfilled") return "opened";
      return String(outcome.reason).includes("is in use by") ? "in use" : String(outcome.reason);
    });
    for (const outcome of outcomes) if (outcome.status === "fulfilled") await outcome.value.close();
    expect(results.sort()).toEqual(["in use", "opened"]);
  });

  /** A lock last touched so many seconds ago by this process id on that host. */
  async function leaveLock(path: string, seconds: number, owner: object): Promise<string> {
    const lock = join(path, "run.lock");
    await mkdir(lock);
    await writeFile(join(path, "run.lock.json"), JSON.stringify({ since: "yesterday", ...owner }));
    const time = new Date(Date.now() - 1000 * seconds);
    await utimes(lock, time, time);
    return lock;
  }

  test("a lock of another machine counts while it is touched, and no longer", async () => {
    const path = await temporaryFolder();
    const elsewhere = { pid: 1, host: "elsewhere.example" };
    const lock = await leaveLock(path, 1, elsewhere);
    const touching = setInterval(() => void utimes(lock, new Date(), new Date()), 100);
    await expect(open(path, { onWarning: () => undefined })).rejects.toThrow(
      /process 1 on elsewhere.example since/,
    );
    clearInterval(touching);
    await sleep(300);
    const time = new Date(Date.now() - 11_000);
    await utimes(lock, time, time);
    await (await open(path)).close();
  });

  test.runIf(process.platform === "linux")(
    "a process id that was used again does not count as the holder",
    async () => {
      const path = await temporaryFolder();
      await leaveLock(path, 4, { pid: process.pid, host: hostname(), started: "1" });
      await (await open(path)).close();
    },
  );

  test("a busy holder keeps its lock, also when it did not touch it for long", async () => {
    const path = await temporaryFolder();
    await leaveLock(path, 30, { pid: process.ppid, host: hostname() });
    await expect(open(path)).rejects.toThrow(new RegExp(`in use by process ${process.ppid} `));
  });

  test("a holder whose lock was taken over writes no more and leaves the new lock alone", async () => {
    const path = await temporaryFolder();
    const run = await open(path);
    await rmdir(join(path, "run.lock"));
    await leaveLock(path, 0, { pid: 1, host: "elsewhere.example" });
    await sleep(2_500);
    expect(() => {
      run.appendMetrics({ step: 1 });
    }).toThrow(/Another process has taken over the run folder/);
    await expect(run.saveCheckpoint(state(1))).rejects.toThrow(/taken over/);
    await run.close();
    expect(await readdir(path)).toContain("run.lock");
  });

  test("killed while it writes, again and again: what is found is always whole", async () => {
    const path = await temporaryFolder();
    let last = 0;
    const warnings: string[] = [];
    for (const delay of [60, 110]) {
      const child = runTypescript(trainForever, [path, "train"]);
      const opened = await child.nextLine();
      expect(Number(opened?.split(" ")[1])).toBeGreaterThanOrEqual(last);
      const line = await child.nextLine();
      const saved = Number(line?.split(" ")[1]);
      await sleep(delay);
      await child.kill();
      await appendFile(join(path, "metrics.jsonl"), '{"step":99');
      await writeFile(
        join(path, "checkpoints", ".step-9.safetensors.0123456789ab.striate-tmp"),
        "left behind",
      );
      const run = await open(path, {
        keepLast: 2,
        onWarning: (message) => warnings.push(message),
      });
      const step = run.checkpoint?.step ?? -1;
      expect(step).toBeGreaterThanOrEqual(saved);
      expect(run.checkpoint?.tensors.get("param.w")?.data).toEqual(new Float32Array(100_000).fill(step));
      const rows = await readMetrics(run.file("metrics.jsonl"));
      expect(rows.map((row) => row.step)).toEqual(Array.from({ length: step }, (_, i) => i + 1));
      const names = await readdir(run.file("checkpoints"));
      expect(names.filter((name) => !/^(step-\d{8}\.safetensors|best\.json)$/.test(name))).toEqual([]);
      last = step;
      await run.close();
    }
    expect(warnings.filter((message) => !message.startsWith("Waiting for the lock"))).toEqual([]);
  });
});

/** A second process that wants the folder, as a promise like {@link open}'s. */
async function runSecond(path: string): Promise<{ close(): Promise<void> }> {
  const child = runTypescript(trainForever, [path]);
  const line = await child.nextLine();
  if (line === undefined) throw new Error((await child.ended()).errors);
  return { close: () => child.kill() };
}
