import { check } from "../util/errors.js";
import { Random, type RandomLabel } from "../util/random.js";

/** How `Batches` orders and cuts a data set. */
export interface BatchesOptions {
  /** Number of samples. */
  readonly count: number;
  readonly batchSize: number;
  readonly seed: RandomLabel;
  /** Whether every epoch has a new random order; otherwise it is 0, 1, 2, ... Default true. */
  readonly shuffle?: boolean;
  /** Whether to leave out an incomplete last batch of each epoch. Default true. */
  readonly dropLast?: boolean;
}

/** One mini-batch. */
export interface Batch {
  /** Global step number, from 0. */
  readonly step: number;
  readonly epoch: number;
  /** Number of the batch in its epoch. */
  readonly position: number;
  /** Indices of the samples. */
  readonly indices: Uint32Array;
}

/**
 * The order in which training sees its samples: batch number `step` follows from the options and `step` alone, so a run
 * that resumes at any step sees the batches of an uninterrupted one, and nothing but the step number need be stored.
 */
export class Batches {
  readonly batchesPerEpoch: number;
  readonly options: Readonly<Required<BatchesOptions>>;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);

  /** Throws `StriateError` when an epoch would have no batch. */
  constructor(options: BatchesOptions) {
    const all = { shuffle: true, dropLast: true, ...options };
    const { count, batchSize, dropLast } = all;
    check(
      Number.isInteger(count) && count > 0,
      () => `batches: expected a positive number of samples, got ${count}`,
    );
    check(
      Number.isInteger(batchSize) && batchSize > 0,
      () => `batches: expected a positive batch size, got ${batchSize}`,
    );
    this.batchesPerEpoch = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
    check(
      this.batchesPerEpoch > 0,
      () =>
        `batches: ${count} samples do not fill one batch of ${batchSize} (incomplete batches are left out)`,
    );
    this.options = all;
  }

  /** The batch of a global step. */
  at(step: number): Batch {
    check(
      Number.isSafeInteger(step) && step >= 0,
      () => `batches: expected a step number from 0, got ${step}`,
    );
    const { batchSize } = this.options;
    const epoch = Math.floor(step / this.batchesPerEpoch);
    const position = step % this.batchesPerEpoch;
    const order = this.#orderOf(epoch);
    return { step, epoch, position, indices: order.slice(position * batchSize, (position + 1) * batchSize) };
  }

  /** Batches `fromStep`, `fromStep + 1`, ... up to but not including `toStep`; without end by default. */
  *steps(fromStep = 0, toStep = Infinity): Generator<Batch, void, undefined> {
    for (let step = fromStep; step < toStep; step++) yield this.at(step);
  }

  /** The batches of one epoch, such as a whole test set. */
  epoch(epoch = 0): Generator<Batch, void, undefined> {
    return this.steps(epoch * this.batchesPerEpoch, (epoch + 1) * this.batchesPerEpoch);
  }

  #orderOf(epoch: number): Uint32Array {
    if (this.#epoch !== epoch) {
      const { count, seed, shuffle } = this.options;
      this.#order = shuffle
        ? Random.derive(seed, "batches", epoch).permutation(count)
        : Uint32Array.from({ length: count }, (_, i) => i);
      this.#epoch = epoch;
    }
    return this.#order;
  }
}
