import type { TensorData } from "../../../graph/index.js";
import { input, lower, mean, square, sub, tensorData, writeOnnx } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import type { Runtime, Session, SessionOptions } from "../../../runtime/runtime.js";
import { sessionOptionsOf, targetOf } from "../../../runtime/runtime.js";
import type { OpeningOptions } from "../../../runtime/slow-opening.js";
import { sayIfSlow } from "../../../runtime/slow-opening.js";
import { checkTensor } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import type { Random } from "../../../util/random.js";
import type { UnrolledOptions } from "../files/export.js";
import { writeUnrolled } from "../files/export.js";
import type { Hyperparameters } from "./hyperparameters.js";
import { HYPERPARAMETER_INPUTS, checkHyperparameters } from "./hyperparameters.js";
import { countWindow, openDecoder, windowDraws } from "../decoder/measure-window.js";
import type { PredictiveNetwork } from "./network.js";
import { PRIOR_INPUT, stateName } from "./network.js";

/** The inputs of one run in addition to the images. */
export interface RunInputs {
  /** One set of hyper-parameters for all PCoders, or a list with one for each. Default: the network's. */
  readonly hyperparameters?: Partial<Hyperparameters> | readonly Partial<Hyperparameters>[];
  /**
   * Top-down prediction for the last PCoder, in the shape of its representation with a batch axis first. It
   * is required if the network has a top-down prior.
   */
  readonly prior?: TensorData;
  /**
   * The stream for random draws. It is required if representations start at random or the backbone has noise
   * inputs.
   */
  readonly random?: Random;
}

/** A loaded network that returns its outputs at every timestep. */
export interface PredictiveRunner {
  /**
   * Runs the network on images [batch, ...imageShape]. Returns "logits" [timesteps + 1, batch, classes] and
   * the other outputs that were requested from `openPredictive`. If the network's file fixes the batch size,
   * the images are run in several batches of that size.
   *
   * @throws StriateError if the images have the wrong shape, or if a logit is not finite; the message names the
   * timestep
   */
  run(images: TensorData, inputs?: RunInputs): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

/**
 * Loads a network that is unrolled over timesteps into one graph. Each run may use other hyper-parameters.
 *
 * @example
 * ```ts
 * import { Random, initialState } from "striate";
 * import { loadOnnx, nodeRuntime } from "striate/node";
 * import { openPredictive, predify } from "striate/predify";
 *
 * const network = predify(await loadOnnx("vgg11.onnx"), { pcoders: 3 });
 * const values = initialState(network.parameters, (name) => Random.derive(1, name)); // or those of trainFeedback
 * const runner = await openPredictive(network, values, nodeRuntime, { timesteps: 4 });
 * ```
 */
export async function openPredictive(
  network: PredictiveNetwork,
  values: State,
  runtime: Runtime,
  options: UnrolledOptions & SessionOptions & OpeningOptions,
): Promise<PredictiveRunner> {
  const target = targetOf(runtime, options);
  const model = writeUnrolled(network, values, { hyperparameters: "inputs", target, ...options });
  const opening = runtime.createSession(model, sessionOptionsOf(options));
  const session = await sayIfSlow(opening, options.onWarning);
  return {
    run: async (images, inputs = {}) => {
      checkImages(network, images);
      const { batch } = network.backbone;
      const size = typeof batch === "number" ? batch : images.shape[0]!;
      const parts: Record<string, TensorData>[] = [];
      for (let start = 0; start < images.shape[0]!; start += size) {
        const partInputs = { ...inputs, ...(inputs.prior && { prior: rowsOf(inputs.prior, start, size) }) };
        const feeds = feedsOf(network, rowsOf(images, start, size), partInputs);
        const results = await session.run(feedsForInputs(session, feeds));
        checkFinite(results.logits!);
        parts.push(results);
      }
      return parts.length === 1 && size === images.shape[0]! ? parts[0]! : joined(parts, images.shape[0]!);
    },
    close: () => session.close(),
  };
}

/**
 * Takes `count` images of a batch, starting at index `start`. If fewer are left, the last image of the batch
 * is repeated.
 */
function rowsOf(images: TensorData, start: number, count: number): TensorData {
  const [total, ...rest] = images.shape as [number, ...number[]];
  if (start === 0 && count === total) return images;
  const size = rest.reduce((a, b) => a * b, 1);
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const from = Math.min(start + i, total - 1) * size;
    data.set((images.data as Float32Array).subarray(from, from + size), i * size);
  }
  return tensorData(data, [count, ...rest]);
}

/**
 * Joins the results of several runs: averages errors, concatenates logits along axis 1 and everything else
 * along axis 0, and keeps the first `count` images.
 */
