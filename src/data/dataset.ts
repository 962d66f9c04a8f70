import { checkBetween, checkEveryWhole, checkSlice, checkSome } from "../util/check.js";
import { check } from "../util/errors.js";
import { Random, type RandomLabel } from "../util/random.js";

/** Name of the data set's field, and of the model's input, that holds a batch of images. */
export const IMAGES = "images";
/**
 * Name of the data set's field, and of the model's input, that holds the classes of a batch of images,
 * [batch].
 */
export const LABELS = "labels";

/** Types of the arrays that a data set may hold. */
export type DataArray =
  Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/**
 * One field of a data set: the values of all samples, one sample after another. Each sample has the given
 * shape (`[]` if it is a single number).
 */
export interface Field<A extends DataArray = DataArray> {
  readonly data: A;
  /** Shape of one sample, such as `[1, 32, 32]`. */
  readonly shape: readonly number[];
}

/** The fields of a data set by name; all have the same number of samples. */
export type Fields = Readonly<Record<string, Field>>;

/** Samples in plain typed arrays, which can be sent to a worker or written to a file without conversion. */
export interface ArraysDataset<F extends Fields = Fields> {
  readonly count: number;
  readonly fields: F;
}

/**
 * Combines fields into a data set, after checking that all hold the same number of whole samples. Throws
 * `StriateError`.
 */
export function arraysDataset<F extends Fields>(fields: F): ArraysDataset<F> {
  const names = Object.keys(fields);
  checkSome("data set", names.length, "field");
  let count = -1;
  for (const name of names) {
    const { data, shape } = fields[name]!;
    checkEveryWhole(`data set field "${name}": shape`, shape);
    const size = sampleSize(shape);
    check(
      data.length % size === 0,
      () =>
        `data set field "${name}": expected whole samples of shape [${shape.join(", ")}], got ${data.length} numbers`,
    );
    const samples = data.length / size;
    if (count < 0) count = samples;
    check(
      samples === count,
      () => `data set field "${name}": expected ${count} samples as in "${names[0]!}", got ${samples}`,
    );
  }
  return { count, fields };
}

/** The number of values in one sample of this shape. */
export function sampleSize(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Returns samples start..end-1 as views that share the data set's memory. */
export function sliceDataset<F extends Fields>(
  dataset: ArraysDataset<F>,
  start: number,
  end = dataset.count,
): ArraysDataset<F> {
  checkSlice("slice", start, end, dataset.count);
  return {
    count: end - start,
    fields: mapFields(dataset.fields, ({ data, shape }) => {
      const size = sampleSize(shape);
      return { data: data.subarray(start * size, end * size), shape };
    }),
  };
}

/**
 * Selects samples. If `which` is a number, the result is the first `which` samples, as views. If it is a
 * list, the result is copies of the samples at these positions, in this order.
 */
export function take<F extends Fields>(
  dataset: ArraysDataset<F>,
  which: number | ArrayLike<number>,
): ArraysDataset<F> {
  if (typeof which === "number") return sliceDataset(dataset, 0, which);
  checkIndices("take", which, dataset.count);
  return {
    count: which.length,
    fields: mapFields(dataset.fields, ({ data, shape }) => {
      const size = sampleSize(shape);
      const out = new (data.constructor as new (length: number) => DataArray)(which.length * size);
      for (let i = 0; i < which.length; i++)
        out.set(data.subarray(which[i]! * size, (which[i]! + 1) * size), i * size);
      return { data: out, shape };
    }),
  };
}

/**
 * Splits a data set at random into two parts, the first with `round(fraction * count)` samples. The same random seed
 * gives the same parts.
 */
export function splitDataset<F extends Fields>(
  dataset: ArraysDataset<F>,
  fraction: number,
  seed: RandomLabel,
): [ArraysDataset<F>, ArraysDataset<F>] {
  const [first, second] = splitIndices(dataset.count, fraction, seed);
  return [take(dataset, first), take(dataset, second)];
}

/**
 * Splits the sample positions 0..count-1 as {@link splitDataset} splits samples, for data that is generated
 * rather than stored.
 */
export function splitIndices(count: number, fraction: number, seed: RandomLabel): [Uint32Array, Uint32Array] {
  checkBetween("split: fraction", fraction, 0, 1);
  const order = Random.derive(seed, "split").permutation(count);
  const border = Math.round(fraction * count);
  return [order.slice(0, border), order.slice(border)];
}

/** Throws `StriateError` unless every index is a whole number in 0..count-1. */
export function checkIndices(what: string, indices: ArrayLike<number>, count: number): void {
  checkEveryWhole(`${what}: sample numbers`, indices, { from: 0, to: count - 1 });
}

function mapFields<F extends Fields>(fields: F, change: (field: Field) => Field): F {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, change(field)])) as F;
}
