import { keyOfTask, requeueTask } from "../../sweeps/queue/slurm.js";
import type { Outcome } from "../../sweeps/run-cell.js";
import { computeCell, openSweep, withSlots } from "../../sweeps/worker.js";
import { checkInstalled } from "../../util/peers-node.js";
import { interruptWork } from "../terminal/interrupt.js";
import type { Streams } from "../terminal/streams.js";
import { note } from "./note.js";

/** How often a cell is started again whose process was ended. */
const ATTEMPTS = 3;

/** Computes one cell of a submission to SLURM. Returns the exit status of the job. */
export async function runTask(
  folder: string,
  {
    submission,
    index,
    scratch,
  }: { readonly submission: number; readonly index: number; readonly scratch?: string },
  { err }: Streams,
): Promise<number> {
  checkInstalled("onnxruntime-node");
  const onNote = note(err);
  const sweep = await openSweep(folder);
  const key = await keyOfTask(folder, submission, index);
  const interrupt = interruptWork("after the checkpoint is stored", onNote);
  try {
    const outcome = await withSlots(
      { jobs: 1, ...(scratch !== undefined && { scratch }) },
      async ([slot]) => {
        for (let attempt = 1; ; attempt++) {
          const isLast = attempt === ATTEMPTS;
          const end = await computeCell(sweep, key, { ...slot!, signal: interrupt.signal, isLast, onNote });
          if (end.kind !== "failed" || !end.mayPass || isLast) return end;
        }
      },
    );
    return await statusOf(outcome, onNote);
  } finally {
    interrupt.dispose();
  }
}

async function statusOf(outcome: Outcome, onNote: (line: string) => void): Promise<number> {
  switch (outcome.kind) {
    case "failed":
      return 1;
    case "waits":
      onNote(`${outcome.start} is not finished; striate sweep submit submits this cell again.`);
      return 0;
    case "stopped":
      if (await requeueTask(process.env)) onNote("Back in SLURM's queue.");
      return 0;
    default:
      return 0;
  }
}
