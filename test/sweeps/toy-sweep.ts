import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSweep, optionsOf } from "../../src/sweeps/plan.js";
import type { SweepRun } from "../../src/sweeps/plan.js";
import type { WorkQueue } from "../../src/sweeps/queue/cell-queue.js";
import type { OpenSweep, WorkerOptions } from "../../src/sweeps/worker.js";
import { runWorker } from "../../src/sweeps/worker.js";
import { SweepStore } from "../../src/sweeps/store.js";
import type { Child } from "../support/child.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";
import type { ToyData } from "./toy.js";
import { toy } from "./toy.js";

/** The file that computes cells of the toy. */
export const TOY_CELLS = new URL("./toy-cells.mjs", import.meta.url);

export interface ToySweep extends OpenSweep {
  readonly folder: string;
  readonly run: SweepRun;
  /** What the cells have written: "start NAME STEP PROCESS" and the like. */
  lines(what?: string): Promise<string[]>;
  /** The states of the results by name. */
  results(): Promise<Record<string, string>>;
}

/** Plans a sweep of the toy in a new folder. */
export async function toySweep(
  data: Partial<Omit<ToyData, "log">> = {},
  options: Partial<SweepRun> = {},
): Promise<ToySweep> {
  const root = await temporaryFolder();
  const log = join(root, "log.txt");
  const given: ToyData = { log, cells: ["first"], steps: 2, milliseconds: 10, ...data };
  const run: SweepRun = {
    experiment: "toy",
    scale: "smoke",
    seeds: [1],
    device: "cpu",
    threads: 1,
    data: JSON.stringify(given),
    ...options,
  };
  const folder = join(root, "shared");
  const planned = await toy.open(optionsOf(run, folder, new AbortController().signal));
  const plan = await createSweep(folder, run, planned);
  const store = new SweepStore(folder);
  return {
    plan,
    store,
    folder,
    run,
    lines: async (what = "") => {
      const text = await readFile(log, "utf8").catch(() => "");
      return text.split("\n").filter((line) => line !== "" && line.startsWith(what));
    },
    results: async () => {
      const cells = await Promise.all(
        plan.cells.map(
          async ({ key, name }) => [name, (await store.published(key))?.description ?? "none"] as const,
        ),
      );
      return Object.fromEntries(cells);
    },
  };
}

/** The results that the toy's cells have in a run on this machine alone. */
export async function expectedResults({ run, plan }: ToySweep): Promise<Record<string, string>> {
  const out = await temporaryFolder();
  const { signal } = new AbortController();
  const log = join(out, "log.txt");
  const data = JSON.stringify({ ...(JSON.parse(run.data!) as ToyData), log, milliseconds: 1 });
  const given = { ...run, data };
  const open = await toy.open(optionsOf(given, out, signal));
  const results: Record<string, string> = {};
  for (const { key, name } of open.cells)
    results[name] = (await open.runCell(key, { signal, onProgress: () => undefined }))!;
  if (open.cells.length !== plan.cells.length) throw new Error("another plan");
  return results;
}

/** Starts a worker in a process of its own, and waits until it is connected. */
export async function startWorker(url: string, options: object = {}): Promise<Child & { lines: string[] }> {
  const child = runTypescript(new URL("./toy-worker.ts", import.meta.url), [url, JSON.stringify(options)]);
  const first = await child.nextLine();
  if (first !== "ready") throw new Error(`the worker said ${first ?? (await child.ended()).errors}`);
  const lines: string[] = [];
  void (async () => {
    for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine())
      lines.push(line);
  })();
  return Object.assign(child, { lines });
}

/** A worker in this process. */
export interface WorkerHere {
  readonly lines: readonly string[];
  /** Asks the worker to stop, as SIGTERM does. */
  stop(): void;
  /** Resolves when the worker has ended; with its error if there was one. */
  readonly ended: Promise<string | undefined>;
}

/** Starts a worker in this process, which ends when the queue is empty. The cells have processes of their own. */
export function workHere(queue: WorkQueue, options: Partial<WorkerOptions> = {}): WorkerHere {
  const controller = new AbortController();
  const lines: string[] = [];
  const ended = runWorker(queue, {
    jobs: 1,
    leaseSeconds: 2,
    waitSeconds: 1,
    untilEmpty: true,
    signal: controller.signal,
    onNote: (line) => lines.push(line),
    entry: TOY_CELLS,
    ...options,
  }).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  return {
    lines,
    stop: () => {
      controller.abort();
    },
    ended,
  };
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether a process lives; one that has ended but was not waited for does not. */
export async function lives(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text !== undefined && text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3) !== "Z";
}
