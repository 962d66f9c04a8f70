import { mersenne } from "pure-rand/generator/mersenne";
import { check } from "./errors.js";

/**
 * NumPy's legacy generator (`RandomState`, `numpy.random.seed`): MT19937 (Matsumoto & Nishimura 1998), here
 * from `pure-rand`. Every method gives the same numbers as NumPy's. Use this class to reproduce the random
 * draws of other code; new code should use `Random`.
 */
export class NumpyRandom {
  readonly #words: ReturnType<typeof mersenne>;
  #cached: number | undefined;

  /** @throws StriateError unless the seed is a whole number in [0, 2^32). */
  constructor(seed: number) {
    check(
      Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32,
      () => `seed: expected a whole number from 0 to 4294967295, got ${seed}`,
    );
    this.#words = mersenne(seed);
  }

  /** The next word of the generator, 0 to 2^32 - 1. */
  word(): number {
    return this.#words.next() >>> 0;
  }

  /** `random_sample()`: a number uniform in [0, 1), with 53 random bits from two words. */
  uniform(): number {
    const high = this.word() >>> 5;
    const low = this.word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** `standard_normal()`: Marsaglia's polar method; the second value of each pair is stored for the next call. */
  normal(): number {
    if (this.#cached !== undefined) {
      const value = this.#cached;
      this.#cached = undefined;
      return value;
    }
    for (;;) {
      const x1 = 2 * this.uniform() - 1;
      const x2 = 2 * this.uniform() - 1;
      const r2 = x1 * x1 + x2 * x2;
      if (r2 >= 1 || r2 === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(r2)) / r2);
      this.#cached = factor * x1;
      return factor * x2;
    }
  }

  /**
   * `randint(0, count)`: draws words, masked to the smallest sufficient number of bits, until one is below
   * `count`.
   */
  integer(count: number): number {
    check(
      Number.isInteger(count) && count >= 1 && count <= 2 ** 32,
      () => `randint: expected a whole number of values from 1 to 2^32, got ${count}`,
    );
    if (count === 1) return 0;
    const mask = 2 ** 32 === count ? 0xffffffff : 2 ** (32 - Math.clz32(count - 1)) - 1;
    for (;;) {
      const value = (this.word() & mask) >>> 0;
      if (value < count) return value;
    }
  }

  /**
   * `randint(0, count, length, dtype=uint8)`: as {@link integer}, but every word gives four bytes, the lowest
   * first. Bytes that are left over are dropped.
   */
  bytes(count: number, length: number): Uint8Array {
    check(
      Number.isInteger(count) && count >= 1 && count <= 2 ** 8,
      () => `randint: expected a whole number of values from 1 to 256, got ${count}`,
    );
    const values = new Uint8Array(length);
    if (count === 1) return values;
    const mask = 2 ** (32 - Math.clz32(count - 1)) - 1;
    let left = 0;
    for (let i = 0, word = 0; i < length;) {
      if (left === 0) [word, left] = [this.word(), 4];
      const value = word & mask;
      [word, left] = [word >>> 8, left - 1];
      if (value < count) values[i++] = value;
    }
    return values;
  }

  /** `shuffle(list)`: the Fisher-Yates shuffle of the legacy generator, in place. */
  shuffle(list: Int32Array): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
  }

  /**
   * `multivariate_normal([0, 0], [[1, rho], [rho, 1]])`: the pair is (g0, g1) sqrt(S) V. Here g0 and g1 are
   * standard normal numbers, and S and V are the singular values and vectors of the covariance matrix, with
   * the signs that NumPy 1.24 with OpenBLAS gives.
   */
  correlatedPair(rho: number): readonly [number, number] {
    check(Math.abs(rho) <= 1, () => `correlation: expected a number from -1 to 1, got ${rho}`);
    const g0 = this.normal();
    const g1 = this.normal();
    if (rho === 0) return [g0, g1];
    const common = -Math.SQRT1_2 * Math.sqrt(1 + Math.abs(rho)) * g0;
    const apart = Math.SQRT1_2 * Math.sqrt(1 - Math.abs(rho)) * g1;
    return rho > 0 ? [common - apart, common + apart] : [common + apart, apart - common];
  }

  /** Fills a new array with `count` draws that `next` makes. */
  fill(count: number, next: (random: this) => number): Float64Array {
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = next(this);
    return values;
  }
}
