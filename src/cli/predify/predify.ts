import { basename, dirname } from "node:path";
import pc from "picocolors";
import { describeSkipped } from "../../data/images/image-source.js";
import type { SkippedImage } from "../../data/images/image-source.js";
import type { Optimizer } from "../../nn/optimizer.js";
import { adam, rmsProp, sgd } from "../../nn/optimizers.js";
import type { State } from "../../nn/module.js";
import type { PredictiveNetwork, PredifyOptions, Preprocessing } from "../../systems/predify/index.js";
import {
  PREPROCESSINGS,
  describePreprocessing,
  imageData,
  knownPreprocessing,
  optionsFromConfig,
  parsePredifyConfig,
  predify,
  prepareImages,
  valuesFromState,
  writeStep,
  writeUnrolled,
} from "../../systems/predify/index.js";
import { openImages } from "../../systems/predify/training/image-sources-node.js";
import { loadOnnx } from "../../graph/onnx/read/open-node.js";
import { trainFeedback } from "../../systems/predify/training/train-node.js";
import { readAnyWeights, writeWeights } from "../../systems/predify/files/weights-node.js";
import type { TrainingData } from "../../train/task.js";
import { saveOnnx } from "../../graph/onnx/write/save-node.js";
import { check } from "../../util/errors.js";
import { ensureFolder, readFileChecked } from "../../util/files-node.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "../terminal/interrupt.js";
import { chooseOutFolder } from "../out-folder.js";
import { resumingCommand } from "../resuming-command.js";
import { createProgress } from "../terminal/progress.js";
import { statedPreprocessing } from "../options/preprocessing.js";
import type { Invocation } from "../commands/command.js";
import type { PredifyCommandOptions } from "../commands/predify.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";

const LARGEST_CONFIG = 2 ** 20;
const WEIGHT_DECAY = 5e-4;

/**
 * Predifies a network: reads the configuration, trains the decoders and exports the network. Returns the exit
 * status.
 */
export async function predifyFile(
  path: string,
  options: PredifyCommandOptions,
  invocation: Pick<Invocation, "streams" | "words">,
): Promise<number> {
  const { streams } = invocation;
  const { out = `p${basename(path, ".onnx")}.onnx` } = options;
  check(out.endsWith(".onnx"), () => `--out: expected a name that ends in .onnx, got "${out}"`);
  check(
    options.trainOn !== undefined || options.weights !== undefined,
    () => "expected --train-on FOLDER or --weights FILE: without them the decoders would be random",
  );
  const { noise, input: inputs } = options;
  const network = predify(await loadOnnx(path), {
    ...(await networkOptions(options, streams)),
    ...(noise && { noise }),
    ...(inputs && { inputs }),
  });
  streams.err.write(`${describeNetwork(basename(path), network)}\n`);
  const known = options.weights === undefined ? undefined : await readAnyWeights(options.weights, network);
  const preprocessing = preprocessingOf(basename(path), network, options);
  await ensureFolder(dirname(out));
  const values =
    options.trainOn === undefined
      ? known!
      : await trained(path, network, options.trainOn, known, preprocessing, options, invocation);
  if (values === undefined) return INTERRUPTED;
  await exportNetwork(network, values, preprocessing, { ...options, out }, streams);
  return 0;
}

/** The preprocessing that the file or the user gives; undefined if neither does. */
function preprocessingOf(
  name: string,
  { backbone }: PredictiveNetwork,
  options: PredifyCommandOptions,
): Preprocessing | undefined {
  const stated = statedPreprocessing(options);
  const [channels, ...space] = backbone.imageShape as [number, ...number[]];
  const shape = [channels, space.at(-2)!, space.at(-1)!] as const;
  return knownPreprocessing(stated, backbone.preprocessing, shape, name)?.preprocessing;
}

