import { fileURLToPath } from "node:url";
import pc from "picocolors";
import type { SweepPlan } from "../../sweeps/plan.js";
import { queueAddress } from "../../sweeps/queue/address.js";
import { openBullQueue } from "../../sweeps/queue/bullmq.js";
import type { CellQueue, WorkQueue } from "../../sweeps/queue/cell-queue.js";
import { isOnSlurm, openSlurm } from "../../sweeps/queue/slurm.js";
import type { Software } from "../../sweeps/software.js";
import { closing } from "../../util/closing.js";
import type { Streams } from "../terminal/streams.js";

export interface QueueOptions {
  readonly queue?: string;
}

/** The address of the queue that was given, or that of the environment. */
export function givenAddress({ queue }: QueueOptions): string | undefined {
  return queue ?? process.env.STRIATE_QUEUE;
}

/** Connects to the queue, tells its warnings, uses it, and closes the connection. */
export function withQueue<T>(
  options: QueueOptions,
  software: Software,
  { err }: Pick<Streams, "err">,
  use: (queue: WorkQueue) => Promise<T>,
  how: { readonly prepare?: boolean } = {},
): Promise<T> {
  return closing(openBullQueue(queueAddress(givenAddress(options)), software, how), async (queue) => {
    for (const line of queue.warnings) err.write(`${pc.yellow("warning:")} ${line}\n`);
    return use(queue);
  });
}

/** Connects to the queue of a sweep: to SLURM if options for it are given or the sweep was submitted there before. */
export async function withQueueOf<T>(
  folder: string,
  { run, software }: Pick<SweepPlan, "run" | "software">,
  { slurm, ...options }: QueueOptions & { readonly slurm?: string },
  streams: Pick<Streams, "err">,
  use: (queue: CellQueue) => Promise<T>,
): Promise<T> {
  if (slurm === undefined && (options.queue !== undefined || !(await isOnSlurm(folder))))
    return withQueue(options, software, streams, use);
  const command = [process.execPath, fileURLToPath(new URL("../main.js", import.meta.url))];
  const { threads } = run;
  return use(openSlurm({ folder, command, threads, ...(slurm !== undefined && { options: slurm }) }));
}
