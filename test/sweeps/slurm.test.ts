import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Answer } from "../../src/sweeps/queue/slurm.js";
import { isOnSlurm, keyOfTask, openSlurm, requeueTask } from "../../src/sweeps/queue/slurm.js";
import { retryCells, submitSweep, sweepStatus } from "../../src/sweeps/sweep.js";
import { temporaryFolder } from "../support/folders.js";
import { toySweep } from "./toy-sweep.js";

/*
 * The answers are those of SLURM 22.05.8 on one node of Debian 12, recorded on 30 November 2026.
 */
const NO_ACCOUNTING: Answer = { status: 1, out: "", err: "Slurm accounting storage is disabled\n" };
const REFUSED: Answer = {
  status: 1,
  out: "",
  err: "sbatch: error: invalid partition specified: none\nsbatch: error: Batch job submission failed: Invalid partition name specified\n",
};
const TIMED_OUT: Answer = {
  status: 1,
  out: "",
  err: "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
};
const ok = (out = ""): Answer => ({ status: 0, out, err: "" });

/** SLURM as its programs answer; `calls` has what they were asked. */
function cluster(answers: Partial<Record<string, (args: readonly string[]) => Answer>> = {}) {
  const calls: string[] = [];
  let job = 7;
  const standard: Record<string, (args: readonly string[]) => Answer> = {
    sbatch: () => ok(`${++job}\n`),
    squeue: () => ok(),
    sacct: () => NO_ACCOUNTING,
    scancel: () => ok(),
    scontrol: () => ok(),
    ...(answers as Record<string, (args: readonly string[]) => Answer>),
  };
  return {
    calls,
    answers: standard,
    run: (program: string, args: readonly string[]) => {
      calls.push([program, ...args].join(" "));
      return Promise.resolve(standard[program]!(args));
    },
  };
}

async function onSlurm(answers?: Parameters<typeof cluster>[0], cells = ["first", "after", "second"]) {
  const sweep = await toySweep({ cells });
  const slurm = cluster(answers);
  const queue = openSlurm({
    folder: sweep.folder,
    command: ["node", "/opt/striate/main.js"],
    threads: 2,
    options: "--time=01:00:00 --mem=4G",
    run: slurm.run,
  });
  const { id } = sweep.plan;
  /** Lines of squeue: the number of the submission, that of the array, the index and the state. */
  const says = (...lines: [number, number, number, string][]): void => {
    slurm.answers.squeue = () =>
      ok(lines.map(([n, job, i, state]) => `${id}.${n}|${job}|${i}|${state}\n`).join(""));
  };
  return { sweep: { ...sweep, queue }, slurm, says };
}

const statesOf = async (sweep: Parameters<typeof sweepStatus>[0]) =>
  Object.fromEntries((await sweepStatus(sweep)).map(({ name, state }) => [name.split("/")[0]!, state]));

