import { basename, dirname } from "node:path";
import { availableParallelism } from "node:os";
import pc from "picocolors";
import type { ImageSource, SkippedImage } from "../data/images/image-source.js";
import { describeSkipped, imageSubset } from "../data/images/image-source.js";
import { namedImages, readClassOrder } from "../data/sets/named-images-node.js";
import type { Preprocessing } from "../data/images/preprocessing.js";
import { preprocessingMetadata } from "../data/images/preprocessing.js";
import type { PreparedImages } from "../data/images/prepared-images.js";
import { prepareImages } from "../data/images/prepared-images.js";
import { machine, versions } from "../report/provenance-node.js";
import { input, tensorData, writeOnnx } from "../graph/index.js";
import type { OnnxFile } from "../graph/onnx/read/read.js";
import { bytesOfModel, openOnnx } from "../graph/onnx/read/open-node.js";
import { median, wilsonInterval } from "../metrics/index.js";
import { quantize } from "../nn/index.js";
import type { ImageBatch } from "../robustness/classifier.js";
import { Classifier } from "../robustness/classifier.js";
import type { Network } from "../robustness/network.js";
import type { OnnxNetworkOptions } from "../robustness/onnx-network.js";
import { onnxNetwork } from "../robustness/onnx-network.js";
import { applyPreprocessing } from "../robustness/preprocess-graph.js";
import { saveOnnx } from "../graph/onnx/write/save-node.js";
import { nodeRuntime } from "../runtime/node.js";
import { workerRuntime } from "../runtime/worker-node.js";
import type { Values } from "../runtime/runtime.js";
import { openImages } from "../systems/predify/training/image-sources-node.js";
import type { InputRoles } from "../train/model-description.js";
import { describeModel, inputRoles, inputValue } from "../train/model-description.js";
import { constantData } from "../graph/index.js";
import { StriateError, check } from "../util/errors.js";
import { ensureFolder } from "../util/files-node.js";
import { Random } from "../util/random.js";
import type { QuantizeCommandOptions } from "./commands/quantize.js";
import { statedPreprocessing } from "./options/preprocessing.js";
import { createProgress } from "./terminal/progress.js";
import type { Streams } from "./terminal/streams.js";
import { renderTable } from "./terminal/table.js";

/** Number of timed runs of each network, after one warm-up run. */
const TIMED_RUNS = 7;

/** Writes an int8 version of a classifier and compares it with the original. */
export async function quantizeFile(
  path: string,
  options: QuantizeCommandOptions,
  streams: Streams,
): Promise<void> {
  const { out = path.replace(/\.onnx$/, "") + "-int8.onnx", threads, seed } = options;
  check(out.endsWith(".onnx"), () => `--out: expected a name that ends in .onnx, got "${out}"`);
  const name = basename(path);
  const file = await openOnnx(path, name);
  const stated = statedPreprocessing(options);
  const network = onnxNetwork(file, networkOptions(options, stated, name));
  const { source, isLabelled } = await pictures(network, options);
  const skipped: SkippedImage[] = [];
  const progress = createProgress({ stream: streams.err });
  try {
    const order = Random.derive(seed, "images").permutation(source.count);
    const calibrating = await prepared(
      imageSubset(source, order.slice(0, options.calibrationImages)),
      network,
      skipped,
    );
    check(calibrating.count > 0, () => `"${options.data}": none of its images can be read`);
    const rest = order.slice(options.calibrationImages, options.calibrationImages + options.images);
    const compared =
      rest.length === 0 ? calibrating : await prepared(imageSubset(source, rest), network, skipped);
    const batches = await calibrationBatches(file, network, calibrating, options);
    const model = file.read(batchShape(network, file, options));
    const { outputs, quantised } = await quantize(model, batches, {
      // In another thread, so that this one can say that a graph takes long to open.
      runtime: workerRuntime,
      onWarning: (line) => {
        progress.note(line);
      },
      calibration: options.calibration,
      percentile: options.percentile,
      reduceRange: options.reduceRange,
      ...(options.keep && { keep: options.keep }),
      ...(threads !== undefined && { threads }),
      onProgress: (step, steps) => {
        progress.update("calibration", { step, steps, imagesPerSecond: 0, secondsLeft: undefined });
      },
    });
    const metadata = { ...(stated && preprocessingMetadata(network.preprocessing)), ...model.metadata };
    const written = writeOnnx(outputs, { metadata });
    const { bytes } = written;
    await ensureFolder(dirname(out));
    await saveOnnx(out, written, { externalData: options.externalData });
    const both = [network, onnxNetwork(bytes, networkOptions(options, stated, basename(out)))].map(
      (one) =>
        new Classifier(one, nodeRuntime, { fixedNoise: seed, ...(threads !== undefined && { threads }) }),
    ) as [Classifier, Classifier];
    const figures = await compare(both, compared, options.batch, (step, steps) => {
      progress.update("comparison", { step, steps, imagesPerSecond: 0, secondsLeft: undefined });
    });
    progress.stop();
    const warning = describeSkipped(skipped, source.count);
    if (warning !== undefined) streams.err.write(`${pc.yellow("note")} ${warning}\n`);
    const sizes = [bytesOfModel(path, file), bytes.byteLength] as const;
    const what = Object.entries(quantised).map(([type, count]) => `${count} ${type}`);
    streams.out.write(
      `${table({ name, figures, sizes, isLabelled, images: compared.count, isSame: rest.length === 0, what }, options)}\n${out}\n`,
    );
  } finally {
    progress.stop();
  }
}

