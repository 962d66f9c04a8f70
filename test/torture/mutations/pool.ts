import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Mutated, Report } from "./outcome.js";

const hooks = new URL("../../support/typescript-hooks.mjs", import.meta.url);
const script = new URL("./child.ts", import.meta.url);
const all = new URL("./samples.ts", import.meta.url);

/** Seconds of computing after which a mutation counts as a hang. */
const COMPUTING = 5;
/** Seconds of waiting after which it does, on a machine that may be busy with other work. */
const WAITING = 30;
/** Seconds for a process to start and to read every sample once. */
const START = 120;

export interface MutationRun {
  /** The module whose function `samples` makes the samples. Default: those of all readers. */
  readonly module?: URL;
  /** Folder for the files. */
  readonly folder: string;
  readonly seed: number;
  readonly from: number;
  readonly end: number;
  /** Only every n-th round over the samples is made. Default 1. */
  readonly every?: number;
}

/**
 * Damages and reads files in another process. If the process crashes or hangs, that is the outcome of the mutation, and
 * another process continues with the next one.
 */
export async function runMutations(run: MutationRun): Promise<readonly Mutated[]> {
  const mutated: Mutated[] = [];
  for (let { from } = run; from < run.end;) {
    const part = await runUntilStopped({ ...run, from });
    mutated.push(...part.mutated);
    if (part.stopped === undefined) break;
    mutated.push(part.stopped);
    from = part.stopped.number + 1;
  }
  return mutated;
}

interface Part {
  readonly mutated: readonly Mutated[];
  /** The mutation at which the process crashed or hung. */
  readonly stopped?: Mutated;
}

async function runUntilStopped(run: MutationRun): Promise<Part> {
  const { module = all, folder, seed, from, end, every = 1 } = run;
  const numbers = [seed, from, end, every].map(String);
  const child = spawn(
    process.execPath,
    ["--import", hooks.href, script.pathname, module.href, folder, ...numbers],
    // Without a limit of arenas, every thread that allocates reserves addresses that look like memory taken.
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, MALLOC_ARENA_MAX: "2" } },
  );
  const ended = new Promise<string>((resolve) => {
    child.once("close", (status, signal) => {
      resolve(signal ?? `status ${String(status)}`);
    });
  });
  const errors: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  const watch = watchdog(child);
  const lines: Report[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line) as Report);
    watch.heard();
  }
  const how = await ended;
  watch.stop();
  const mutated = lines.filter((line) => "outcome" in line);
  if (lines.some((line) => "finished" in line)) return { mutated };
  const attempt = lines.findLast((line) => "number" in line);
  if (attempt === undefined) throw new Error(`no sample was read (${how}): ${errors.join("")}`);
  const outcome = watch.hung()
    ? ({
        kind: "hang",
        said: `no end after ${COMPUTING} seconds of computing or ${WAITING} of waiting`,
      } as const)
    : ({ kind: "crash", said: `${how} ${errors.join("").slice(-2000)}`.trim() } as const);
  return { mutated, stopped: { ...attempt, outcome } };
}

/** Kills a process that computes or waits for too long without a line. */
function watchdog(child: ChildProcess): { heard(): void; hung(): boolean; stop(): void } {
  let [started, hung] = [false, false];
  let last = { at: performance.now(), computed: 0 };
  const timer = setInterval(() => {
    const waited = (performance.now() - last.at) / 1000;
    const computed = secondsOf(child.pid ?? 0) - last.computed;
    if (started ? computed < COMPUTING && waited < WAITING : waited < START) return;
    hung = true;
    child.kill("SIGKILL");
  }, 250);
  return {
    heard: () => {
      started = true;
      last = { at: performance.now(), computed: secondsOf(child.pid ?? 0) };
    },
    hung: () => hung,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Seconds for which a process has computed; 0 if it has ended. */
function secondsOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the process, in brackets, may hold spaces. The kernel counts in hundredths of a second.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