async function networkOptions(options: PredifyCommandOptions, streams: Streams): Promise<PredifyOptions> {
  const { config: file, pcoders, inputSize } = options;
  if (file === undefined) return { pcoders, ...(inputSize && { inputSize }) };
  const bytes = await readFileChecked(file, { what: "configuration", maxBytes: LARGEST_CONFIG });
  const { config, warnings } = parsePredifyConfig(new TextDecoder().decode(bytes));
  for (const { message } of warnings) streams.err.write(`${pc.yellow("note")} ${message}\n`);
  return optionsFromConfig(config);
}

/** Prints the PCoders and where they are, before training. */
export function describeNetwork(name: string, network: PredictiveNetwork): string {
  return renderTable({
    title: `${name} with ${network.pcoders.length} ${network.pcoders.length === 1 ? "PCoder" : "PCoders"}`,
    columns: [
      "PCoder",
      "after",
      "representation",
      "predicts",
      "feedforward",
      "feedback",
      "error",
      "decoder weights",
    ],
    alignLeft: ["after", "representation", "predicts"],
    rows: network.pcoders.map((pcoder) => {
      const { number, cut, shape, target, hyperparameters, hasFeedback } = pcoder;
      const { feedforward, feedback, error } = hyperparameters;
      const weights = [...network.parameters]
        .filter(([parameter]) => parameter.startsWith(`pcoder${number}.pmodule.`))
        .reduce((sum, [, tensor]) => sum + (tensor.shape as number[]).reduce((a, b) => a * b, 1), 0);
      return [
        String(number),
        cut.name,
        shape.join(" x "),
        target.join(" x "),
        String(feedforward),
        hasFeedback ? String(feedback) : "-",
        String(error),
        weights.toLocaleString("en-US"),
      ];
    }),
  });
}