function networkOptions(
  { size, output, noise, input: inputs }: QuantizeCommandOptions,
  preprocessing: Preprocessing | undefined,
  name: string,
): OnnxNetworkOptions {
  return {
    name,
    answers: "logits",
    ...(preprocessing && { preprocessing }),
    ...(size !== undefined && { size }),
    ...(output !== undefined && { output }),
    ...(noise && { noise }),
    ...(inputs && { inputs }),
  };
}

// ---- images ------------------------------------------------------------------------------------------------------------

/** Reads images with labels if their classes are those of the network, otherwise without labels. */
async function pictures(
  network: Network,
  { data, split, classes }: QuantizeCommandOptions,
): Promise<{ readonly source: ImageSource; readonly isLabelled: boolean }> {
  const outputs = network.classes;
  try {
    const source = await namedImages(data, {
      outputs,
      ...(split !== undefined && { split }),
      ...(classes !== undefined && { classes: await readClassOrder(classes, outputs) }),
    });
    const fits = source.labels.every((label) => label < outputs);
    if (fits) return { source, isLabelled: true };
  } catch (error) {
    if (!(error instanceof StriateError) || classes !== undefined) throw error;
  }
  return { source: await openImages(data, "test"), isLabelled: false };
}

function prepared(source: ImageSource, network: Network, skipped: SkippedImage[]): Promise<PreparedImages> {
  const { imageShape, preprocessing } = network;
  return prepareImages(source, imageShape, { preprocessing, skipped });
}

/** Reads some of the images as numbers in [0, 1]. */
function batchOf({ pixels, shape }: PreparedImages, from: number, count: number): ImageBatch {
  const size = shape.reduce((a, b) => a * b, 1);
  const part = pixels.subarray(from * size, (from + count) * size);
  return { count, data: Float32Array.from(part, (byte) => byte / 255) };
}

// ---- inputs of the network ---------------------------------------------------------------------------------------------

/** The shape of the images, with the size from the options if the file leaves it open. */
function batchShape(network: Network, file: OnnxFile, options: QuantizeCommandOptions) {
  if (options.size === undefined) return {};
  const { inputs } = file.read();
  const images = rolesOf(file, options).others[0]!;
  const [channels, height, width] = network.imageShape;
  const [batch] = inputs[images]!.shape;
  const last = network.preprocessing.layout === "NHWC";
  const space = last ? [height, width, channels] : [channels, height, width];
  return { inputShapes: { [images]: [batch!, ...space] } };
}

function rolesOf(file: OnnxFile, { noise, input: inputs }: QuantizeCommandOptions): InputRoles {
  const model = file.read();
  return inputRoles(model, describeModel(model.metadata, file.what), file.what, {
    ...(noise && { noise }),
    ...(inputs && { inputs }),
  });
}

/** The inputs of the network for some images: preprocessed images, noise, and constant values of other inputs. */
async function calibrationBatches(
  file: OnnxFile,
  network: Network,
  images: PreparedImages,
  options: QuantizeCommandOptions,
): Promise<Values[]> {
  const { inputs } = file.read();
  const roles = rolesOf(file, options);
  const key = roles.others[0]!;
  check(
    inputs[key]!.dtype === "float32",
    () => `${network.name}: expected a network with float32 images, got ${inputs[key]!.dtype}`,
  );
  const x = input("x", ["batch", ...network.imageShape]);
  const y = applyPreprocessing(x, network.preprocessing);
  const session = await nodeRuntime.createSession(
    writeOnnx({ y: y === x ? applyPreprocessing(x, { scale: 1 }) : y }).bytes,
  );
  const batches: Values[] = [];
  const size = network.fixedBatch ?? options.batch;
  const whole = network.fixedBatch === undefined ? images.count : images.count - (images.count % size);
  check(
    whole > 0,
    () =>
      `${network.name}: expected at least ${size} calibration images, the network's batch size, got ${images.count}`,
  );
  for (let from = 0; from < whole; from += size) {
    const { count, data } = batchOf(images, from, Math.min(size, whole - from));
    const { y: pixels } = await session.run({ x: tensorData(data, [count, ...network.imageShape]) });
    const others = Object.entries(inputs).flatMap(([name, tensor]): [string, Values[string]][] => {
      if (name === key) return [];
      const given = roles.values[name];
      if (given !== undefined)
        return [[name, constantData(inputValue(tensor, given, `the input "${name}"`))!]];
      const kind = roles.noise[name];
      const shape = tensor.shape.map((dim) => (typeof dim === "number" ? dim : count));
      const drawn = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const random = Random.derive(options.seed, "noise", from, name);
      return [
        [name, tensorData(kind === "uniform" ? random.fillUniform(drawn) : random.fillNormal(drawn), shape)],
      ];
    });
    batches.push({ [key]: pixels!, ...Object.fromEntries(others) });
  }
  await session.close();
  return batches;
}

