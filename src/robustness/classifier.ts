import { allocate } from "../graph/dtype.js";
import type { Dim, Tensor, TensorData } from "../graph/index.js";
import {
  abs,
  cast,
  gradients,
  input,
  lessOrEqual,
  lower,
  max,
  sub,
  sum,
  tensorData,
  topologicalOrder,
  where,
  writeOnnx,
} from "../graph/index.js";
import { operatorOf } from "../graph/operator.js";
import type { Runtime, Session, SessionOptions } from "../runtime/runtime.js";
import { targetOf } from "../runtime/runtime.js";
import type { NoiseKind } from "../train/task.js";
import { StriateError, check } from "../util/errors.js";
import type { RandomLabel } from "../util/random.js";
import { Random } from "../util/random.js";
import type { AttackLoss } from "./losses.js";
import { attackLoss, needsTargets } from "./losses.js";
import type { ImageShape, Network } from "./network.js";

/** Images in [0, 1] as one array [count, channels, height, width]. */
export interface ImageBatch {
  readonly count: number;
  readonly data: Float32Array;
}

/**
 * Returns the values of one noise input. `call` is the number of forward passes since the noise was last
 * seeded.
 */
export type NoiseSource = (
  name: string,
  shape: readonly number[],
  kind: NoiseKind,
  call: number,
) => Float32Array;

/** The loss of each image, its gradient with respect to the image, and the logits. */
export interface LossAndGradient {
  readonly loss: Float32Array;
  readonly gradient: Float32Array;
  readonly logits: Float32Array;
}

/** Properties of the gradient of a loss, with one entry for each image. */
export interface GradientCheck {
  /** The largest absolute value, ignoring NaN and infinity. */
  readonly largest: Float32Array;
  /** Number of values that are NaN or infinite. */
  readonly notFinite: Float32Array;
}

/**
 * A graph that contains the network and is ready to run. The first axis of every feed is the batch, except
 * for scalars.
 */
