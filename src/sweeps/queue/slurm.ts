import { execFile } from "node:child_process";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { shellWord } from "../../util/command-words.js";
import { StriateError, check } from "../../util/errors.js";
import { errorCode, fileError, readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../../util/json.js";
import type { CellJob, CellQueue, QueuedCell, QueuedState } from "./cell-queue.js";

/*
 * Cells as arrays of SLURM jobs: one submission is one array, and one index of it is one cell. The folder slurm of a sweep
 * has a file for each submission. It is written before the submission, so that a submission whose answer was lost is known
 * about: its cells are uncertain, and are not submitted again unless the user says so.
 */

/** What a program has answered. */
export interface Answer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one of SLURM's programs. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<Answer>;

export interface SlurmOptions {
  /** The folder of the sweep. */
  readonly folder: string;
  /** The words of the command that runs Striate. */
  readonly command: readonly string[];
  /** Threads of each cell. */
  readonly threads: number;
  /** Options of sbatch, separated by spaces. Default: those of the newest submission. */
  readonly options?: string;
  /** Default: starts the program. */
  readonly run?: RunProgram;
}

/** Cells in one array: SLURM's own limit is 1001, unless the cluster has another. */
const LARGEST_ARRAY = 1000;
/** Seconds before the time limit at which a cell is told to stop. */
const WARNING = 120;
/** Errors of sbatch after which the cells may have been submitted all the same. */
const UNCLEAR = /timed out|zero bytes|receive failure|transport|reset by peer|interrupted/i;
/** Milliseconds after which a program counts as hanging. */
const PATIENCE = 60_000;

/** A submission, as its file holds it. */
interface Submission {
  readonly number: number;
  /** The name of the job, unique among all jobs. */
  readonly name: string;
  /** The cells by index. */
  readonly keys: readonly string[];
  /** The user's options of sbatch. */
  readonly options: string;
  /** The number of the array; absent until SLURM has answered. */
  readonly job?: string;
}

const STATES: Readonly<Record<string, QueuedState>> = {
  PENDING: "waiting",
  CONFIGURING: "waiting",
  REQUEUED: "waiting",
  REQUEUE_FED: "waiting",
  REQUEUE_HOLD: "waiting",
  RESV_DEL_HOLD: "waiting",
  RUNNING: "running",
  COMPLETING: "running",
  STAGE_OUT: "running",
  SIGNALING: "running",
  STOPPED: "running",
  SUSPENDED: "running",
  RESIZING: "running",
  // A cell that ends well is finished or says itself why not; one that was cancelled is to be submitted again.
  COMPLETED: "absent",
  CANCELLED: "absent",
  PREEMPTED: "absent",
  REVOKED: "absent",
  FAILED: "failed",
  OUT_OF_MEMORY: "failed",
  TIMEOUT: "failed",
  NODE_FAIL: "failed",
  BOOT_FAIL: "failed",
  DEADLINE: "failed",
  LAUNCH_FAILED: "failed",
  SPECIAL_EXIT: "failed",
};

/** Whether a sweep was submitted to SLURM. */
export async function isOnSlurm(folder: string): Promise<boolean> {
  return (await readSubmissions(folder)).length > 0;
}

/** The key of a cell of a submission, for the job that computes the cell. */
export async function keyOfTask(folder: string, number: number, index: number): Promise<string> {
  const submission = (await readSubmissions(folder)).find((one) => one.number === number);
  const key = submission?.keys[index];
  check(
    key !== undefined,
    () => `"${folder}": expected a cell ${index} of the submission ${number} to SLURM, found none`,
  );
  return key;
}

/** The cells of one sweep on the SLURM cluster of this machine. */
export function openSlurm({
  folder,
  command,
  threads,
  options: given,
  run = runProgram,
}: SlurmOptions): CellQueue {
  check(
    given === undefined || !/["'\\$`]/.test(given),
    () => `the options of sbatch: expected words separated by spaces, without quotes, got ${given!}`,
  );
  const tasks = async (): Promise<Tasks> => tasksOf(folder, await readSubmissions(folder), run);
  return {
    shown: "SLURM",
    warnings: [],
    add: async (jobs) => {
      const known = await readSubmissions(folder);
      let number = known.at(-1)?.number ?? 0;
      const options = given ?? known.at(-1)?.options ?? "";
      // The submissions in which cells were put that others start from.
      const jobOf = new Map<string, string>();
      const active = await tasksOf(folder, known, run);
      for (const [key, { state, job }] of active)
        if (job !== undefined && (state === "waiting" || state === "running")) jobOf.set(key, job);
      for (const keys of stagesOf(jobs)) {
        number += 1;
        const starts = new Set(
          keys.flatMap(({ start }) => (start === undefined ? [] : (jobOf.get(start) ?? []))),
        );
        const submission: Submission = {
          number,
          name: `${keys[0]!.sweep}.${number}`,
          keys: keys.map(({ key }) => key),
          options,
        };
        const script = await writeScript(folder, submission, [...command], threads, [...starts]);
        await writeSubmission(folder, submission);
        const words = options.split(/\s+/).filter((word) => word !== "");
        const job = await submit(folder, submission, [...words, script], run);
        for (const { key } of keys) jobOf.set(key, job);
      }
    },
    states: async (_sweep, keys) => {
      const found = await tasks();
      return keys.map((key): QueuedCell => {
        const { state, reason } = found.get(key) ?? { state: "absent" as const };
        return { state, ...(reason !== undefined && { reason }) };
      });
    },
    remove: async (_sweep, keys) => {
      const found = await tasks();
      const waiting = keys.flatMap((key) => {
        const task = found.get(key);
        return task?.state === "waiting" && task.job !== undefined
          ? [{ key, id: `${task.job}_${task.index}` }]
          : [];
      });
      if (waiting.length === 0) return [];
      const { status, err } = await run("scancel", ["--state=PENDING", ...waiting.map(({ id }) => id)]);
      check(status === 0, () => `SLURM: expected scancel to remove cells; ${firstLine(err)}`);
      return waiting.map(({ key }) => key);
    },
    close: () => Promise.resolve(),
  };
}

/** Cells in arrays: first those that start from no other cell of the list, then those that start from these, and so on. */
function stagesOf(jobs: readonly CellJob[]): CellJob[][] {
  const byKey = new Map(jobs.map((job) => [job.key, job]));
  const depth = (job: CellJob): number => {
    const start = job.start === undefined ? undefined : byKey.get(job.start);
    return start === undefined ? 0 : 1 + depth(start);
  };
  const stages: CellJob[][] = [];
  for (const job of jobs) (stages[depth(job)] ??= []).push(job);
  return stages.flatMap((stage) => {
    const parts: CellJob[][] = [];
    for (let i = 0; i < stage.length; i += LARGEST_ARRAY) parts.push(stage.slice(i, i + LARGEST_ARRAY));
    return parts;
  });
}

async function writeScript(
  folder: string,
  { number, name, keys }: Submission,
  command: readonly string[],
  threads: number,
  starts: readonly string[],
): Promise<string> {
  const own = slurmFolder(folder);
  const logs = join(own, "logs");
  try {
    await mkdir(logs, { recursive: true });
  } catch (cause) {
    throw fileError("create the folder", logs, cause);
  }
  check(
    !/\s/.test(resolve(folder)),
    () => `the folder of the sweep: expected a path without spaces for SLURM, got "${folder}"`,
  );
  const words = [...command, "sweep", "cell", resolve(folder), "--submission", String(number)].map(shellWord);
  const script = [
    "#!/bin/sh",
    `#SBATCH --job-name=${name}`,
    `#SBATCH --array=0-${keys.length - 1}`,
    `#SBATCH --cpus-per-task=${threads}`,
    // SIGTERM to the cell itself, which stores its checkpoint and puts itself back into the queue.
    `#SBATCH --signal=B:TERM@${WARNING}`,
    "#SBATCH --requeue",
    "#SBATCH --open-mode=append",
    `#SBATCH --output=${resolve(logs)}/${number}-%a.txt`,
    ...(starts.length > 0 ? [`#SBATCH --dependency=afterany:${starts.join(":")}`] : []),
    `exec ${words.join(" ")} --index "$SLURM_ARRAY_TASK_ID"`,
    "",
  ].join("\n");
  const path = join(own, `${number}.sh`);
  await writeFileAtomic(path, script);
  return path;
}

/** Submits an array whose intent is recorded, and records the answer. */
async function submit(
  folder: string,
  submission: Submission,
  words: readonly string[],
  run: RunProgram,
): Promise<string> {
  const { status, out, err } = await run("sbatch", ["--parsable", ...words]);
  if (status !== 0) {
    check(
      !UNCLEAR.test(err),
      () =>
        `SLURM: ${firstLine(err)}. Whether the cells were submitted is uncertain: striate sweep status looks for them by the ` +
        `name ${submission.name}, and striate sweep retry --cells PATTERN submits them again`,
    );
    // SLURM has refused: there is no array.
    await rm(submissionPath(folder, submission.number), { force: true });
    throw new StriateError(`SLURM: expected sbatch to take the cells; ${firstLine(err)}`);
  }
  const job = /^(\d+)(;\S+)?\s*$/.exec(out)?.[1];
  check(job !== undefined, () => `SLURM: expected sbatch to answer with a number, got "${firstLine(out)}"`);
  await writeSubmission(folder, { ...submission, job });
  return job;
}

/** What SLURM says about a cell. */
interface Task {
  readonly state: QueuedState;
  readonly reason?: string;
  readonly job?: string;
  readonly index: number;
}

type Tasks = ReadonlyMap<string, Task>;

/** What SLURM says about all cells of a sweep that were submitted; the newest submission of a cell counts. */
async function tasksOf(folder: string, submissions: readonly Submission[], run: RunProgram): Promise<Tasks> {
  if (submissions.length === 0) return new Map();
  const names = submissions.map(({ name }) => name).join(",");
  const { status, out, err } = await run("squeue", [
    "--array",
    "--noheader",
    "--states=all",
    "--format=%j|%F|%K|%T",
    `--name=${names}`,
  ]);
  check(status === 0, () => `SLURM: expected squeue to answer; ${firstLine(err)}`);
  const told = new Map<string, string>();
  const jobs = new Map<string, string>();
  for (const line of out.split("\n")) {
    const [name, job, index, state] = line.trim().split("|");
    if (name === undefined || job === undefined || index === undefined || state === undefined) continue;
    told.set(`${name} ${index}`, state);
    jobs.set(name, job);
  }
  const forgotten = submissions.filter(
    ({ name, job, keys }) => job !== undefined && keys.some((_, i) => !told.has(`${name} ${i}`)),
  );
  const past = await pastStates(
    forgotten.map(({ job }) => job!),
    run,
  );
  const tasks = new Map<string, Task>();
  for (const submission of submissions) {
    const { name, keys } = submission;
    const job = submission.job ?? jobs.get(name);
    // An array that was submitted, but whose number was not recorded, is found by its name.
    if (job !== undefined && submission.job === undefined)
      await writeSubmission(folder, { ...submission, job });
    for (const [index, key] of keys.entries()) {
      const word =
        told.get(`${name} ${index}`) ?? (job === undefined ? undefined : past.get(`${job}_${index}`));
      const state = word === undefined ? "uncertain" : (STATES[word] ?? "uncertain");
      tasks.set(key, {
        state,
        index,
        ...(job !== undefined && { job }),
        ...(state === "failed" && {
          reason: `SLURM says ${word!}; its output is in ${join(slurmFolder(folder), "logs", `${submission.number}-${index}.txt`)}`,
        }),
      });
    }
  }
  return tasks;
}

/** The states of array tasks that squeue has forgotten, as the accounting tells them; none if the cluster has no accounting. */
async function pastStates(jobs: readonly string[], run: RunProgram): Promise<ReadonlyMap<string, string>> {
  if (jobs.length === 0) return new Map();
  const { status, out } = await run("sacct", [
    "--noheader",
    "--parsable2",
    "--allocations",
    "--array",
    "--format=JobID,State",
    `--jobs=${jobs.join(",")}`,
  ]).catch((): Answer => ({ status: 1, out: "", err: "" }));
  if (status !== 0) return new Map();
  return new Map(
    out.split("\n").flatMap((line): [string, string][] => {
      const [id, state] = line.trim().split("|");
      // "CANCELLED by 1000"
      return id === undefined || state === undefined ? [] : [[id, state.split(" ")[0]!]];
    }),
  );
}

/** Puts the job of this process back into SLURM's queue, unless SLURM is ending the job for another reason. */
export async function requeueTask(
  environment: Readonly<Record<string, string | undefined>>,
  run: RunProgram = runProgram,
): Promise<boolean> {
  const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: index } = environment;
  if (job === undefined || index === undefined) return false;
  const id = `${job}_${index}`;
  const { status, out } = await run("squeue", ["--noheader", "--format=%T", `--jobs=${id}`]);
  // After scancel the job is cancelled already; a preempted job returns without our help.
  if (status !== 0 || out.trim() !== "RUNNING") return false;
  return (await run("scontrol", ["requeue", id])).status === 0;
}

const slurmFolder = (folder: string): string => join(folder, "slurm");

const submissionPath = (folder: string, number: number): string =>
  join(slurmFolder(folder), `${String(number).padStart(6, "0")}.json`);

async function writeSubmission(folder: string, submission: Submission): Promise<void> {
  await writeFileAtomic(submissionPath(folder, submission.number), `${JSON.stringify(submission)}\n`);
}

/** All submissions of a sweep, the oldest first. */
async function readSubmissions(folder: string): Promise<Submission[]> {
  const own = slurmFolder(folder);
  const names = await readdir(own).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return [];
    throw fileError("read the folder", own, cause);
  });
  const found: Submission[] = [];
  for (const name of names.filter((one) => /^\d{6}\.json$/.test(one)).sort()) {
    const path = join(own, name);
    const bytes = await readFileChecked(path, { what: "submission to SLURM", maxBytes: 2 ** 20 });
    const value = parseStrictJson(new TextDecoder().decode(bytes), `"${path}"`);
    check(
      isJsonObject(value) && Array.isArray(value.keys),
      () => `"${path}": expected a submission to SLURM`,
    );
    found.push(value as unknown as Submission);
  }
  return found;
}

/**
 * Runs a program.
 *
 * @throws StriateError if there is no such program, or if it does not end in time
 */
export function runProgram(program: string, args: readonly string[]): Promise<Answer> {
  return new Promise((done, fail) => {
    execFile(program, [...args], { timeout: PATIENCE, maxBuffer: 2 ** 26 }, (error, out, err) => {
      if (error === null) done({ status: 0, out, err });
      else if (typeof error.code === "number") done({ status: error.code, out, err });
      else if (errorCode(error) === "ENOENT")
        fail(new StriateError(`SLURM: expected the program ${program} on this machine, found none`));
      else
        fail(
          new StriateError(`SLURM: expected ${program} to end within ${PATIENCE / 1000} s; it was stopped`, {
            cause: error,
          }),
        );
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]!.trim();
}
