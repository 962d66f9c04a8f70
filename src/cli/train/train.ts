import { basename, join } from "node:path";
import pc from "picocolors";
import { describeSkipped } from "../../data/images/image-source.js";
import type { TrainingParts } from "../../data/sets/training-parts-node.js";
import { fingerprintOf, trainingParts } from "../../data/sets/training-parts-node.js";
import { findRate } from "../../experiments/own-images/find-rate.js";
import type { TrainableNetwork } from "../../experiments/own-images/networks.js";
import { openNetwork } from "../../experiments/own-images/networks.js";
import { addFeedback } from "../../experiments/own-images/feedback.js";
import type { TrainingRecipe } from "../../experiments/own-images/recipe.js";
import type { TrainedNetwork } from "../../experiments/own-images/train-network.js";
import {
  chosenParameters,
  descriptionOf,
  openLoader,
  trainNetwork,
  trainingData,
} from "../../experiments/own-images/train-network.js";
import type { TrainingReport } from "../../experiments/own-images/training-page.js";
import { ratePage, trainingPage } from "../../experiments/own-images/training-page.js";
import { wilsonInterval } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import { provenanceOf } from "../../report/provenance-node.js";
import type { ProgressEvent } from "../../train/progress.js";
import { readMetrics } from "../../train/run/metrics-file-node.js";
import { commandLine, shellWord } from "../../util/command-words.js";
import { check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { Invocation } from "../commands/command.js";
import type { TrainCommandOptions } from "../commands/train.js";
import { checkReportPackages } from "../needed-packages.js";
import { writeOptionsFile } from "../options/config-file.js";
import { chooseOutFolder } from "../out-folder.js";
import { resumingCommand } from "../resuming-command.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "../terminal/interrupt.js";
import { createProgress } from "../terminal/progress.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";
import { networkSettings, recipeOf, trainedNames } from "./settings.js";

type Context = Pick<Invocation, "given" | "streams" | "words">;

/** Trains a classifier on labelled images, and writes the network and a report. Returns the exit status. */
export async function trainClassifier(options: TrainCommandOptions, context: Context): Promise<number> {
  const started = performance.now();
  const { data, seed, device, resume, force } = options;
  const { streams, given, words } = context;
  check(
    data !== undefined,
    () => "expected --data with a folder of images or the name of a data set, got none",
  );
  checkReportPackages(device, "sharp");
  const settings = networkSettings(options);
  const parts = await trainingParts(data, { validation: options.validation, seed });
  const network = await openNetwork(settings, parts.train.classes, seed);
  const recipe = recipeOf(options, network.pretrained);
  const trains = trainedNames(options.trains);
  const trainable = chosenParameters(network, trains);
  const out = await chooseOutFolder(`train-${network.name}`, {
    resume,
    force,
    ...(options.out !== undefined && { out: options.out }),
  });
  describeWork(network, parts, recipe, streams);
  const progress = createProgress({ stream: streams.err });
  const interrupt = interruptWork("after a checkpoint is written", (line) => {
    progress.note(line);
  });
  const common = {
    recipe,
    seed,
    device,
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.loaders !== undefined && { loaders: options.loaders }),
    signal: interrupt.signal,
  };
  const told = (part: string) => ({
    onProgress: (event: ProgressEvent) => {
      progress.update(part, event);
    },
    onWarning: (line: string) => {
      progress.note(line);
    },
  });
  const stopped = (): number => {
    progress.stop();
    streams.err.write(stoppedLine(resumingCommand(words, out)));
    return INTERRUPTED;
  };
  try {
    if (options.findRate)
      return await searchRate(network, parts, { ...common, trainable, out, progress, streams });
    await ensureFolder(out);
    const { out: _out, resume: _resume, force: _force, config: _config, ...kept } = given;
    await writeOptionsFile(join(out, "config.toml"), kept, [
      "Options of a training run. To start the same run again:",
      `striate train --config ${shellWord(join(out, "config.toml"))}`,
    ]);
    const found = await trainNetwork(network, parts, {
      ...common,
      folder: out,
      resume,
      trains,
      ...(options.patience !== undefined && { patience: options.patience }),
      config: { settings: { ...settings }, recipe: { ...recipe }, trains, data: fingerprintOf(parts) },
      ...told("training"),
    });
    if (found === undefined) return stopped();
    const file = join(out, "model.onnx");
    const { about, metadata } = descriptionOf(network, parts.train.classes);
    await found.run.export(file, about, metadata);
    const files: [string, string][] = [["network", file]];
    if (options.predify !== undefined) {
      const predified = await addFeedback(file, parts, {
        ...common,
        pcoders: options.predify,
        timesteps: options.timesteps,
        folder: join(out, "feedback"),
        resume,
        ...told("feedback"),
      });
      if (predified === undefined) return stopped();
      files.push(["with feedback", predified]);
    }
    progress.stop();
    const seconds = (performance.now() - started) / 1000;
    const report = await reportOf(network, parts, found, {
      data: basename(data),
      recipe,
      out,
      words,
      seed,
      seconds,
    });
    await writeFileAtomic(join(out, "results.json"), `${JSON.stringify(report, null, 1)}\n`);
    await writeFileAtomic(join(out, "report.html"), await trainingPage(report));
    files.unshift(["report", join(out, "report.html")]);
    files.push(["results", join(out, "results.json")], ["options", join(out, "config.toml")]);
    printReport(report, files, streams);
    const last = files.find(([what]) => what === "with feedback")?.[1] ?? file;
    streams.out.write(
      `\nMeasure its robustness: striate robustness ${shellWord(last)} --data ${shellWord(data)} --corruptions benchmark\n`,
    );
    return 0;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

function describeWork(
  network: TrainableNetwork,
  { train, validation, test, text, cautions }: TrainingParts,
  recipe: TrainingRecipe,
  streams: Streams,
): void {
  const [channels, height, width] = network.imageShape;
  streams.err.write(
    `${pc.bold(network.name)}: images of ${height} x ${width} pixels and ${channels} ${channels === 1 ? "channel" : "channels"}\n`,
  );
  for (const choice of network.choices) streams.err.write(`${pc.dim(choice)}\n`);
  streams.err.write(
    `${pc.dim(`${train.classes.length} classes · ${train.count} images to train on, ${validation.count} for validation, ${test.count} to test · ${text}`)}\n`,
  );
  const { epochs, batchSize, accumulate = 1, optimizer, learningRate } = recipe;
  const batches = `batches of ${batchSize}${accumulate === 1 ? "" : `, ${accumulate} for each step`}`;
  streams.err.write(
    `${pc.dim(`${epochs} epochs · ${batches} · ${optimizer} with a learning rate of ${learningRate}`)}\n`,
  );
  for (const caution of cautions) streams.err.write(`${pc.yellow("caution")} ${caution}\n`);
}

async function searchRate(
  network: TrainableNetwork,
  { train }: TrainingParts,
  options: Parameters<typeof findRate>[2] & {
    readonly out: string;
    readonly loaders?: number;
    readonly progress: ReturnType<typeof createProgress>;
    readonly streams: Streams;
  },
): Promise<number> {
  const { recipe, out, progress, streams } = options;
  const loader = openLoader(train, network, recipe, options.loaders);
  try {
    const data = trainingData(loader, network, recipe, train.classes.length);
    const found = await findRate(network, data, {
      ...options,
      onProgress: (step, steps) => {
        progress.update("learning rates", { step, steps, imagesPerSecond: 0, secondsLeft: undefined });
      },
    });
    progress.stop();
    if (options.signal?.aborted === true) {
      streams.err.write(stoppedLine());
      return INTERRUPTED;
    }
    const path = join(out, "learning-rate.html");
    await ensureFolder(out);
    await writeFileAtomic(path, await ratePage(network.name, found));
    streams.out.write(
      `The loss was smallest at a learning rate of ${(10 * found.suggested).toPrecision(1)}. Start with a tenth of it: --learning-rate ${found.suggested}\nplot  ${path}\n`,
    );
    return 0;
  } finally {
    await loader.close();
  }
}

async function reportOf(
  network: TrainableNetwork,
  { train, validation, test, text, cautions }: TrainingParts,
  found: TrainedNetwork,
  context: {
    readonly data: string;
    readonly recipe: TrainingRecipe;
    readonly out: string;
    readonly words: readonly string[];
    readonly seed: number;
    readonly seconds: number;
  },
): Promise<TrainingReport> {
  const { data, recipe, out, words, seed, seconds } = context;
  const rows = await readMetrics(join(out, "metrics.jsonl"));
  return {
    network: network.name,
    choices: network.choices,
    data: {
      name: data,
      classes: train.classes,
      counts: { train: train.count, validation: validation.count, test: test.count },
      text,
      cautions,
    },
    recipe,
    trained: found.trained,
    parameters: found.parameters,
    losses: rows.flatMap(({ step, loss }) => (typeof loss === "number" ? [{ step, loss }] : [])),
    validation: found.validation,
    test: found.test,
    imagesPerSecond: found.run.imagesPerSecond,
    skipped: found.skipped,
    provenance: provenanceOf([seed], commandLine(words), seconds),
  };
}

function printReport(
  report: TrainingReport,
  files: readonly (readonly [string, string])[],
  streams: Streams,
): void {
  const { test, validation, skipped, data } = report;
  const { low, high } = wilsonInterval(Math.round(test.accuracy * test.count), test.count);
  const best = Math.max(...validation.map(({ accuracy }) => accuracy));
  const warning = describeSkipped(skipped, data.counts.train + data.counts.validation + data.counts.test);
  if (warning !== undefined) streams.err.write(`${pc.yellow("caution")} ${warning}\n`);
  const table = renderTable({
    title: `${report.network} on ${data.name}`,
    columns: ["", "accuracy %", "95 % interval", "images"],
    rows: [
      ["test", percent(test.accuracy), `${percent(low)} – ${percent(high)}`, String(test.count)],
      ["best on validation", percent(best), "", String(data.counts.validation)],
    ],
  });
  streams.out.write(`\n${table}\n\n`);
  const width = Math.max(...files.map(([what]) => what.length));
  for (const [what, path] of files) streams.out.write(`${what.padEnd(width)}  ${path}\n`);
}
