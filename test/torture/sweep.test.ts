import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/folders.js";
import { hasService, startRedis } from "../sweeps/services.js";
import { report, settings } from "./settings.js";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const KILL_EVERY = 20_000;

/** Runs a command of the built Striate. Gives what it printed, and its seconds on the CPU with those of its children. */
async function striate(words: readonly string[], queue?: string) {
  // The shell's `time` counts the processes of the cells, too.
  const script = 'TIMEFORMAT="cpu %U %S"; time "$@"';
  const child = spawn("bash", ["-c", script, "striate", process.execPath, MAIN, ...words], {
    env: { ...process.env, STRIATE_QUEUE: queue },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  await once(child, "close");
  const [, user = "NaN", system = "NaN"] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(err) ?? [];
  return { status: child.exitCode, out, err, cpu: Number(user) + Number(system) };
}

/** What decides nothing: the durations, which differ between any two runs. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== "object" || value === null) return value;
  const times = ["seconds", "imagesPerSecond", "provenance", "out"];
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !times.includes(key))
      .map(([key, inner]) => [key, withoutTimes(inner)]),
  );
}

/** The results and the trained weights of all cells of a run folder. */
async function resultsIn(out: string): Promise<Record<string, unknown>> {
  const cells = await readdir(join(out, "cells"));
  const entries = cells.sort().map(async (key) => {
    const folder = join(out, "cells", key);
    const { result } = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as { result: unknown };
    const weights = (await readdir(folder)).filter((name) => /\.(safetensors|onnx)$/.test(name)).sort();
    const bytes = await Promise.all(
      weights.map(async (name) =>
        createHash("sha256")
          .update(await readFile(join(folder, name)))
          .digest("hex"),
      ),
    );
    return [key, [withoutTimes(result), weights, bytes]] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The tables of a report on the terminal, without the line that has the wall time. */
const tables = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !line.includes("training images, ") && !/^(report|results) /.test(line))
    .join("\n")
    .split("\nSee such a network")[0]!
    .trim();

const options = [
  "--scale",
  "smoke",
  ...(settings.all ? ["--seeds", "3"] : ["--cells", "digits2/pretrained/*"]),
];

describe.skipIf(!hasService("redis"))("the cells of an experiment", () => {
  it("give the same results from a queue as from the local pool, byte for byte", async () => {
    const began = performance.now();
    const service = await startRedis("--appendonly", "yes");
    const root = await temporaryFolder();
    try {
      // A cell has one thread in the queue, and here if there are as many cells as threads.
      const threads = settings.all ? "2" : "1";
      const local = await striate([
        "run",
        "synchrony",
        ...options,
        "--threads",
        threads,
        "--out",
        join(root, "local"),
      ]);
      expect(local.status).toBe(0);
      const expected = await resultsIn(join(root, "local"));
      const submit = async (name: string): Promise<string> => {
        const folder = join(root, name);
        const submitted = await striate(
          ["sweep", "submit", "synchrony", ...options, "--folder", folder],
          service.url,
        );
        expect(submitted.err).not.toContain("error");
        expect(submitted.status).toBe(0);
        return folder;
      };
      const collect = async (folder: string): Promise<void> => {
        const status = await striate(["sweep", "status", folder], service.url);
        expect(status.out).toMatch(/(\d+) of \1 cells are finished/);
        const collected = await striate(["sweep", "collect", folder, "--out", join(folder, "report")]);
        expect(collected.status).toBe(0);
        expect(tables(collected.out)).toBe(tables(local.out));
        expect(await resultsIn(join(folder, "report"))).toEqual(expected);
      };

      const calm = await submit("calm");
      const worker = await striate(["worker", "--jobs", "2", "--until-empty"], service.url);
      expect(worker.status).toBe(0);
      await collect(calm);
      const cells = Object.keys(expected).length;
      const overhead = (100 * (worker.cpu - local.cpu)) / local.cpu;
      report({
        kind: "cells from a queue",
        cases: cells,
        faults: 0,
        seconds: (performance.now() - began) / 1000,
        note: `CPU time: local pool ${local.cpu.toFixed(1)} s, queue ${worker.cpu.toFixed(1)} s (${overhead.toFixed(1)} % more)`,
      });
      if (!settings.all) return;

      const wild = await submit("wild");
      const killed = await wildWorkers(service.url);
      await collect(wild);
      report({
        kind: "cells from a queue, workers killed",
        cases: cells,
        faults: 0,
        seconds: (performance.now() - began) / 1000,
        note: `3 workers, one killed every 20 s, ${killed.kills} in all; ${killed.ends} results told by workers`,
      });
      // No cell is finished twice: a worker may be killed after it has stored a result, and before it tells so.
      expect(killed.ends).toBeLessThanOrEqual(cells);
    } finally {
      await service.stop();
    }
  }, 3_600_000);
});

/** Three workers, of which one is killed and replaced every 20 s. */
async function wildWorkers(queue: string): Promise<{ kills: number; ends: number }> {
  let [kills, ends, calm] = [0, 0, false];
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [MAIN, "worker", "--jobs", "1", "--lease", "3", "--until-empty"], {
      env: { ...process.env, STRIATE_QUEUE: queue },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
      const lines = errors.split("\n");
      errors = lines.pop()!;
      ends += lines.filter((line) => line.includes(", in ") && !line.includes("finished already")).length;
    });
    return child;
  };
  let workers = [start(), start(), start()];
  const timer = setInterval(() => {
    const victim = workers.shift();
    if (calm || victim?.exitCode !== null) return;
    victim.kill("SIGKILL");
    kills += 1;
    workers.push(start());
  }, KILL_EVERY);
  for (; workers.some(({ exitCode, signalCode }) => exitCode === null && signalCode === null);)
    await new Promise((resolve) => setTimeout(resolve, 500));
  calm = true;
  clearInterval(timer);
  workers = [];
  return { kills, ends };
}