function joined(parts: readonly Record<string, TensorData>[], count: number): Record<string, TensorData> {
  return Object.fromEntries(
    Object.keys(parts[0]!).map((name) => {
      const values = parts.map((part) => part[name]!);
      if (name.startsWith("error.")) return [name, meanOf(values)];
      return [name, alongAxis(values, name === "logits" ? 1 : 0, count)];
    }),
  );
}

function meanOf(values: readonly TensorData[]): TensorData {
  const sums = Float32Array.from(values[0]!.data as Float32Array, (_, i) =>
    values.reduce((total, { data }) => total + Number(data[i]) / values.length, 0),
  );
  return tensorData(sums, values[0]!.shape);
}

/** Concatenates values along an axis and keeps the first `count` entries. */
function alongAxis(values: readonly TensorData[], axis: number, count: number): TensorData {
  const { shape } = values[0]!;
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const [each, inner] = [shape[axis]!, shape.slice(axis + 1).reduce((a, b) => a * b, 1)];
  const data = new Float32Array(outer * count * inner);
  values.forEach((value, part) => {
    const taken = Math.min(each, count - part * each) * inner;
    for (let o = 0; o < outer; o++) {
      const from = (value.data as Float32Array).subarray(o * each * inner, o * each * inner + taken);
      data.set(from, (o * count + part * each) * inner);
    }
  });
  return tensorData(data, shape.with(axis, count));
}

/**
 * Measures C of every PCoderN whose rule is "measured", as the authors' code does in its first update. It
 * uses the representations of the given images. Returns a copy of `values` with sqrt(C) of each of these
 * PCoders.
 */
export async function measureWindows(
  network: PredictiveNetwork,
  values: State,
  images: TensorData,
  random: Random,
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<State> {
  checkImages(network, images);
  const batch = images.shape[0]!;
  const measured = network.pcoders.filter(
    ({ scaling }) => "window" in scaling && scaling.window === "measured",
  );
  if (measured.length === 0) return new Map(values);
  const known = new Map(
    [...values].map(([name, value]) => [name, name.endsWith(".C_sqrt") ? tensorData([1], []) : value]),
  );
  const states = network.options.randomInit
    ? startStates(network, batch, random)
    : await firstRepresentations(network, known, images, random, runtime, options);
  const result: State = new Map(values);
  for (const pcoder of measured) {
    const { number } = pcoder;
    const opened = await openDecoder(pcoder, values, batch, runtime, options);
    try {
      const count = await countWindow(opened.run, states[stateName(number)]!, windowDraws(random, batch));
      check(
        count > 0,
        () => `PCoder ${number}: the prediction does not depend on the representation, so C would be 0`,
      );
      result.set(`pcoder${number}.C_sqrt`, tensorData([Math.sqrt(count)], []));
    } finally {
      await opened.close();
    }
  }
  return result;
}

/** The standard deviations of the image and of the representation of each PCoder, lowest first. */
export type Deviations = readonly [image: number, ...representations: number[]];

/**
 * Measures the standard deviations of the images and of the representations that the backbone computes from them, each
 * over all elements and images.
 *
 * @param images [batch, ...imageShape]
 */
export async function measureDeviations(
  network: PredictiveNetwork,
  images: TensorData,
  random: Random,
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<Deviations> {
  checkImages(network, images);
  const { backbone } = network;
  const total = images.shape[0]!;
  const { batch } = backbone;
  const image = input(backbone.inputName, [batch, ...backbone.imageShape]);
  const noise = backbone.noiseInputs(batch);
  const outputs = Object.fromEntries(
    [image, ...network.feedforward(image, noise)].flatMap((value, i) => {
      const centre = mean(value);
      return [
        [`mean${i}`, centre],
        [`variance${i}`, mean(square(sub(value, centre)))],
      ];
    }),
  );
  const session = await runtime.createSession(
    writeOnnx(lower(outputs, targetOf(runtime, options))),
    sessionOptionsOf(options),
  );
  try {
    const parts: { readonly count: number; readonly results: Record<string, TensorData> }[] = [];
    for (let start = 0; start < total; start += DEVIATION_BATCH) {
      const size = typeof batch === "number" ? batch : Math.min(DEVIATION_BATCH, total - start);
      const feeds = {
        [backbone.inputName]: rowsOf(images, start, size),
        ...backboneNoise(network, size, random),
      };
      const count = Math.min(size, total - start);
      parts.push({ count, results: await session.run(feedsForInputs(session, feeds)) });
      if (typeof batch === "number") break;
    }
    const deviations = [image, ...network.pcoders].map((_, i) => {
      const found = parts.map(({ count, results }) => ({
        share: count / total,
        mean: Number(results[`mean${i}`]!.data[0]),
        variance: Number(results[`variance${i}`]!.data[0]),
      }));
      const shares = found.reduce((sum, { share }) => sum + share, 0);
      const weighted = (value: (part: (typeof found)[number]) => number) =>
        found.reduce((sum, part) => sum + part.share * value(part), 0) / shares;
      const centre = weighted((part) => part.mean);
      return Math.sqrt(weighted((part) => part.variance + (part.mean - centre) ** 2));
    });
    return deviations as unknown as Deviations;
  } finally {
    await session.close();
  }
}

/** Largest number of images in one pass that measures deviations; a network with a fixed batch gets one batch. */
const DEVIATION_BATCH = 32;

async function firstRepresentations(
  network: PredictiveNetwork,
  values: State,
  images: TensorData,
  random: Random,
  runtime: Runtime,
  options: SessionOptions,
): Promise<Record<string, TensorData>> {
  const runner = await openPredictive(network, values, runtime, {
    ...options,
    timesteps: 0,
    representations: true,
    hyperparameters: "constants",
  });
  try {
    const results = await runner.run(images, { random });
    return Object.fromEntries(
      network.pcoders.map(({ number }) => [stateName(number), results[`${stateName(number)}.t0`]!]),
    );
  } finally {
    await runner.close();
  }
}

/** Makes initial representations: standard-normal random draws if `random` is given, otherwise zeros. */
function startStates(network: PredictiveNetwork, batch: number, random?: Random): Record<string, TensorData> {
  if (network.options.randomInit === true) {
    check(random, () => "the network starts from random representations: expected `random`, got none");
  }
  return Object.fromEntries(
    network.pcoders.map(({ number, shape }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, batch));
      return [stateName(number), tensorData(random?.fillNormal(data) ?? data, [batch, ...shape])];
    }),
  );
}