/** Trains the decoders and returns the parameters; undefined if training was stopped. */
async function trained(
  path: string,
  network: PredictiveNetwork,
  from: string,
  known: State | undefined,
  stated: Preprocessing | undefined,
  options: PredifyCommandOptions,
  { streams, words }: Pick<Invocation, "streams" | "words">,
): Promise<State | undefined> {
  const { seed, epochs, learningRate, device, threads, resume } = options;
  const preprocessing = stated ?? PREPROCESSINGS.imagenet;
  if (stated === undefined) {
    streams.err.write(
      `${pc.yellow("caution")} neither the file nor an option gives the preprocessing, so ImageNet's usual ` +
        `preprocessing is assumed; if that is wrong, the decoders learn from wrong pixel values (--preprocessing)\n`,
    );
  }
  streams.err.write(`${pc.dim(`pixels: ${describePreprocessing(preprocessing)}`)}\n`);
  const batchSize = batchSizeOf(network, options.batchSize);
  if (typeof network.backbone.batch === "number") {
    streams.err.write(`${pc.yellow("note")} the file fixes the batch size to ${batchSize}\n`);
  }
  const { training, validation } = await dataOf(
    network,
    from,
    { batchSize, preprocessing },
    options,
    streams,
  );
  const folder = await chooseOutFolder(`predify-${basename(path, ".onnx")}`, {
    resume,
    force: false,
    ...(options.run !== undefined && { out: options.run }),
  });
  streams.err.write(
    `${pc.dim(`${training.count} images · ${epochs} ${epochs === 1 ? "epoch" : "epochs"} · ${device} · checkpoints in ${folder}`)}\n`,
  );
  const progress = createProgress({ stream: streams.err });
  const interrupt = interruptWork("after a checkpoint is written", (line) => {
    progress.note(line);
  });
  try {
    const run = await trainFeedback(network, training, {
      batchSize,
      seed,
      epochs,
      learningRate,
      optimizer: optimizerOf(options.optimizer),
      folder,
      resume,
      device,
      ...(threads !== undefined && { threads }),
      ...(known && { values: known }),
      ...(validation && { validation, evaluateEvery: Math.max(1, Math.floor(training.count / batchSize)) }),
      config: { preprocessing, optimizer: options.optimizer, learningRate },
      signal: interrupt.signal,
      onProgress: (event) => {
        progress.update("feedback", event);
      },
      onWarning: (line) => {
        progress.note(line);
      },
    });
    progress.stop();
    if (!run.finished) {
      streams.err.write(stoppedLine(resumingCommand(words, folder, "--run")));
      return undefined;
    }
    const last = run.evaluations.at(-1);
    if (last) streams.err.write(`${describeErrors(network, last)}\n`);
    return run.values;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

const BATCH_SIZE = 16;

/** The batch size: the requested one, or the one that the network's file fixes. */
function batchSizeOf({ backbone: { batch } }: PredictiveNetwork, asked: number | undefined): number {
  if (typeof batch !== "number") return asked ?? BATCH_SIZE;
  check(
    asked === undefined || asked === batch,
    () => `--batch-size: expected ${batch}, which the network's file fixes, got ${asked}`,
  );
  return batch;
}

function describeErrors(network: PredictiveNetwork, errors: Readonly<Record<string, number>>): string {
  const parts = network.pcoders.map(
    ({ number }) => `${number}: ${errors[`error.pcoder${number}`]?.toPrecision(3)}`,
  );
  return `Mean squared prediction errors on held-out images: ${parts.join("  ")}`;
}

async function dataOf(
  network: PredictiveNetwork,
  from: string,
  { batchSize, preprocessing }: { readonly batchSize: number; readonly preprocessing: Preprocessing },
  options: PredifyCommandOptions,
  streams: Streams,
): Promise<{ training: TrainingData; validation: TrainingData | undefined }> {
  const skipped: SkippedImage[] = [];
  const source = await openImages(from);
  streams.err.write(`${pc.dim(`reading ${source.name}: ${source.count} images`)}\n`);
  const images = await prepareImages(source, network.backbone.imageShape, {
    preprocessing,
    seed: options.seed,
    skipped,
    ...(options.images !== undefined && { most: options.images }),
  });
  const warning = describeSkipped(skipped, source.count);
  if (warning !== undefined) streams.err.write(`${pc.yellow("note")} ${warning}\n`);
  const all = imageData(images, preprocessing);
  const aside = Math.min(options.validation, Math.floor(all.count / 5));
  if (aside < options.validation) {
    streams.err.write(
      `${pc.yellow("note")} ${aside} images are held out instead of ${options.validation}: at most a fifth of the ${all.count} images\n`,
    );
  }
  const training = all.count - aside;
  check(
    training >= batchSize,
    () => `${source.name}: expected at least one batch of ${batchSize} training images, got ${training}`,
  );
  return {
    training: { ...all, count: training },
    validation:
      aside === 0
        ? undefined
        : {
            count: aside,
            fill: (indices, fields) => {
              all.fill(
                Array.from(indices, (i) => i + training),
                fields,
              );
            },
          },
  };
}

function optimizerOf(name: PredifyCommandOptions["optimizer"]): Optimizer {
  const options = { weightDecay: WEIGHT_DECAY };
  return name === "sgd" ? sgd(options) : name === "rmsProp" ? rmsProp(options) : adam(options);
}

async function exportNetwork(
  network: PredictiveNetwork,
  values: State,
  preprocessing: Preprocessing | undefined,
  { out, timesteps, step, constants, externalData }: PredifyCommandOptions & { readonly out: string },
  streams: Streams,
): Promise<void> {
  const hyperparameters = constants ? "constants" : "inputs";
  const common = { hyperparameters, preprocessing } as const;
  const stem = out.replace(/\.onnx$/, "");
  const files: [what: string, file: string][] = [[`logits at timesteps 0 to ${timesteps}`, out]];
  const storage = { externalData };
  await saveOnnx(out, writeUnrolled(network, values, { timesteps, ...common }), storage);
  if (step) {
    files.push(["one timestep, with states as inputs and outputs", `${stem}.step.onnx`]);
    await saveOnnx(`${stem}.step.onnx`, writeStep(network, values, common), storage);
  }
  files.push(["weights of the decoders", `${stem}.safetensors`]);
  await writeWeights(`${stem}.safetensors`, network, valuesFromState(network, values));
  const width = Math.max(...files.map(([what]) => what.length));
  for (const [what, file] of files) streams.out.write(`${what.padEnd(width)}  ${file}\n`);
}
