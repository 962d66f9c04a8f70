import { setTimeout as sleep } from "node:timers/promises";
import pc from "picocolors";
import type { Estimate, MeasuredCell } from "../../experiments/estimate.js";
import { estimateOf } from "../../experiments/estimate.js";
import { readSweep } from "../../sweeps/plan.js";
import type { CellQueue } from "../../sweeps/queue/cell-queue.js";
import { isOnSlurm } from "../../sweeps/queue/slurm.js";
import { SweepStore } from "../../sweeps/store.js";
import type { CellStatus } from "../../sweeps/sweep.js";
import { sweepStatus } from "../../sweeps/sweep.js";
import { formatDuration } from "../../train/progress.js";
import { interruptWork } from "../terminal/interrupt.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";
import { givenAddress, withQueueOf } from "./connect.js";

/** Milliseconds between two pages of `--watch`. */
const EVERY = 5_000;

/** Prints the states of all cells of a sweep. Returns the exit status: 1 if a cell has failed. */
export async function showStatus(
  folder: string,
  options: { readonly queue?: string; readonly watch: boolean },
  streams: Streams,
): Promise<number> {
  const plan = await readSweep(folder);
  const store = new SweepStore(folder);
  const show = async (queue?: CellQueue): Promise<CellStatus[]> => {
    const cells = await sweepStatus({ plan, store, ...(queue && { queue }) });
    const clear = options.watch && streams.out.isTTY ? "\u001b[H\u001b[2J" : "";
    streams.out.write(`${clear}${statusPage(plan.id, cells, await store.isCancelled(), queue)}\n`);
    return cells;
  };
  const status = (cells: readonly CellStatus[]): number =>
    cells.some(({ state }) => state === "failed") ? 1 : 0;
  if (givenAddress(options) === undefined && !(await isOnSlurm(folder))) return status(await show());
  return withQueueOf(folder, plan, options, streams, async (queue) => {
    if (!options.watch) return status(await show(queue));
    const interrupt = interruptWork("now", () => undefined);
    try {
      for (;;) {
        const cells = await show(queue);
        if (cells.every(({ state }) => state === "finished" || state === "failed")) return status(cells);
        await sleep(EVERY, undefined, { signal: interrupt.signal }).catch(() => undefined);
        if (interrupt.signal.aborted) return status(cells);
      }
    } finally {
      interrupt.dispose();
    }
  });
}

/** The page of `striate sweep status`. */
export function statusPage(
  id: string,
  cells: readonly CellStatus[],
  isCancelled: boolean,
  queue?: CellQueue,
): string {
  const rows = cells.map((cell) => [cell.name, stateText(cell, queue), detailOf(cell)]);
  const failures = cells.filter(({ state }) => state === "failed");
  const table = renderTable({
    title: `${id}${isCancelled ? " (cancelled)" : ""}`,
    columns: ["cell", "state", ""],
    rows,
    alignLeft: ["state", ""],
    notes: queue === undefined ? ["No queue was given, so only the folder was asked."] : [],
  });
  return [
    table,
    ...failures.map(({ name, failure = "" }) => `${pc.red(name)}: ${failure}`),
    summaryOf(estimateOf(cells.map(measured))),
  ].join("\n");
}

/** What is known about a cell for the estimate of the time that all cells need. */
export function measured({ name, state, published, progress, seconds }: CellStatus): MeasuredCell {
  const spent = published?.seconds ?? progress?.seconds ?? seconds;
  const known = { name, ...(spent !== undefined && { seconds: spent }) };
  if (state === "finished") return { ...known, state };
  if (state === "failed") return { ...known, state: "out" };
  if (state !== "running") return { ...known, state: "open" };
  const { secondsLeft, imagesPerSecond } = progress ?? {};
  return {
    ...known,
    state,
    ...(secondsLeft !== undefined && { secondsLeft }),
    ...(imagesPerSecond !== undefined && { imagesPerSecond }),
  };
}

function stateText({ state, seconds = 0 }: CellStatus, queue: CellQueue | undefined): string {
  if (state !== "absent") return state;
  if (queue === undefined) return seconds > 0 ? "unfinished" : "open";
  return "not in the queue";
}

function detailOf({ state, published, progress, waitsFor, seconds = 0 }: CellStatus): string {
  if (published !== undefined) return `${published.description} · ${published.host}`;
  if (progress !== undefined) {
    const { part, step, steps, imagesPerSecond, secondsLeft, host } = progress;
    return [
      steps > 0 ? `${part} ${Math.floor((100 * step) / steps)} %` : part,
      ...(imagesPerSecond > 0 ? [`${Math.round(imagesPerSecond)} images/s`] : []),
      ...(secondsLeft !== undefined ? [`${formatDuration(secondsLeft)} left in this part`] : []),
      host,
    ].join(" · ");
  }
  if (state === "failed") return "";
  return [
    ...(waitsFor === undefined ? [] : [`starts from ${waitsFor}`]),
    ...(seconds > 0 ? [`checkpoint after ${formatDuration(seconds)}`] : []),
  ].join(" · ");
}

function summaryOf({
  finished,
  all,
  imagesPerSecond,
  secondsDone,
  secondsOfWork,
  secondsLeft,
}: Estimate): string {
  return [
    `${finished} of ${all} cells are finished`,
    `${formatDuration(secondsDone)} of computing so far`,
    ...(secondsOfWork !== undefined && finished < all
      ? [`about ${formatDuration(secondsOfWork)} to do`]
      : []),
    ...(imagesPerSecond > 0 ? [`${Math.round(imagesPerSecond)} images/s`] : []),
    ...(secondsLeft !== undefined ? [`about ${formatDuration(secondsLeft)} left`] : []),
  ].join(" · ");
}
