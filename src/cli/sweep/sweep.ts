import { join } from "node:path";
import { findExperiment } from "../../experiments/registry.js";
import { collectSweep } from "../../sweeps/collect.js";
import { readSweep } from "../../sweeps/plan.js";
import { softwareOf } from "../../sweeps/software.js";
import { SweepStore } from "../../sweeps/store.js";
import type { Sweep } from "../../sweeps/sweep.js";
import { cancelSweep, retryCells } from "../../sweeps/sweep.js";
import { openSweep } from "../../sweeps/worker.js";
import { counted } from "../../util/errors.js";
import { checkReportPackages } from "../needed-packages.js";
import { printResult } from "../run.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "../terminal/interrupt.js";
import type { Streams } from "../terminal/streams.js";
import type { QueueOptions } from "./connect.js";
import { withQueue, withQueueOf } from "./connect.js";

/** Checks a queue, and creates or updates its tables. */
export async function initQueue(options: QueueOptions, streams: Streams): Promise<void> {
  await withQueue(
    options,
    softwareOf(),
    streams,
    async ({ shown }) => {
      streams.out.write(`The queue ${shown} is ready.\n`);
      return Promise.resolve();
    },
    { prepare: true },
  );
}

export async function cancel(folder: string, options: QueueOptions, streams: Streams): Promise<void> {
  await withSweep(folder, options, streams, async (sweep) => {
    const { removed, running } = await cancelSweep(sweep);
    streams.out.write(`${sweep.plan.id}: ${counted(removed, "cell")} removed from the queue\n`);
    if (running.length > 0)
      streams.out.write(`These store their checkpoints and stop within seconds: ${running.join(", ")}\n`);
  });
}

export async function retry(
  folder: string,
  { cells, ...options }: QueueOptions & { readonly cells?: string },
  streams: Streams,
): Promise<void> {
  await withSweep(folder, options, streams, async (sweep) => {
    const names = await retryCells(sweep, cells);
    streams.out.write(
      names.length === 0
        ? `${sweep.plan.id}: no cell has failed\n`
        : `${sweep.plan.id}: ${counted(names.length, "failed cell")} removed from the queue and added again: ${names.join(", ")}\n`,
    );
  });
}

/** Collects the finished cells. Returns the exit status. */
export async function collect(
  folder: string,
  { out = join(folder, "report") }: { readonly out?: string },
  streams: Streams,
): Promise<number> {
  const sweep = await openSweep(folder);
  const experiment = findExperiment(sweep.plan.run.experiment);
  checkReportPackages(sweep.plan.run.device);
  const onNote = (line: string): void => {
    streams.err.write(`${line}\n`);
  };
  const interrupt = interruptWork("after the current file", onNote);
  try {
    const { signal } = interrupt;
    const { result, finished, all } = await collectSweep(sweep, experiment, out, { signal, onNote });
    printResult(result, streams);
    if (result.interrupted) streams.err.write(stoppedLine());
    else if (finished < all)
      streams.err.write(`${finished} of ${all} cells are finished; the report needs all of them.\n`);
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    interrupt.dispose();
  }
}

async function withSweep<T>(
  folder: string,
  options: QueueOptions,
  streams: Streams,
  use: (sweep: Required<Sweep>) => Promise<T>,
): Promise<T> {
  const plan = await readSweep(folder);
  const store = new SweepStore(folder);
  return withQueueOf(folder, plan, options, streams, (queue) => use({ plan, store, queue }));
}
