import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CellConfig } from "../../src/experiments/cells.js";
import { cellFolder } from "../../src/experiments/cells.js";
import { defineExperiment } from "../../src/experiments/experiment.js";
import { StriateError, check } from "../../src/util/errors.js";

/** A cell that blocks its thread for some time in every step, as ONNX Runtime does, and writes a checkpoint after it. */
export interface ToyCell extends CellConfig {
  readonly name: string;
  readonly steps: number;
  readonly milliseconds: number;
  readonly start?: ToyCell;
}

interface ToyResult {
  readonly state: string;
  readonly threads: number;
}

/**
 * An experiment for tests. Its option `data` is a JSON object: the file to which each cell appends a line for each step, and
 * the steps of the cells. Cells whose names begin with "after" start from the first; "broken" throws;
 * "dying" kills its process; "together" waits until two processes compute it; a run with "without data" has no data.
 */
export interface ToyData {
  readonly log: string;
  readonly cells: readonly string[];
  readonly steps: number;
  readonly milliseconds: number;
}

const scale = { summary: "for tests", seeds: 1 };

export const toy = defineExperiment<ToyData, ToyCell, ToyResult, { readonly log: string }>({
  name: "toy",
  summary: "for tests",
  scales: { smoke: scale, laptop: scale, paper: scale },
  choosesCells: true,
  takes: ["data"],
  plan: ({ data }) => JSON.parse(data!) as ToyData,
  cellsOf: ({ cells, steps, milliseconds }, { seeds }) =>
    seeds.flatMap((seed) =>
      cells.map((name): ToyCell => {
        const own = { seed, name, steps, milliseconds };
        return name.startsWith("after") ? { ...own, start: { ...own, name: cells[0]! } } : own;
      }),
    ),
  load: ({ log, cells }) => {
    check(!cells.includes("without data"), () => "the toy has no data here");
    return { log };
  },
  nameOf: ({ name, seed }) => `${name}/seed${seed}`,
  runCell: async (config, { log, cells, signal, onProgress, threads = 0 }, done) => {
    const { name, seed, steps, milliseconds } = config;
    const folder = join(cellFolder(cells, config), "checkpoints");
    mkdirSync(folder, { recursive: true });
    const newest = readdirSync(folder).sort().at(-1);
    const before = newest === undefined ? undefined : readFileSync(join(folder, newest), "utf8");
    const start = [...done].find(([one]) => one.name === config.start?.name)?.[1].state ?? "";
    let { step, state } = (
      before === undefined ? { step: 0, state: `${name} ${seed} ${start}` } : JSON.parse(before)
    ) as { step: number; state: string };
    const tell = (what: string): void => {
      appendFileSync(log, `${what} ${name} ${step} ${process.pid}\n`);
    };
    tell("start");
    // In a sweep, the other machine has begun as well before this one goes on.
    const begun = () => readFileSync(log, "utf8").split("start together").length - 1;
    while (name === "together" && milliseconds > 1 && begun() < 2 && !signal.aborted) await pause(10);
    if (name === "broken") throw new StriateError("the toy is broken");
    if (name === "dying") process.kill(process.pid, "SIGKILL");
    while (step < steps) {
      if (signal.aborted) {
        tell("stop");
        return undefined;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      state = createHash("sha256").update(state).digest("hex");
      step += 1;
      const path = join(folder, `step-${String(step).padStart(4, "0")}.json`);
      writeFileSync(path, JSON.stringify({ step, state }));
      rmSync(join(folder, `step-${String(step - 1).padStart(4, "0")}.json`), { force: true });
      tell("step");
      onProgress("training", { step, steps, imagesPerSecond: 1000 / milliseconds, secondsLeft: 1 });
      // Messages of the worker arrive between two steps.
      await new Promise(setImmediate);
    }
    tell("end");
    return { state, threads };
  },
  describe: ({ state, threads }) => `${state.slice(0, 8)} on ${threads}`,
  report: ({ results }) =>
    Promise.resolve({
      page: "<html></html>",
      numbers: { states: [...results.values()].map(({ state }) => state) },
    }),
});
