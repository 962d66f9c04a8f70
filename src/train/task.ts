import type { Preprocessing } from "../data/images/preprocessing.js";
import type { Dim, Tensor } from "../graph/index.js";
import type { TensorData } from "../graph/dtype.js";
import type { NoiseKind } from "../graph/onnx/convert/conversion.js";
import type { NamedParameters } from "../nn/module.js";
import { checkWhole } from "../util/check.js";
import type { RandomLabel } from "../util/random.js";
import { Random } from "../util/random.js";

export type { NoiseKind };

/** The traced loss of one batch. */
export interface LossGraph {
  /** The inputs: fields of the data set, which have the same names, and noise. */
  readonly inputs: readonly Tensor[];
  /**
   * For each input that takes noise, the distribution of the noise. Noise is drawn for every step instead of
   * being read from the data.
   */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /**
   * For each input of class labels, the number of classes. Labels are whole numbers from 0 to one less; others are an
   * error before a step begins, unless the number of classes is not known.
   */
  readonly classes?: Readonly<Record<string, Dim>>;
  /** The loss, a scalar. */
  readonly loss: Tensor;
  /** Further scalars to log. */
  readonly metrics?: Readonly<Record<string, Tensor>>;
  /** Buffers, such as running means, each with its next value. */
  readonly updates?: readonly (readonly [buffer: Tensor, next: Tensor])[];
}

/** The traced outputs of a trained model. */
export interface InferenceGraph {
  readonly inputs: readonly Tensor[];
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Name of the output whose first axis is time, if there is one. */
  readonly overTime?: string;
  /** "several" if an image may have more than one label. Default "one". */
  readonly labels?: "one" | "several";
}

/** A model together with its loss and its outputs. */
export interface Task {
  readonly parameters: NamedParameters;
  /** Traces the loss of a batch of the given size. */
  loss(batch: number): LossGraph;
  /** Traces the outputs. For export, `batch` may be a name ("batch") instead of a number. */
  inference(batch: Dim): InferenceGraph;
}

/** The data from which a task is trained: its fields have the names of the task's inputs. */
export interface TrainingData {
  readonly count: number;
  /** Preprocessing of the images, which exported files record. */
  readonly preprocessing?: Preprocessing;
  /**
   * Writes the fields of the samples with the given indices, one sample after another, to the given arrays.
   * The random labels in `draw` determine random choices, such as those of an augmentation: equal labels give
   * equal samples. Data that are read from files or made by worker threads return a promise; the next batch is then
   * read while a step runs.
   */
  fill(
    indices: ArrayLike<number>,
    fields: Readonly<Record<string, Float32Array>>,
    draw?: readonly RandomLabel[],
  ): void | Promise<void>;
}

/** Training data in memory: `fill` returns when the fields are written. */
export interface MemoryData extends TrainingData {
  fill(
    indices: ArrayLike<number>,
    fields: Readonly<Record<string, Float32Array>>,
    draw?: readonly RandomLabel[],
  ): void;
}

/**
 * Fills the inputs for one batch with fields of the data and with noise. The noise depends only on the random
 * labels, so that a resumed run draws the same numbers as an uninterrupted one.
 *
 * @param classes as in {@link LossGraph}
 * @throws StriateError for a class label that is none of the classes
 */
export async function fillInputs(
  inputs: readonly { readonly name: string; readonly shape: readonly Dim[] }[],
  noise: Readonly<Record<string, NoiseKind>>,
  data: TrainingData,
  indices: ArrayLike<number>,
  labels: readonly RandomLabel[],
  classes: LossGraph["classes"] = {},
): Promise<Record<string, TensorData>> {
  const feeds: Record<string, TensorData> = {};
  const fields: Record<string, Float32Array> = {};
  for (const { name, shape } of inputs) {
    const dims = shape.map((dim) => (typeof dim === "number" ? dim : indices.length));
    const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
    feeds[name] = { dtype: "float32", shape: dims, data: values };
    const kind = noise[name];
    if (kind === undefined) fields[name] = values;
    else {
      const random = Random.derive(labels[0]!, ...labels.slice(1), name);
      if (kind === "uniform") random.fillUniform(values);
      else random.fillNormal(values);
    }
  }
  const filling = data.fill(indices, fields, labels);
  // Data that are in memory are ready at once, and a turn of the event loop would only delay the step.
  if (filling !== undefined) await filling;
  for (const [name, count] of Object.entries(classes)) {
    const values = fields[name];
    if (values && typeof count === "number") checkLabels(name, values, indices, count);
  }
  return feeds;
}

function checkLabels(name: string, values: Float32Array, indices: ArrayLike<number>, count: number): void {
  const each = values.length / indices.length;
  for (let i = 0; i < values.length; i++)
    checkWhole(`"${name}" of image ${indices[Math.floor(i / each)]!}`, values[i]!, {
      from: 0,
      to: count - 1,
    });
}