describe("a sweep on SLURM", () => {
  it("is one array for each stage, in which a cell is an index", async () => {
    const { sweep, slurm, says } = await onSlurm();
    expect(await isOnSlurm(sweep.folder)).toBe(false);
    expect((await submitSweep(sweep)).added).toHaveLength(3);
    expect(await isOnSlurm(sweep.folder)).toBe(true);
    const [first, second] = slurm.calls.filter((call) => call.startsWith("sbatch"));
    expect(first).toBe(`sbatch --parsable --time=01:00:00 --mem=4G ${sweep.folder}/slurm/1.sh`);
    expect(second).toContain("/slurm/2.sh");
    const scripts = await Promise.all(
      [1, 2].map((n) => readFile(join(sweep.folder, `slurm/${n}.sh`), "utf8")),
    );
    expect(scripts[0]!.split("\n")).toEqual([
      "#!/bin/sh",
      `#SBATCH --job-name=${sweep.plan.id}.1`,
      "#SBATCH --array=0-1",
      "#SBATCH --cpus-per-task=2",
      "#SBATCH --signal=B:TERM@120",
      "#SBATCH --requeue",
      "#SBATCH --open-mode=append",
      `#SBATCH --output=${sweep.folder}/slurm/logs/1-%a.txt`,
      `exec node /opt/striate/main.js sweep cell ${sweep.folder} --submission 1 --index "$SLURM_ARRAY_TASK_ID"`,
      "",
    ]);
    // The second stage waits for the array of the first, whatever becomes of its cells.
    expect(scripts[1]).toContain("#SBATCH --dependency=afterany:8\n");
    says([1, 8, 0, "RUNNING"], [1, 8, 1, "PENDING"], [2, 9, 0, "PENDING"]);
    expect(await statesOf(sweep)).toEqual({ first: "running", second: "waiting", after: "waiting" });
    const keyOf = (name: string) => sweep.plan.cells.find((cell) => cell.name.startsWith(name))!.key;
    expect(await keyOfTask(sweep.folder, 1, 1)).toBe(keyOf("second"));
    expect(await keyOfTask(sweep.folder, 2, 0)).toBe(keyOf("after"));
    await expect(keyOfTask(sweep.folder, 2, 1)).rejects.toThrow(
      "expected a cell 1 of the submission 2 to SLURM",
    );
    // Nothing is submitted twice, and only cells that wait are cancelled here.
    expect((await submitSweep(sweep)).added).toEqual([]);
    expect(
      await sweep.queue.remove(
        sweep.plan.id,
        sweep.plan.cells.map(({ key }) => key),
      ),
    ).toHaveLength(2);
    expect(slurm.calls.at(-1)).toBe("scancel --state=PENDING 8_1 9_0");
  });

  it("is not submitted if sbatch refuses, and leaves no trace", async () => {
    const { sweep } = await onSlurm({ sbatch: () => REFUSED });
    await expect(submitSweep(sweep)).rejects.toThrow(
      "SLURM: expected sbatch to take the cells; sbatch: error: invalid partition specified: none",
    );
    expect((await readdir(join(sweep.folder, "slurm"))).filter((name) => name.endsWith(".json"))).toEqual([]);
    expect(await statesOf(sweep)).toEqual({ first: "absent", second: "absent", after: "absent" });
  });

  it("is uncertain if the answer was lost, and is not submitted again by itself", async () => {
    const { sweep, slurm, says } = await onSlurm({ sbatch: () => TIMED_OUT }, ["first", "second"]);
    await expect(submitSweep(sweep)).rejects.toThrow(/Whether the cells were submitted is uncertain/);
    slurm.answers.sbatch = () => ok("20\n");
    expect(await statesOf(sweep)).toEqual({ first: "uncertain", second: "uncertain" });
    expect(await submitSweep(sweep)).toMatchObject({ added: [], uncertain: ["first/seed1", "second/seed1"] });
    expect(await retryCells(sweep)).toEqual([]);
    // If the cells are there after all, they are found by their name.
    says([1, 19, 0, "RUNNING"], [1, 19, 1, "PENDING"]);
    expect(await statesOf(sweep)).toEqual({ first: "running", second: "waiting" });
    says();
    expect(await statesOf(sweep)).toEqual({ first: "uncertain", second: "uncertain" });
    // Only a user who names them submits them again.
    expect(await retryCells(sweep, "second/*")).toEqual(["second/seed1"]);
    says([2, 20, 0, "PENDING"]);
    expect(await statesOf(sweep)).toEqual({ first: "uncertain", second: "waiting" });
  });

  it("tells what became of cells that squeue has forgotten, if the cluster keeps accounts", async () => {
    const { sweep, slurm } = await onSlurm({}, ["first", "second", "third"]);
    await submitSweep(sweep);
    expect(await statesOf(sweep)).toEqual({ first: "uncertain", second: "uncertain", third: "uncertain" });
    slurm.answers.sacct = () => ok("8_0|OUT_OF_MEMORY\n8_1|CANCELLED by 1000\n8_2|COMPLETED\n");
    expect(await statesOf(sweep)).toEqual({ first: "failed", second: "absent", third: "absent" });
    const [failed] = await sweepStatus(sweep);
    expect(failed!.failure).toBe(
      `SLURM says OUT_OF_MEMORY; its output is in ${sweep.folder}/slurm/logs/1-0.txt`,
    );
    expect((await submitSweep(sweep)).added).toEqual(["second/seed1", "third/seed1"]);
    slurm.answers.squeue = () => ({
      status: 1,
      out: "",
      err: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
    });
    await expect(sweepStatus(sweep)).rejects.toThrow(
      "SLURM: expected squeue to answer; slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    );
  });

  it("puts a cell back that was stopped before its time limit, but none that was cancelled", async () => {
    const environment = { SLURM_ARRAY_JOB_ID: "12", SLURM_ARRAY_TASK_ID: "3" };
    const running = cluster({ squeue: () => ok("RUNNING\n") });
    expect(await requeueTask(environment, running.run)).toBe(true);
    expect(running.calls).toEqual(["squeue --noheader --format=%T --jobs=12_3", "scontrol requeue 12_3"]);
    for (const squeue of [() => ok("CANCELLED\n"), () => ok(), () => NO_ACCOUNTING]) {
      const ending = cluster({ squeue });
      expect(await requeueTask(environment, ending.run)).toBe(false);
      expect(ending.calls).toHaveLength(1);
    }
    expect(await requeueTask({}, running.run)).toBe(false);
  });

  it("refuses options that a shell would read, and a machine without SLURM", async () => {
    const folder = await temporaryFolder();
    const command = ["striate"];
    expect(() => openSlurm({ folder, command, threads: 1, options: "--comment='a b'" })).toThrow(
      "the options of sbatch: expected words separated by spaces, without quotes, got --comment='a b'",
    );
    const job = { sweep: "s", folder, key: "0123456701234567", name: "a" };
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      await expect(openSlurm({ folder, command, threads: 1 }).add([job])).rejects.toThrow(
        "SLURM: expected the program sbatch on this machine, found none",
      );
    } finally {
      process.env.PATH = path;
    }
  });
});