// ---- comparison ----------------------------------------------------------------------------------------------------------

interface Figures {
  /** Numbers of correct predictions of the float32 network and of the quantised one. */
  readonly top1: readonly number[];
  readonly top5: readonly number[];
  readonly agreeing: number;
  /** Median time of a batch in milliseconds. */
  readonly times: readonly number[];
}

async function compare(
  both: readonly [Classifier, Classifier],
  images: PreparedImages,
  batch: number,
  onProgress: (done: number, count: number) => void,
): Promise<Figures> {
  const [top1, top5] = [
    [0, 0],
    [0, 0],
  ];
  let agreeing = 0;
  for (let from = 0; from < images.count; from += batch) {
    const part = batchOf(images, from, Math.min(batch, images.count - from));
    const answers: (number | undefined)[][] = [];
    for (const [which, classifier] of both.entries()) {
      const logits = await classifier.logits(part);
      const classes = logits.length / part.count;
      const best = Array.from({ length: part.count }, (_, row) =>
        bestOf(logits.subarray(row * classes, (row + 1) * classes)),
      );
      best.forEach((ranked, row) => {
        const label = images.labels[from + row]!;
        if (ranked[0] === label) top1[which] = top1[which]! + 1;
        if (ranked.includes(label)) top5[which] = top5[which]! + 1;
      });
      answers.push(best.map((ranked) => ranked[0]));
    }
    agreeing += answers[0]!.filter((answer, row) => answer === answers[1]![row]).length;
    onProgress(Math.min(images.count, from + batch), images.count);
  }
  // Alternating runs, so that other load on the machine affects both alike.
  const part = batchOf(images, 0, Math.min(batch, images.count));
  const times: [number[], number[]] = [[], []];
  for (let run = 0; run < TIMED_RUNS; run++) {
    for (const [which, classifier] of both.entries()) {
      const began = performance.now();
      await classifier.logits(part);
      times[which]!.push(performance.now() - began);
    }
  }
  for (const classifier of both) await classifier.close();
  return { top1, top5, agreeing, times: times.map(median) };
}

/** The classes with the five largest scores, in descending order. */
function bestOf(scores: Float32Array): readonly number[] {
  return Array.from(scores.keys())
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, 5);
}

interface Findings {
  readonly name: string;
  readonly figures: Figures;
  readonly sizes: readonly [number, number];
  readonly isLabelled: boolean;
  readonly images: number;
  /** Whether the comparison uses the calibration images. */
  readonly isSame: boolean;
  readonly what: readonly string[];
}

function table(
  { name, figures, sizes, isLabelled, images, isSame, what }: Findings,
  { data, batch, threads, calibration, calibrationImages, seed }: QuantizeCommandOptions,
): string {
  const { top1, top5, agreeing, times } = figures;
  const share = (right: number) => {
    const { low, high } = wilsonInterval(right, images);
    return [(100 * right) / images, 100 * low, 100 * high].map((value) => value.toFixed(1));
  };
  const accuracy = (right: number) => {
    const [value, low, high] = share(right);
    return `${value} (${low} – ${high})`;
  };
  const row = (title: string, values: readonly number[], show: (value: number) => string, last: string) => [
    title,
    ...values.map(show),
    last,
  ];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
  const difference = (counts: readonly number[]) => ((100 * (counts[1]! - counts[0]!)) / images).toFixed(1);
  const software = Object.entries(versions()).map(([package_, version]) => `${package_} ${version}`);
  return renderTable({
    title: `${name} with 8 bits`,
    columns: ["", "float32", "int8", "difference"],
    rows: [
      ...(isLabelled
        ? [row("top-1 %", top1, accuracy, difference(top1)), row("top-5 %", top5, accuracy, difference(top5))]
        : []),
      ["same answer %", "", accuracy(agreeing), ""],
      row("size, MB", sizes, megabytes, `${(sizes[0] / sizes[1]).toFixed(2)} times smaller`),
      row(
        `time of ${Math.min(batch, images)} images, ms`,
        times,
        (value) => value.toFixed(1),
        `${(times[0]! / times[1]!).toFixed(2)} times as fast`,
      ),
    ],
    notes: [
      `${images} images of ${data}${isSame ? ", the same as for calibration" : ""}; ` +
        `95 % intervals by Wilson${isLabelled ? "" : "; no accuracy without labels"}`,
      `calibration ${calibration} on up to ${calibrationImages} images, seed ${seed}; quantised: ${what.join(", ")}`,
      `medians of ${TIMED_RUNS} alternating runs, ${threads ?? availableParallelism()} threads, ${machine()}; ${software.join(", ")}`,
    ],
  });
}
