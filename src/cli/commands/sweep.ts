import { SCALES } from "../../experiments/options.js";
import type { Parsed } from "../options/option.js";
import { flag, mandatory, optional, standard } from "../options/option.js";
import { queue, scratch } from "../options/queue.js";
import { device } from "../options/shared.js";
import { choice, folder, positive, text, whole } from "../options/values.js";
import { command } from "./command.js";

const submitOptions = {
  folder: mandatory(folder, "the folder of the sweep, which all machines share"),
  queue,
  slurm: optional(
    text("options"),
    "submit the cells to SLURM in place of a queue, with these options of sbatch, such as '--time=12:00:00 --mem=4G'",
  ),
  scale: standard(choice("scale", SCALES), "laptop", "how much of the paper's experiment is run"),
  seed: standard(whole(), 1, "first random seed"),
  seeds: optional(positive(), "number of random seeds, counted up from the first", "depends on the scale"),
  cells: optional(
    text("pattern"),
    "compute only the cells whose names match, such as 'digits2/*', and the cells that these start from",
    "all",
  ),
  device,
  threads: standard(
    positive(),
    1,
    "number of threads of each cell; the last bits of a result depend on it, so it is the same on all machines",
  ),
  dataSet: optional(text("names"), "comma-separated names of data sets (an unknown name prints the list)"),
  data: optional(text("path"), "folder or file of a published data set, at this path on all machines"),
  models: optional(text("names"), "comma-separated names of networks (an unknown name prints the list)"),
  upTiling: optional(
    positive("factor"),
    "shifted copies of each image along each axis, for finer feature maps",
  ),
};
const argument = { name: "folder", help: "the folder of the sweep", completes: "file" } as const;
const cells = optional(text("pattern"), "only cells whose names match, such as 'digits2/*'", "all");

export type SubmitOptions = Parsed<typeof submitOptions>;

export const sweepCommand = command({
  name: "sweep",
  summary: "compute the cells of an experiment on many machines: submit, watch, cancel and collect them",
  options: {},
  examples: [{ line: "striate sweep", does: "lists what can be done with a sweep" }],
  commands: [
    command({
      name: "init",
      summary: "check a queue, and create or update its tables in PostgreSQL, which cannot be undone",
      options: { queue },
      examples: [
        { line: "striate sweep init --queue postgres://me@host/sweeps", does: "creates the tables" },
      ],
      run: async (options, { streams }) => {
        const { initQueue } = await import("../sweep/sweep.js");
        await initQueue(options, streams);
      },
    }),
    command({
      name: "submit",
      summary:
        "plan a sweep and put its cells into the queue; given again, put there what is neither finished nor in it",
      argument: { name: "experiment", help: "name of the experiment", completes: "experiment" },
      options: submitOptions,
      examples: [
        {
          line: "striate sweep submit synchrony --scale paper --folder /shared/synchrony --queue redis://host:6379",
          does: "starts a sweep, continues a cancelled one, or rebuilds a queue that was lost",
        },
        {
          line: "striate sweep submit synchrony --folder /shared/synchrony --slurm '-p long -t 240'",
          does: "submits the cells as arrays of SLURM jobs, without a queue of our own",
        },
      ],
      run: async (options, { argument: experiment, streams }) => {
        const { submit } = await import("../sweep/submit.js");
        await submit(experiment, options, streams);
      },
    }),
    command({
      name: "status",
      summary: "show the states of all cells, errors, and the time that is left for all of them",
      argument,
      options: {
        queue,
        watch: flag("show it again every few seconds until all cells are finished or have failed"),
      },
      examples: [{ line: "striate sweep status /shared/synchrony --watch", does: "follows a sweep" }],
      run: async (options, { argument: path, streams }) => {
        const { showStatus } = await import("../sweep/status.js");
        return showStatus(path, options, streams);
      },
    }),
    command({
      name: "cancel",
      summary:
        "stop a sweep: running cells store their checkpoints, and striate sweep submit continues there",
      argument,
      options: { queue },
      examples: [{ line: "striate sweep cancel /shared/synchrony", does: "stops all cells" }],
      run: async (options, { argument: path, streams }) => {
        const { cancel } = await import("../sweep/sweep.js");
        await cancel(path, options, streams);
      },
    }),
    command({
      name: "retry",
      summary: "remove failed cells from the queue and add them again, to continue at their checkpoints",
      argument,
      options: { queue, cells },
      examples: [{ line: "striate sweep retry /shared/synchrony", does: "tries all failed cells again" }],
      run: async (options, { argument: path, streams }) => {
        const { retry } = await import("../sweep/sweep.js");
        await retry(path, options, streams);
      },
    }),
    command({
      name: "collect",
      summary: "copy the finished cells into a run folder, and write the experiment's report there",
      argument,
      options: { out: optional(folder, "the run folder", "the folder report in that of the sweep") },
      examples: [
        {
          line: "striate sweep collect /shared/synchrony --out runs/synchrony",
          does: "writes report.html, or tables of what is finished so far",
        },
      ],
      run: async (options, { argument: path, streams }) => {
        const { collect } = await import("../sweep/sweep.js");
        return collect(path, options, streams);
      },
    }),
    command({
      name: "cell",
      summary: "compute one cell; the jobs that striate sweep submit --slurm submits call this command",
      argument,
      options: {
        submission: mandatory(positive(), "number of the submission to SLURM"),
        index: mandatory(whole(), "index of the cell in the array"),
        scratch,
      },
      examples: [
        {
          line: "striate sweep cell /shared/synchrony --submission 1 --index 0",
          does: "computes the first cell of the first submission, as its job does",
        },
      ],
      run: async (options, { argument: path, streams }) => {
        const { runTask } = await import("../sweep/cell.js");
        return runTask(path, options, streams);
      },
    }),
  ],
  run: (_options, { streams }) => {
    streams.out.write(
      "striate sweep init, submit, status, cancel, retry and collect: striate sweep --help says what they do\n",
    );
    return Promise.resolve(undefined);
  },
});