function feedsOf(
  network: PredictiveNetwork,
  images: TensorData,
  inputs: RunInputs,
): Record<string, TensorData> {
  const { hyperparameters: given = {}, prior } = inputs;
  const { pcoders, options } = network;
  const sets = pcoders.map(({ hyperparameters, number }, i) => {
    const overrides = isList(given) ? given[i] : given;
    const values = { ...hyperparameters, ...overrides };
    checkHyperparameters(values, `PCoder ${number}`);
    return values;
  });
  check((options.topDownPrior === true) === (prior !== undefined), () =>
    prior
      ? "prior: expected none, because the network has no top-down prior, got a tensor"
      : "prior: expected a tensor, got none",
  );
  const noise = backboneNoise(network, images.shape[0]!, inputs.random);
  const draws = options.randomInit === true && inputs.random !== undefined;
  const drawn = draws ? startStates(network, images.shape[0]!, inputs.random) : {};
  return {
    [network.backbone.inputName]: images,
    ...Object.fromEntries(
      HYPERPARAMETER_INPUTS.map((name) => [name, tensorData(sets.map((set) => set[name]))]),
    ),
    ...(prior && { [PRIOR_INPUT]: prior }),
    ...noise,
    ...drawn,
  };
}

function backboneNoise(
  { backbone }: PredictiveNetwork,
  batch: number,
  random: Random | undefined,
): Record<string, TensorData> {
  return Object.fromEntries(
    Array.from(backbone.noise, ([name, { tensor, kind }]) => {
      check(random, () => `the network's input "${name}" is noise: expected \`random\`, got none`);
      const shape = [batch, ...(tensor.shape.slice(1) as number[])];
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [
        name,
        tensorData(kind === "uniform" ? random.fillUniform(data) : random.fillNormal(data), shape),
      ];
    }),
  );
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/**
 * Drops the feeds for which the graph has no input. A graph of one pass, for example, needs no
 * hyper-parameters.
 */
function feedsForInputs(
  { inputNames }: Session,
  feeds: Record<string, TensorData>,
): Record<string, TensorData> {
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputNames.includes(name)));
}

function checkImages({ backbone }: PredictiveNetwork, { dtype, shape }: TensorData): void {
  checkTensor("images", { dtype, shape }, "float32", ["batch", ...backbone.imageShape]);
}

function checkFinite({ shape, data }: TensorData): void {
  const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const each = data.length / shape[0]!;
  const when = shape.length > 2 ? ` at timestep ${Math.floor(bad / each)}` : "";
  throw new StriateError(
    `logits: expected finite numbers, got ${String(data[bad])}${when}: either the representations overflowed (is alpha too large?) or the images contain numbers that are not finite`,
  );
}
