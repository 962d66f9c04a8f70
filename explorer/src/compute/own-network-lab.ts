import { expose } from "comlink";
import type { ImportedModel, Stepper, WebRuntime } from "striate";
import { OnnxFile, adam, constantRate, createWebRuntime, metrics, openStepper, withWarmUp } from "striate";
import type { PredictiveNetwork, Preprocessing, PreparedImages } from "striate/predify";
import {
  Backbone,
  PREPROCESSING_NAMES,
  candidates,
  completePreprocessing,
  describePreprocessing,
  freshValues,
  imageData,
  predictiveSteps,
  predify,
  preprocessingPreset,
  sliceImages,
  trainFeedback,
  writeUnrolled,
} from "striate/predify";
import type { Computed } from "../parts/player.js";
import type {
  ExportRequest,
  OwnFacts,
  OwnFrame,
  OwnProblem,
  OwnRequest,
  Refused,
  TrainingEnd,
  TrainingProgress,
  TrainingRequest,
} from "./own-network-frame.js";
import { LARGEST_FILE, LARGEST_PICTURE, MOST_CLASSES } from "./own-network-frame.js";

type Values = Parameters<typeof writeUnrolled>[1];

const BATCH = 8;
const SEED = 1;
const RATE = 0.003;
const WARM_UP = 20;

/** A problem that the page says in its own language. */
class Refusal extends Error {
  constructor(
    readonly problem: OwnProblem,
    detail: string,
  ) {
    super(detail);
  }
}