export interface ClassifierProgram {
  run(
    count: number,
    feeds: Readonly<Record<string, TensorData>>,
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

/** The parts from which a program's graph is built. */
export interface ProgramParts {
  readonly batch: Dim;
  readonly imageShape: ImageShape;
  /** Traces the logits of images in [0, 1]. It may be called only once. */
  readonly logits: (images: Tensor) => Tensor;
}

export interface ClassifierOptions extends SessionOptions {
  /**
   * Random seed of noise that is the same for every image and forward pass. Default: every pass draws new
   * noise.
   */
  readonly fixedNoise?: number;
}

/**
 * A network on a device, with the graphs that attacks need. A graph is built when it is first used, and then
 * reused.
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { nodeRuntime } from "striate/node";
 * import { Classifier, onnxNetwork, preprocessingPreset } from "striate/robustness";
 *
 * const file = await readFile("model.onnx");
 * const network = onnxNetwork(file, { preprocessing: preprocessingPreset("imagenet") });
 * const classifier = new Classifier(network, nodeRuntime);
 * const logits = await classifier.logits({ count: 1, data: new Float32Array(3 * 224 * 224) });
 * await classifier.close();
 * ```
 */
export class Classifier {
  readonly #programs = new Map<string, Promise<ClassifierProgram & { close(): Promise<void> }>>();
  #noise: NoiseSource;
  #calls = 0;
  #notFinite = 0;

  constructor(
    readonly network: Network,
    private readonly runtime: Runtime,
    private readonly options: ClassifierOptions = {},
  ) {
    this.#noise = options.fixedNoise === undefined ? seededNoise([0]) : fixedNoise(options.fixedNoise);
  }

  /** Whether the network's outputs depend on random numbers. */
  get isStochastic(): boolean {
    if (this.options.fixedNoise !== undefined) return false;
    const { fixedBatch = "batch", imageShape } = this.network;
    const { noise = {} } = this.network.trace(input("images", [fixedBatch, ...imageShape]));
    return Object.keys(noise).length > 0;
  }

  /**
   * Throws {@link StriateError} if the logits cannot be differentiated with respect to the images; the
   * message names the operators that prevent it.
   */
  checkGradient(): void {
    const { fixedBatch: batch = "batch", imageShape } = this.network;
    const logits = (images: Tensor) => this.network.trace(images).logits;
    differentiated("ce", input("images", [batch, ...imageShape]), { batch, imageShape, logits });
  }

  /**
   * Number of NaN and infinite gradient values so far. They are replaced by 0, so attacks do not change the
   * pixels to which they belong.
   */
  get notFiniteGradients(): number {
    return this.#notFinite;
  }

  /** Number of elements of one image. */
  get imageSize(): number {
    return this.network.imageShape.reduce((a, b) => a * b, 1);
  }

  /**
   * Makes all later noise depend only on the given random labels, or takes it from the given source. This has
   * no effect on fixed noise.
   */
  seedNoise(source: readonly RandomLabel[] | NoiseSource): void {
    if (this.options.fixedNoise !== undefined) return;
    this.#noise = typeof source === "function" ? source : seededNoise(source);
    this.#calls = 0;
  }

  /** Computes the logits, [count, classes]. */
  async logits(images: ImageBatch): Promise<Float32Array> {
    const program = await this.program("logits", ({ batch, imageShape, logits }) => ({
      logits: logits(input("images", [batch, ...imageShape])),
    }));
    const { logits } = await program.run(images.count, { images: this.#imageData(images) });
    return logits!;
  }

  /** The predicted class of each image. */
  async predict(images: ImageBatch): Promise<Int32Array> {
    return predictions(await this.logits(images), images.count);
  }

  /** Computes the loss, its gradient and the logits in one run of the network. */
  async lossAndGradient(
    loss: AttackLoss,
    images: ImageBatch,
    labels: Int32Array,
    targets?: Int32Array,
  ): Promise<LossAndGradient> {
    const program = await this.program(`gradient ${loss}`, (parts) => {
      const x = input("images", [parts.batch, ...parts.imageShape]);
      return differentiated(loss, x, parts);
    });
    const results = await program.run(images.count, {
      images: this.#imageData(images),
      ...labelFeeds(loss, labels, targets),
    });
    return { loss: results.loss!, gradient: results.gradient!, logits: results.logits! };
  }

  /** Checks whether attacks can follow the gradient of a loss at the given images. */
  async checkGradients(
    loss: AttackLoss,
    images: ImageBatch,
    labels: Int32Array,
    targets?: Int32Array,
  ): Promise<GradientCheck> {
    const program = await this.program(`gradient check ${loss}`, (parts) => {
      const x = input("images", [parts.batch, ...parts.imageShape]);
      const { gradient, [NOT_FINITE]: notFinite } = differentiated(loss, x, parts);
      return { largest: max(abs(gradient), [1, 2, 3]), notFinite };
    });
    const feeds = { images: this.#imageData(images), ...labelFeeds(loss, labels, targets) };
    const results = await program.run(images.count, feeds);
    return { largest: results.largest!, notFinite: results.notFinite! };
  }

  /** Runs a function, then restores the state of the noise and the counters. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    const [calls, notFinite] = [this.#calls, this.#notFinite];
    try {
      return await work();
    } finally {
      [this.#calls, this.#notFinite] = [calls, notFinite];
    }
  }

  /**
   * Returns a graph that contains the network; it is built once for each name. All outputs must be float32
   * and have the batch as their first axis.
   *
   * @throws StriateError if an operator has no gradient; the message names it.
   */
  program(
    name: string,
    build: (parts: ProgramParts) => Readonly<Record<string, Tensor>>,
  ): Promise<ClassifierProgram> {
    let program = this.#programs.get(name);
    if (program === undefined) {
      program = this.#open(build);
      this.#programs.set(name, program);
      program.catch(() => this.#programs.delete(name));
    }
    return program;
  }

  /** Frees every graph. The classifier can still be used, which builds the graphs again. */
  async close(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    await Promise.all(programs.map(async (program) => (await program).close()));
  }

  async #open(
    build: (parts: ProgramParts) => Readonly<Record<string, Tensor>>,
  ): Promise<ClassifierProgram & { close(): Promise<void> }> {
    const { network, options } = this;
    const noise: Record<string, NoiseKind> = {};
    const batch: Dim = network.fixedBatch ?? "batch";
    const outputs = build({
      batch,
      imageShape: network.imageShape,
      logits: (images) => {
        const traced = network.trace(images);
        Object.assign(noise, traced.noise);
        return traced.logits;
      },
    });
    const constants = { values: (parameter: Tensor) => network.values(parameter) };
    const model = writeOnnx(lower(outputs, targetOf(this.runtime, options), constants), constants);
    const session = await this.runtime.createSession(model, options);
    const drawn = model.inputs.filter((port) => noise[port.name] !== undefined);
    const draw = (count: number): Record<string, TensorData> => {
      if (drawn.length === 0) return {};
      const call = this.#calls++;
      return Object.fromEntries(
        drawn.map(({ name, shape }) => {
          const dims = shape.map((dim) => (typeof dim === "number" ? dim : count));
          return [name, tensorData(this.#noise(name, dims, noise[name]!, call), dims)];
        }),
      );
    };
    const run = async (
      count: number,
      feeds: Readonly<Record<string, TensorData>>,
    ): Promise<Record<string, Float32Array>> => {
      const { [NOT_FINITE]: bad, ...results } = await inBatches(session, {
        count,
        feeds,
        draw,
        fixed: network.fixedBatch,
      });
      this.#notFinite += bad?.reduce((a, b) => a + b, 0) ?? 0;
      for (const [key, values] of Object.entries(results)) checkNumbers(network.name, key, values);
      return results;
    };
    return { run, close: () => session.close() };
  }

  #imageData({ count, data }: ImageBatch): TensorData {
    check(
      data.length === count * this.imageSize,
      () =>
        `${this.network.name}: expected ${count * this.imageSize} numbers for ${count} images of ${this.network.imageShape.join(" x ")}, got ${data.length}`,
    );
    return tensorData(data, [count, ...this.network.imageShape]);
  }
}

function seededNoise(labels: readonly RandomLabel[]): NoiseSource {
  return (name, shape, kind, call) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const random = Random.derive(labels[0] ?? 0, ...labels.slice(1), "noise", call, name);
    return kind === "uniform" ? random.fillUniform(values) : random.fillNormal(values);
  };
}

/** Noise that is the same for all images of a batch and all calls. */
export function fixedNoise(seed: number): NoiseSource {
  return (name, [count = 1, ...rest], kind) => {
    const one = seededNoise([seed, "fixed"])(name, rest, kind, 0);
    const values = new Float32Array(count * one.length);
    for (let i = 0; i < count; i++) values.set(one, i * one.length);
    return values;
  };
}

/**
 * Name of the output with the number of NaN and infinite gradient values of each image. These numbers are
 * added up and not returned.
 */
const NOT_FINITE = "gradient:not finite";

/** A number just below the largest float32, 3.4028e38. */
const LARGEST = 3.4e38;

/**
 * Builds the outputs `loss`, `gradient` and `logits` for the images x, and an output with the number of NaN
 * and infinite gradient values, which become 0 in `gradient`. The graph gets the inputs `labels` and, for
 * targeted losses, `targets`.
 */
export function differentiated(
  loss: AttackLoss,
  x: Tensor,
  { batch, logits: network }: ProgramParts,
): Record<"loss" | "gradient" | "logits" | typeof NOT_FINITE, Tensor> {
  const logits = network(x);
  checkPath(logits, x);
  const labels = input("labels", [batch], "int64");
  const targets = needsTargets(loss) ? input("targets", [batch], "int64") : undefined;
  const losses = attackLoss(loss, logits, labels, targets);
  const [slope] = gradients(sum(losses), [x]);
  const finite = lessOrEqual(abs(slope!), LARGEST);
  return {
    loss: losses,
    gradient: where(finite, slope!, 0),
    logits,
    [NOT_FINITE]: sum(sub(1, cast(finite, "float32")), [1, 2, 3]),
  };
}

/** Values of the inputs that {@link differentiated} adds. */
export function labelFeeds(
  loss: AttackLoss,
  labels: Int32Array,
  targets?: Int32Array,
): Record<string, TensorData> {
  if (!needsTargets(loss)) return { labels: wholeNumbers(labels) };
  check(targets, () => `the loss ${loss} needs targets`);
  return { labels: wholeNumbers(labels), targets: wholeNumbers(targets) };
}

function wholeNumbers(values: Int32Array): TensorData {
  return tensorData(BigInt64Array.from(values, BigInt), [values.length], "int64");
}

/**
 * Throws {@link StriateError} if no gradient can flow from the logits to the images. The message names the
 * operators without a gradient.
 */
function checkPath(logits: Tensor, images: Tensor): void {
  const touched = new Set([images]);
  const active = new Set([images]);
  const blocking: string[] = [];
  for (const node of topologicalOrder([logits])) {
    if (!node.inputs.some((tensor) => tensor && touched.has(tensor))) continue;
    for (const output of node.outputs) touched.add(output);
    if (!node.inputs.some((tensor) => tensor && active.has(tensor))) continue;
    if (operatorOf(node.type)?.gradient === "zero") {
      // Operators that read shapes are ignored: their results never need a gradient.
      if (node.type !== "Shape" && node.type !== "Size")
        blocking.push(`${node.type} (${node.where || "traced"})`);
    } else for (const output of node.outputs) active.add(output);
  }
  if (active.has(logits)) return;
  if (!touched.has(logits)) throw new StriateError("the logits do not depend on the images");
  throw new StriateError(
    `gradient-based attacks are not possible: no gradient passes through ${blocking.join(", ") || "the model"}`,
  );
}

interface BatchedRun {
  readonly count: number;
  readonly feeds: Readonly<Record<string, TensorData>>;
  readonly draw: (count: number) => Record<string, TensorData>;
  readonly fixed: number | undefined;
}

/**
 * Runs a session in batches of its fixed batch size, if it has one. An incomplete last batch is filled with
 * copies of its last sample.
 */
async function inBatches(
  session: Session,
  { count, feeds, draw, fixed }: BatchedRun,
): Promise<Record<string, Float32Array>> {
  if (fixed === undefined || fixed === count) return floats(await session.run({ ...feeds, ...draw(count) }));
  const parts: Record<string, Float32Array>[] = [];
  for (let start = 0; start < count; start += fixed) {
    const here = Math.min(fixed, count - start);
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, value]) => [name, window(value, start, here, fixed)]),
    );
    const results = floats(await session.run({ ...given, ...draw(fixed) }));
    parts.push(
      Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, value.slice(0, (value.length / fixed) * here)]),
      ),
    );
  }
  return Object.fromEntries(
    Object.keys(parts[0]!).map((name) => [name, joined(parts.map((part) => part[name]!))]),
  );
}

