import { join } from "node:path";
import { tensorData } from "../graph/index.js";
import type { NamedParameters, State } from "../nn/module.js";
import { isTrainable } from "../nn/module.js";
import type { Schedule } from "../nn/schedules.js";
import { constantRate, cosineRate, withWarmUp } from "../nn/schedules.js";
import { sessionOptionsOf } from "../runtime/runtime.js";
import { createRateEstimator } from "../train/progress.js";
import type { TrainedRun, TrainOptions } from "../train/run/run-node.js";
import { readSafetensors, writeSafetensors } from "../util/safetensors-node.js";
import { storedFloats, storedToFloat32 } from "../util/safetensors.js";
import type { CellOptions } from "./cells.js";
import { cellFolder } from "./cells.js";

/**
 * Training options of a cell. The training writes to the cell's own folder, resumes if that folder holds a
 * run, and saves a checkpoint every 200 steps.
 */
export function cellTraining(
  config: Required<Pick<TrainOptions, "seed" | "steps" | "batchSize">>,
  options: CellOptions,
) {
  const { seed, steps, batchSize } = config;
  const { cells, signal, onProgress, onWarning } = options;
  return {
    ...sessionOptionsOf(options),
    folder: cellFolder(cells, config),
    resume: true,
    config: { ...config },
    steps,
    batchSize,
    seed,
    checkpointEvery: 200,
    signal,
    onWarning,
    onProgress: (event) => {
      onProgress("training", event);
    },
  } satisfies TrainOptions;
}

/**
 * The validation measurements of a run, in the order of the training steps. `place` returns the fields that
 * come before the measures, such as the number of images seen. A missing measure is NaN.
 */
export function learningOf<M extends string, P extends object>(
  { evaluations }: Pick<TrainedRun, "evaluations">,
  measures: readonly M[],
  place: (step: number) => P,
): (P & Readonly<Record<M, number>>)[] {
  return evaluations.map((row) => ({
    ...place(row.step),
    ...(Object.fromEntries(measures.map((name) => [name, row[name] ?? NaN])) as Record<M, number>),
  }));
}

/**
 * Returns a function that reports the progress of one part of a cell. The function takes the number of steps
 * done so far (out of `steps`) and the number of samples since the last report.
 */
export function progressOf({ onProgress }: Pick<CellOptions, "onProgress">, part: string, steps: number) {
  const rate = createRateEstimator({ steps });
  return (step: number, samples: number): void => {
    onProgress(part, { step, steps, ...rate.update(step, samples) });
  };
}

const weightsPath = (cells: string, config: object): string =>
  join(cellFolder(cells, config), "weights.safetensors");

/**
 * Saves the parameters of a finished cell's network for cells that start from it. `cells` is the folder that
 * holds the folders of all cells.
 */
export function saveWeights(cells: string, config: object, values: State): Promise<void> {
  return writeCellWeights(weightsPath(cells, config), values);
}

/** @throws StriateError if the weights of the cell are missing or their file is damaged */
export function loadWeights(cells: string, config: object): Promise<State> {
  return readWeights(weightsPath(cells, config));
}

export async function writeCellWeights(path: string, values: State): Promise<void> {
  await writeSafetensors(path, storedFloats(values));
}

async function readWeights(path: string): Promise<State> {
  const { tensors } = await readSafetensors(path);
  return new Map(
    [...tensors].map(([name, stored]) => [name, tensorData(storedToFloat32(stored), stored.shape)]),
  );
}

/** Counts the numbers in a model's parameters: all of them, or those that training changes. */
export function parameterCount(parameters: NamedParameters, which: "all" | "trainable" = "all"): number {
  let count = 0;
  for (const parameter of parameters.values())
    if (which === "all" || isTrainable(parameter))
      count += parameter.shape.reduce<number>((a, b) => a * (b as number), 1);
  return count;
}

/** A constant learning rate, or one that rises over `warmUp` steps and then falls along half a cosine to 0. */
export type RateSchedule = "constant" | { readonly warmUp: number };

export interface RateConfig {
  /** The largest learning rate. */
  readonly learningRate: number;
  readonly schedule: RateSchedule;
  readonly steps: number;
}

export function rateOf({ learningRate: rate, schedule, steps }: RateConfig): Schedule {
  if (schedule === "constant") return constantRate(rate);
  return withWarmUp(cosineRate({ rate, steps }), schedule.warmUp);
}

/** A phrase about the schedule for the section "How this was measured". */
export function scheduleText(schedule: RateSchedule): string {
  return schedule === "constant" ? "" : `, falling along a cosine after ${schedule.warmUp} steps of warm-up`;
}
