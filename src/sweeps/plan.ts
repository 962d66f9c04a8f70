import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { OpenExperiment, PlannedCell } from "../experiments/experiment.js";
import type { ExperimentOptions, Scale, SpecialOptions } from "../experiments/options.js";
import type { Device } from "../runtime/runtime.js";
import { StriateError, check } from "../util/errors.js";
import { ensureFolder, errorCode, fileError, readFileChecked, writeFileAtomic } from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import type { Software } from "./software.js";
import { softwareOf } from "./software.js";

/*
 * The plan of a sweep: which cells of which experiment are computed, and by which software. The plan is the file
 * sweep.json of the sweep's folder; it is written once and never changes.
 */

/** What decides the cells of a sweep, and their numbers. */
export interface SweepRun extends SpecialOptions {
  /** The name of the experiment. */
  readonly experiment: string;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  /** Pattern of the names of the cells, as `striate run --cells` takes it. Default: the cells that an ordinary run has. */
  readonly cells?: string;
  readonly device: Device;
  /**
   * Threads of each cell. The last bits of sums depend on the number of threads, so it is a part of the plan and the same on
   * every machine.
   */
  readonly threads: number;
}

export interface SweepPlan {
  /** The name of the sweep, unique among all sweeps, such as "synchrony-smoke-1f3a9c02". */
  readonly id: string;
  readonly run: SweepRun;
  readonly software: Software;
  /** All cells, each one after the cell that it starts from. */
  readonly cells: readonly Omit<PlannedCell, "config">[];
  /** Date in ISO 8601. */
  readonly created: string;
}

const NAME = "sweep.json";
const LARGEST = 64 * 2 ** 20;

/** The options with which an experiment plans and runs the cells of a sweep. Results are below `out`. */
export function optionsOf(
  { experiment: _, ...run }: SweepRun,
  out: string,
  signal: AbortSignal,
  onNote: (line: string) => void = () => undefined,
): ExperimentOptions {
  return { ...run, out, signal, resume: true, onNote, onProgress: () => undefined };
}

/**
 * Makes the plan of a new sweep and writes it into the sweep's folder, which is created if it does not exist.
 *
 * @throws StriateError if the folder holds anything else, or cannot be written
 */
export async function createSweep(
  folder: string,
  run: SweepRun,
  { cells }: Pick<OpenExperiment, "cells">,
): Promise<SweepPlan> {
  await ensureFolder(folder);
  const names = await readdir(folder);
  check(
    names.length === 0,
    () => `the folder of a new sweep "${folder}": expected an empty folder, got one with ${names[0]!}`,
  );
  const named = new Map<string, string>();
  for (const { key, name } of cells) {
    check(
      !named.has(name),
      () => `${run.experiment}: expected cells of different names, got two called ${name}`,
    );
    named.set(name, key);
  }
  const plan: SweepPlan = {
    id: `${run.experiment}-${run.scale}-${randomBytes(4).toString("hex")}`,
    run,
    software: softwareOf(),
    cells: cells.map(({ key, name, start }) => ({ key, name, ...(start !== undefined && { start }) })),
    created: new Date().toISOString(),
  };
  for (const name of ["objects", "published", "unfinished", "failures"]) await makeFolder(join(folder, name));
  const text = JSON.stringify(plan);
  await writeFileAtomic(join(folder, NAME), `{"sha256":"${digest(text)}","plan":${text}}\n`);
  return plan;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw fileError("create the folder", path, cause);
  }
}

/**
 * Reads the plan of a sweep.
 *
 * @param id the sweep that must be there; default: any
 * @throws StriateError if the folder holds no sweep, another sweep, or a damaged plan
 */
export async function readSweep(folder: string, id?: string): Promise<SweepPlan> {
  const path = join(folder, NAME);
  const bytes = await readFileChecked(path, { what: "plan of a sweep", maxBytes: LARGEST }).catch(
    (cause: unknown) => {
      const error = fileError("read the plan of a sweep", path, cause);
      if (errorCode(error.cause) !== "ENOENT") throw error;
      throw new StriateError(
        id === undefined
          ? `"${folder}": expected the folder of a sweep, found no ${NAME} in it; striate sweep submit makes one`
          : `"${folder}": expected the folder of the sweep ${id}, found no ${NAME} in it. Is the folder shared with this ` +
              `machine, and at this path? --folder says where it is here`,
        { cause },
      );
    },
  );
  const file = parseStrictJson(new TextDecoder().decode(bytes), path);
  const plan = isJsonObject(file) ? (file.plan as SweepPlan) : undefined;
  const sha256 = digest(JSON.stringify(plan));
  check(
    isJsonObject(file) && file.sha256 === sha256,
    () =>
      `"${path}" was changed or is damaged: expected the SHA-256 ${isJsonObject(file) ? String(file.sha256) : "of its plan"}, got ${sha256}`,
  );
  check(id === undefined || plan!.id === id, () => `"${folder}": expected the sweep ${id!}, got ${plan!.id}`);
  return plan!;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
