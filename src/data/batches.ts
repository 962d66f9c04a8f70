import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";
import { Random, type RandomLabel } from "../util/random.js";

/** Options that say how `Batches` orders a data set and splits it into batches. */
export interface BatchesOptions {
  /** Number of samples. */
  readonly count: number;
  readonly batchSize: number;
  readonly seed: RandomLabel;
  /** Whether every epoch has a new random order; if false, the order is always 0, 1, 2, ... Default true. */
  readonly shuffle?: boolean;
  /** Whether an epoch's last batch is left out if it is incomplete. Default true. */
  readonly dropLast?: boolean;
}

/** One mini-batch. */
export interface Batch {
  /** Number of the training step, counted from 0 over all epochs. */
  readonly step: number;
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0. */
  readonly position: number;
  /** Positions of the samples in the data set. */
  readonly indices: Uint32Array;
}

/**
 * Determines the order in which training sees its samples. The batch of a step depends only on the options
 * and the step number. So a run that resumes at any step sees the same batches as an uninterrupted one, and a
 * checkpoint needs to store only the step number.
 */
export class Batches {
  readonly batchesPerEpoch: number;
  readonly options: Readonly<Required<BatchesOptions>>;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array(0);

  /** Throws `StriateError` if an epoch would have no batches. */
  constructor(options: BatchesOptions) {
    const all = { shuffle: true, dropLast: true, ...options };
    const { count, batchSize, dropLast } = all;
    checkWhole("batches: count", count);
    checkWhole("batches: batchSize", batchSize);
    this.batchesPerEpoch = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
    check(
      this.batchesPerEpoch > 0,
      () =>
        `batches: expected at least ${batchSize} samples for one batch (incomplete batches are left out), got ${count}`,
    );
    this.options = all;
  }

  /** Returns the batch of a training step. `step` counts from 0 over all epochs. */
  at(step: number): Batch {
    checkWhole("batches: step", step, { from: 0, to: Number.MAX_SAFE_INTEGER });
    const { batchSize } = this.options;
    const epoch = Math.floor(step / this.batchesPerEpoch);
    const position = step % this.batchesPerEpoch;
    const order = this.#orderOf(epoch);
    return { step, epoch, position, indices: order.slice(position * batchSize, (position + 1) * batchSize) };
  }

  /** Yields the batches of steps `fromStep` to `toStep - 1`. Without `toStep`, it never ends. */
  *steps(fromStep = 0, toStep = Infinity): Generator<Batch, void, undefined> {
    for (let step = fromStep; step < toStep; step++) yield this.at(step);
  }

  /** Yields the batches of one epoch, for example to pass once over a test set. */
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
