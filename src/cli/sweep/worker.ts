import { softwareOf } from "../../sweeps/software.js";
import { runWorker } from "../../sweeps/worker.js";
import { checkInstalled } from "../../util/peers-node.js";
import type { WorkerCommandOptions } from "../commands/worker.js";
import { interruptWork } from "../terminal/interrupt.js";
import type { Streams } from "../terminal/streams.js";
import { withQueue } from "./connect.js";
import { note } from "./note.js";

/** Computes cells of a queue until it is stopped. */
export async function runWorkerCommand(options: WorkerCommandOptions, streams: Streams): Promise<void> {
  checkInstalled("onnxruntime-node");
  const { jobs, folder, scratch, lease, untilEmpty } = options;
  const onNote = note(streams.err);
  const interrupt = interruptWork("after the checkpoints are stored", onNote);
  try {
    await withQueue(options, softwareOf(), streams, async (queue) => {
      onNote(`Waits for cells in ${queue.shown}, ${jobs} at a time.`);
      await runWorker(queue, {
        jobs,
        ...(folder !== undefined && { folder }),
        ...(scratch !== undefined && { scratch }),
        leaseSeconds: lease,
        untilEmpty,
        signal: interrupt.signal,
        onNote,
      });
    });
  } finally {
    interrupt.dispose();
  }
}
