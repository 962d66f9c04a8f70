import { existsSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { findExperiment } from "../../experiments/registry.js";
import type { SweepPlan, SweepRun } from "../../sweeps/plan.js";
import { createSweep, optionsOf, readSweep } from "../../sweeps/plan.js";
import { softwareOf } from "../../sweeps/software.js";
import { SweepStore } from "../../sweeps/store.js";
import { submitSweep } from "../../sweeps/sweep.js";
import { openSweep } from "../../sweeps/worker.js";
import { check, counted } from "../../util/errors.js";
import { firstDifference, toJson } from "../../util/json.js";
import type { SubmitOptions } from "../commands/sweep.js";
import { checkReportPackages } from "../needed-packages.js";
import { specialOptions } from "../run.js";
import type { Streams } from "../terminal/streams.js";
import { withQueueOf } from "./connect.js";

/** Plans a sweep, unless its folder has it already, and puts its cells into the queue. */
export async function submit(name: string, options: SubmitOptions, streams: Streams): Promise<void> {
  const experiment = findExperiment(name);
  const { folder, scale, seed, seeds, device, threads, cells } = options;
  check(
    cells === undefined || experiment.choosesCells,
    () => `${experiment.name} has no cells that can be run separately: leave --cells out`,
  );
  const count = seeds ?? experiment.scales[scale].seeds;
  const run: SweepRun = {
    experiment: experiment.name,
    scale,
    seeds: Array.from({ length: count }, (_, i) => seed + i),
    device,
    threads,
    ...(cells !== undefined && { cells }),
    ...specialOptions(experiment, options),
  };
  checkReportPackages(device);
  check(
    options.slurm === undefined || options.queue === undefined,
    () => "--queue and --slurm exclude each other: expected one of them",
  );
  await withQueueOf(folder, { run, software: softwareOf() }, options, streams, async (queue) => {
    const plan = existsSync(join(folder, "sweep.json"))
      ? await sameSweep(folder, run)
      : await createSweep(
          folder,
          run,
          await experiment.open(
            optionsOf(run, folder, new AbortController().signal, (line) => streams.err.write(`${line}\n`)),
          ),
        );
    const { added, finished, queued, failed, uncertain } = await submitSweep({
      plan,
      store: new SweepStore(folder),
      queue,
    });
    const facts = [
      `${added.length} added to the queue`,
      ...(finished > 0 ? [`${finished} finished`] : []),
      ...(queued > 0 ? [`${queued} in the queue already`] : []),
      ...(failed > 0 ? [`${failed} failed (striate sweep retry ${folder})`] : []),
      ...(uncertain.length > 0 ? [`${uncertain.length} uncertain (${uncertain.join(", ")})`] : []),
    ];
    streams.out.write(`${pc.bold(plan.id)}: ${counted(plan.cells.length, "cell")}, ${facts.join(", ")}\n`);
    const computes =
      queue.shown === "SLURM"
        ? "SLURM computes them"
        : `striate worker --queue ${queue.shown} --jobs N computes them`;
    streams.err.write(`${pc.dim(`${computes}; striate sweep status ${folder} --watch shows them`)}\n`);
  });
}

/** The plan in a folder, which must be that of the same run. */
async function sameSweep(folder: string, run: SweepRun): Promise<SweepPlan> {
  await openSweep(folder);
  const plan = await readSweep(folder);
  const difference = firstDifference(
    toJson(plan.run, "the plan of the sweep"),
    toJson(run, "the options of the sweep"),
  );
  check(difference === undefined, () => {
    const { path, expected, found } = difference!;
    return (
      `the sweep in "${folder}": expected the options with which it was submitted, ${path} ${JSON.stringify(expected)}, ` +
      `got ${JSON.stringify(found)}; choose another folder for a new sweep`
    );
  });
  return plan;
}
