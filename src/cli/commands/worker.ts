import type { Parsed } from "../options/option.js";
import { flag, optional, standard } from "../options/option.js";
import { queue, scratch } from "../options/queue.js";
import { folder, positive } from "../options/values.js";
import { command } from "./command.js";

const options = {
  queue,
  jobs: standard(
    positive(),
    1,
    "number of cells that are computed at the same time, each with its own threads",
  ),
  folder: optional(
    folder,
    "the folder of the sweep on this machine, if it is not at the path at which it was submitted",
  ),
  scratch,
  lease: standard(
    positive("seconds"),
    60,
    "seconds without a sign of life after which another worker takes over the cells of this one",
  ),
  untilEmpty: flag("end when the queue is empty"),
};

export type WorkerCommandOptions = Parsed<typeof options>;

export const workerCommand = command({
  name: "worker",
  summary:
    "compute cells of sweeps from a queue; Ctrl-C or SIGTERM stores their checkpoints and hands them back",
  options,
  examples: [
    {
      line: "striate worker --queue redis://host:6379 --jobs 2",
      does: "computes two cells at a time until it is stopped",
    },
  ],
  run: async (given, { streams }) => {
    const { runWorkerCommand } = await import("../sweep/worker.js");
    await runWorkerCommand(given, streams);
  },
});