/** Runs a part of the reading, whose errors are all of one kind. */
function reading<T>(problem: OwnProblem, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(problem, messageOf(error));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** ONNX Runtime and the engine have no common words for a lack of memory. */
const isMemory = (error: unknown): boolean =>
  error instanceof RangeError ||
  /out of memory|bad_alloc|allocat|memory access out of bounds/i.test(messageOf(error));

/** A network of the user's with predictive feedback. It runs in a worker of its own, so that the page never waits for it. */
export class OwnNetworkLab {
  #runtime: WebRuntime | undefined;
  #model: ImportedModel | undefined;
  #network: PredictiveNetwork | undefined;
  #values: Values | undefined;
  #stepper: Stepper | undefined;
  #cancel: AbortController | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Waits for the work before: the graph of a run may not be replaced while it runs. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Reads a file and adds PCoders: as many as asked for, or as the network has places. */
  async read(bytes: Uint8Array, name: string, pcoders: number): Promise<OwnFacts | Refused> {
    try {
      return await this.#read(bytes, `"${name}"`, pcoders);
    } catch (error) {
      if (error instanceof Refusal) return { problem: error.problem, detail: error.message };
      if (isMemory(error)) return { problem: "tooLarge", detail: messageOf(error) };
      throw error;
    }
  }

  async #read(bytes: Uint8Array, what: string, asked: number): Promise<OwnFacts> {
    const megabytes = (count: number): string => `${Math.round(count / 1e6)} MB`;
    if (bytes.length > LARGEST_FILE)
      throw new Refusal("tooLarge", `${megabytes(bytes.length)}; the limit is ${megabytes(LARGEST_FILE)}`);
    const file = reading("notOnnx", () => new OnnxFile(bytes, what));
    const model = reading("operators", () => file.read());
    const backbone = reading("inputs", () => backboneOf(model, what));
    const count = answerCount(backbone);
    const places = reading("places", () => candidates(backbone).length);
    if (places === 0) throw new Refusal("places", `${what}: no value through which every path goes`);
    const network = reading("places", () => predify(model, { pcoders: Math.min(asked, places) }));
    const values = freshValues(network, SEED);
    this.#runtime ??= await createWebRuntime({ device: "wasm" });
    [this.#model, this.#network, this.#values] = [model, network, values];
    try {
      await this.#open();
    } catch (error) {
      if (isMemory(error)) throw error;
      throw new Refusal("operators", messageOf(error));
    }
    const { preprocessing, description } = backbone;
    return {
      shape: shapeOf(backbone),
      count,
      classes: description.classes,
      preprocessing: preprocessing && describePreprocessing(preprocessing),
      places,
      choices: PREPROCESSING_NAMES,
      pcoders: network.pcoders.map(({ after, shape }) => ({ after, shape })),
    };
  }

  async #open(): Promise<void> {
    const [runtime, network, values] = [this.#runtime!, this.#network!, this.#values!];
    await this.#stepper?.close();
    this.#stepper = undefined;
    const model = predictiveSteps(network, { reconstructions: true, errors: true });
    this.#stepper = await openStepper(runtime, { model, values }, { batch: batchOf(network), seed: SEED });
  }

  /** Computes all timesteps of one run. */
  run(request: OwnRequest): Promise<Computed<OwnFrame>> {
    return this.#inTurn(() => this.#run(request));
  }

  async #run({ pixels, preprocessing, weights, timesteps }: OwnRequest): Promise<Computed<OwnFrame>> {
    const [stepper, network] = [this.#stepper, this.#network];
    if (stepper === undefined || network === undefined) throw new Error("the lab is not open");
    const { backbone, pcoders } = network;
    const maps = valueMaps(backbone, preprocessing);
    const [channels] = shapeOf(backbone);
    const plane = pixels.length / channels;
    const batch = batchOf(network);
    const images = new Float32Array(batch * pixels.length);
    for (let i = 0; i < images.length; i++) {
      const at = i % pixels.length;
      const { plane: from, factor, offset } = maps[Math.floor(at / plane)]!;
      images[i] = pixels[from * plane + (at % plane)]! * factor + offset;
    }
    const fill = (value: number): Float32Array => new Float32Array(pcoders.length).fill(value);
    const inputs = {
      [backbone.inputName]: images,
      feedforward: fill(weights.feedforward),
      feedback: fill(weights.feedback),
      error: fill(weights.error),
    };
    await stepper.reset({ seed: SEED });
    const frames: OwnFrame[] = [];
    const times: number[] = [];
    for (let timestep = 0; timestep <= timesteps; timestep++) {
      const began = performance.now();
      const outputs = await stepper.step(inputs);
      times.push(performance.now() - began);
      const logits = outputs.logits!.data as Float32Array;
      frames.push({
        timestep,
        probabilities: probabilitiesOf(logits.subarray(0, logits.length / batch)),
        reconstructions: pcoders.map(({ number }) => {
          const values = outputs[`reconstruction.pcoder${number}`]!.data as Float32Array;
          const out = new Float32Array(pixels.length);
          for (let i = 0; i < out.length; i++) {
            const { plane: to, factor, offset } = maps[Math.floor(i / plane)]!;
            out[to * plane + (i % plane)] = (values[i]! - offset) / factor;
          }
          return out;
        }),
        errors: pcoders.map(({ number }) => Number(outputs[`error.pcoder${number}`]!.data[0])),
      });
    }
    return { frames, milliseconds: metrics.median(times) };
  }

  /** Trains the decoders on pictures, of which every fifth is kept aside to measure what they say about other pictures. */
  async train(
    { pixels, count, preprocessing, steps }: TrainingRequest,
    onProgress: (progress: TrainingProgress) => void,
  ): Promise<TrainingEnd> {
    const [network, runtime] = [this.#network, this.#runtime];
    if (network === undefined || runtime === undefined) throw new Error("the lab is not open");
    const { backbone } = network;
    const fixed = typeof backbone.batch === "number" ? backbone.batch : undefined;
    const batchSize = fixed ?? Math.min(BATCH, count);
    // Enough pictures for a batch, also if the file fixes a large one.
    const unseen = count - batchSize >= 5 ? Math.min(Math.floor(count / 5), count - batchSize) : 0;
    const isUnseen = (i: number): boolean => unseen > 0 && i % 5 === 4 && Math.floor(i / 5) < unseen;
    const order = Array.from({ length: count }, (_, i) => i).sort(
      (a, b) => Number(isUnseen(a)) - Number(isUnseen(b)),
    );
    const size = pixels.length / count;
    const sorted = new Uint8Array(Math.max(count, batchSize) * size);
    for (let i = 0; i < sorted.length / size; i++) {
      const from = order[i % count]! * size;
      sorted.set(pixels.subarray(from, from + size), i * size);
    }
    const images: PreparedImages = {
      count: sorted.length / size,
      shape: [...shapeOf(backbone)],
      pixels: sorted,
      labels: new Int32Array(sorted.length / size),
      classes: [],
    };
    const used = usedPreprocessing(backbone, preprocessing);
    const seen = images.count - unseen;
    const learnt = imageData(sliceImages(images, 0, seen), used);
    const other = unseen >= batchSize ? imageData(sliceImages(images, seen, images.count), used) : undefined;
    const cancel = new AbortController();
    this.#cancel = cancel;
    let first: number | undefined;
    let last = 0;
    try {
      const run = await trainFeedback(
        network,
        {
          ...learnt,
          fill: async (...given) => {
            // A turn of the event loop, in which a message that cancels the training can arrive.
            await new Promise((resolve) => setTimeout(resolve));
            learnt.fill(...given);
          },
        },
        {
          steps,
          batchSize,
          seed: SEED,
          runtime,
          // Without a warm-up, the first steps of Adam overshoot where a decoder reads many channels.
          learningRate: withWarmUp(constantRate(RATE), Math.min(WARM_UP, Math.ceil(steps / 2))),
          optimizer: adam(),
          signal: cancel.signal,
          onWarning: () => undefined,
          ...(other && { validation: other }),
          onProgress: ({ step, loss = NaN, secondsLeft }) => {
            const share = loss / network.pcoders.length;
            first ??= share;
            last = first === share ? share : 0.8 * last + 0.2 * share;
            onProgress({ step, loss: share, secondsLeft });
          },
        },
      );
      await this.#inTurn(() => {
        this.#values = run.values;
        return this.#open();
      });
      const held = run.evaluations.at(-1);
      return {
        step: run.step,
        cancelled: !run.finished,
        seen: Math.min(seen, count),
        unseen: other === undefined ? 0 : unseen,
        before: first ?? NaN,
        after: last,
        afterUnseen: held && sharesOf(network, run.values, held),
      };
    } finally {
      this.#cancel = undefined;
    }
  }

  /** Ends the training after its present step; what was learnt is kept. */
  cancel(): void {
    this.#cancel?.abort();
  }

  /** The network with its feedback, all timesteps in one graph, as an ONNX file. */
  export({ preprocessing, timesteps, weights }: ExportRequest): Uint8Array {
    const [model, network, values] = [this.#model, this.#network, this.#values];
    if (model === undefined || network === undefined || values === undefined)
      throw new Error("the lab is not open");
    // The weights are defaults of the file's inputs, and belong to the network rather than to its decoders.
    const weighted = predify(model, { pcoders: network.pcoders.length, ...weights });
    return writeUnrolled(weighted, values, {
      timesteps,
      errors: true,
      preprocessing: usedPreprocessing(network.backbone, preprocessing),
    }).bytes;
  }
}

/** The mean over PCoders of the shares of the variance of their targets that errors leave unexplained. */
function sharesOf(
  { pcoders }: PredictiveNetwork,
  values: Values,
  errors: Readonly<Record<string, number>>,
): number {
  const shares = pcoders.map(({ number }) => {
    const deviation = Number(values.get(`pcoder${number}.target_std`)?.data[0] ?? 1);
    return errors[`error.pcoder${number}`]! / deviation ** 2;
  });
  return shares.reduce((a, b) => a + b, 0) / shares.length;
}

const usedPreprocessing = (backbone: Backbone, chosen: string): Preprocessing =>
  backbone.preprocessing ?? preprocessingPreset(chosen);

const batchOf = ({ backbone: { batch } }: PredictiveNetwork): number =>
  typeof batch === "number" ? batch : 1;

/** For each channel of the network: the channel of the picture, and how a pixel from 0 to 1 becomes the network's value. */
function valueMaps(backbone: Backbone, chosen: string) {
  const [channels] = shapeOf(backbone);
  const { scale, mean, std, colours } = completePreprocessing(usedPreprocessing(backbone, chosen), channels);
  return Array.from({ length: channels }, (_, c) => {
    const plane = colours === "BGR" ? channels - 1 - c : c;
    return { plane, factor: scale / std[plane]!, offset: -mean[plane]! / std[plane]! };
  });
}

function backboneOf(model: ImportedModel, what: string): Backbone {
  const backbone = new Backbone(model, {}, what);
  const { imageShape, inputName } = backbone;
  const [channels] = imageShape;
  const shown = `the input "${inputName}" takes [${imageShape.join(", ")}]`;
  if (imageShape.length !== 3 || (channels !== 1 && channels !== 3))
    throw new Refusal("inputs", `${what}: ${shown}, expected [1 or 3, height, width]`);
  if (imageShape.reduce((a, b) => a * b, 1) > LARGEST_PICTURE)
    throw new Refusal("tooLarge", `${what}: ${shown}, expected at most ${LARGEST_PICTURE} numbers`);
  return backbone;
}

const shapeOf = ({ imageShape }: Backbone): OwnFacts["shape"] => imageShape as unknown as OwnFacts["shape"];

/** The number of classes: the size of the answer to one picture. */
function answerCount({ output, what }: Backbone): number {
  const [, ...rest] = output.shape;
  const count = rest.every((length) => typeof length === "number") ? rest.reduce((a, b) => a * b, 1) : NaN;
  const isVector = rest.filter((length) => length !== 1).length <= 1;
  if (isVector && count >= 2 && count <= MOST_CLASSES) return count;
  throw new Refusal("answer", `${what}: the answer has the shape [${output.shape.join(", ")}]`);
}

/** The probabilities of logits, or the answer itself if it consists of probabilities already. */
function probabilitiesOf(answer: Float32Array): Float32Array {
  const sum = answer.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) < 1e-3 && answer.every((value) => value >= 0)) return answer.slice();
  const most = answer.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = answer.map((value) => Math.exp(value - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

expose(new OwnNetworkLab());