function window(value: TensorData, start: number, count: number, fixed: number): TensorData {
  if (value.shape.length === 0) return value;
  const size = value.data.length / value.shape[0]!;
  const data = allocate(value.dtype, fixed * size);
  for (let i = 0; i < fixed; i++) {
    const from = (start + Math.min(i, count - 1)) * size;
    (data as Float32Array).set(value.data.subarray(from, from + size) as Float32Array, i * size);
  }
  return { dtype: value.dtype, shape: [fixed, ...value.shape.slice(1)], data };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function floats(results: Readonly<Record<string, TensorData>>): Record<string, Float32Array> {
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => {
      if (!(data instanceof Float32Array))
        throw new StriateError(`"${name}": expected a Float32Array, got ${data.constructor.name}`);
      return [name, data];
    }),
  );
}

function checkNumbers(name: string, output: string, values: Float32Array): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  check(
    bad < 0,
    () => `${name}: expected finite numbers in its ${output}, got ${values[bad]!} at position ${bad}`,
  );
}

/** The class with the largest logit in each row; of equal logits, the first one wins. */
export function predictions(logits: Float32Array, count: number): Int32Array {
  const classes = logits.length / count;
  return Int32Array.from({ length: count }, (_, row) => {
    let best = 0;
    for (let i = 1; i < classes; i++)
      if (logits[row * classes + i]! > logits[row * classes + best]!) best = i;
    return best;
  });
}
