import pc from "picocolors";
import { preprocessingPreset } from "../data/images/preprocessing.js";
import type { Experiment, ExperimentResult } from "../experiments/experiment.js";
import type { ExperimentOptions, SpecialOptions } from "../experiments/options.js";
import { SPECIAL_OPTIONS, findExperiment } from "../experiments/registry.js";
import { flagOf } from "../util/command-words.js";
import { check } from "../util/errors.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "./terminal/interrupt.js";
import { checkReportPackages } from "./needed-packages.js";
import { exploreCommandLine } from "./explorer-site.js";
import { chooseOutFolder } from "./out-folder.js";
import { resumingCommand } from "./resuming-command.js";
import type { RunOptions } from "./commands/run.js";
import type { Invocation } from "./commands/command.js";
import { createProgress } from "./terminal/progress.js";
import type { Streams } from "./terminal/streams.js";
import { renderTable } from "./terminal/table.js";

/** Runs an experiment and prints its results. Returns the exit status. */
export async function runExperiment(
  name: string,
  options: RunOptions,
  { streams, words }: Pick<Invocation, "streams" | "words">,
  among?: readonly Experiment[],
): Promise<number> {
  const experiment = findExperiment(name, among);
  const { scale, device, threads, resume } = options;
  check(
    options.cells === undefined || experiment.choosesCells,
    () => `${experiment.name} has no cells that can be run separately: leave --cells out`,
  );
  const special = specialOptions(experiment, options);
  const { model } = options;
  const preprocessing =
    options.preprocessing === undefined ? undefined : preprocessingPreset(options.preprocessing);
  check(
    model === undefined || experiment.takesModel,
    () => `${experiment.name} trains its own networks: leave --model out`,
  );
  check(
    model !== undefined || preprocessing === undefined,
    () => "--preprocessing has no effect without --model",
  );
  checkReportPackages(device);
  const { seeds: usual, summary } = experiment.scales[scale];
  return runTheExperiment(
    experiment,
    {
      title: experiment.name,
      summary: `at scale ${scale}: ${summary}`,
      folder: `${experiment.name}-${scale}`,
      scale,
      seeds: Array.from({ length: options.seeds ?? usual }, (_, i) => options.seed + i),
      device,
      threads,
      resume,
      force: options.force,
      ...(options.out !== undefined && { out: options.out }),
      ...(options.cells !== undefined && { cells: options.cells }),
      ...(model !== undefined && {
        model: {
          path: model,
          ...(preprocessing && { preprocessing, flags: `--preprocessing ${options.preprocessing!}` }),
        },
      }),
      ...special,
    },
    { streams, words },
  );
}

/** What a run of an experiment needs besides the experiment. */
export interface RunRequest extends Omit<ExperimentOptions, "out" | "signal" | "onProgress" | "onNote"> {
  /** Title and summary for the terminal. */
  readonly title: string;
  readonly summary: string;
  /** Beginning of the name of a new folder in runs/. */
  readonly folder: string;
  readonly out?: string;
  readonly force: boolean;
}

/** Runs an experiment with progress in the terminal, and prints its results. Returns the exit status. */
export async function runTheExperiment(
  experiment: Experiment,
  { title, summary, folder, force, out: stated, ...request }: RunRequest,
  { streams, words }: Pick<Invocation, "streams" | "words">,
): Promise<number> {
  const { seeds, device, resume } = request;
  const out = await chooseOutFolder(folder, { resume, force, ...(stated !== undefined && { out: stated }) });
  streams.err.write(`${pc.bold(title)} ${summary}\n`);
  streams.err.write(`${pc.dim(`seeds ${seeds.join(", ")} · ${device} · results in ${out}`)}\n`);

  const progress = createProgress({ stream: streams.err });
  const interrupt = interruptWork("after a checkpoint is written", (line) => {
    progress.note(line);
  });
  try {
    const result = await experiment.run({
      ...request,
      out,
      signal: interrupt.signal,
      onProgress: (task, event) => {
        progress.update(task, event);
      },
      onNote: (line) => {
        progress.note(line);
      },
    });
    progress.stop();
    printResult(result, streams);
    const { explorerView: view } = experiment;
    if (!result.interrupted && result.files.length > 0 && view !== undefined)
      streams.out.write(`\nSee such a network run live in a browser: ${exploreCommandLine(view)}\n`);
    if (result.interrupted) streams.err.write(stoppedLine(resumingCommand(words, out)));
    return result.interrupted ? INTERRUPTED : 0;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

/** The options that were given. Throws `StriateError` for an option that the experiment does not have. */
export function specialOptions(
  { name, takes = [] }: Experiment,
  options: Pick<RunOptions, keyof SpecialOptions>,
): SpecialOptions {
  const given = SPECIAL_OPTIONS.filter((key) => options[key] !== undefined);
  for (const key of given) {
    check(takes.includes(key), () => {
      const taken = takes.map(flagOf).join(", ");
      return `${name} has no ${flagOf(key)}${taken === "" ? "" : `; its options are ${taken}`}`;
    });
  }
  return Object.fromEntries(given.map((key) => [key, options[key]]));
}

/** Prints the text and the tables of a result, and lists its files. */
export function printResult(result: ExperimentResult, streams: Streams): void {
  if (result.text !== undefined) streams.out.write(`\n${result.text}\n`);
  for (const table of result.tables) streams.out.write(`\n${renderTable(table)}\n`);
  const width = Math.max(...result.files.map(({ what }) => what.length));
  if (result.files.length > 0) streams.out.write("\n");
  for (const { what, path } of result.files) streams.out.write(`${what.padEnd(width)}  ${path}\n`);
}
