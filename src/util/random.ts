import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { StriateError, check } from "./errors.js";

/** A label that selects a stream of random numbers: any finite number or any string. */
export type RandomLabel = string | number;

/** The state of the generator: four 32-bit words, which do not change when they are written as JSON. */
export type RandomState = readonly [number, number, number, number];

/**
 * Seeded random numbers: xoroshiro128+ (Blackman & Vigna 2018, as in `pure-rand`), seeded through a 128-bit hash so that
 * neighbouring seeds give unrelated streams. The same seed gives the same numbers in Node and in every browser.
 *
 * @example
 * ```ts
 * import { Random } from "striate";
 *
 * const [a, b] = [Random.derive(1, "weights"), Random.derive(1, "weights")];
 * console.log(a.uniform() === b.uniform()); // true
 * ```
 */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  constructor(seed: RandomLabel | { readonly state: RandomState }) {
    this.#generator = xoroshiro128plusFromState(typeof seed === "object" ? seed.state : hashLabels([seed]));
  }

  /**
   * Returns the random stream for `seed` and these labels. It is independent of the streams of all other
   * labels, so each sample, epoch or training step can have its own random numbers, in whatever order they
   * are drawn. `derive(1, "a", 2)` differs from `derive(1, "a2")` and from `derive(1, "a", "2")`.
   */
  static derive(seed: RandomLabel, ...labels: readonly RandomLabel[]): Random {
    return new Random({ state: hashLabels([seed, ...labels]) });
  }

  /**
   * Continues a stream exactly from the point at which {@link Random.state} was called. Throws `StriateError`
   * unless the state is four 32-bit integers that are not all zero.
   */
  static fromState(state: readonly number[]): Random {
    const [a, b, c, d] = state;
    const words = [a, b, c, d];
    check(
      state.length === 4 &&
        words.every((word) => word !== undefined && (word | 0) === word) &&
        words.some(Boolean),
      () => `random state: expected four 32-bit integers that are not all zero, got ${JSON.stringify(state)}`,
    );
    return new Random({ state: [a!, b!, c!, d!] });
  }

  /** The current state, for {@link Random.fromState}. */
  state(): RandomState {
    const [a, b, c, d] = this.#generator.getState();
    return [a!, b!, c!, d!];
  }

  /** Draws a number uniformly from [0, 1), with 53 random bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Draws a number uniformly from [low, high). */
  uniformRange(low: number, high: number): number {
    checkRange(low, high);
    const value = low + this.uniform() * (high - low);
    return value < high ? value : low;
  }

  /** Draws a whole number from `low` to `highExclusive - 1`, all equally likely. */
  integer(low: number, highExclusive: number): number {
    check(
      Number.isSafeInteger(low) && Number.isSafeInteger(highExclusive) && low < highExclusive,
      () => `random integer: expected whole numbers low < high, got ${low} and ${highExclusive}`,
    );
    return uniformInt(this.#generator, low, highExclusive - 1);
  }

  /**
   * Draws from the normal distribution with mean 0 and standard deviation 1 (Box & Muller 1958). Each call
   * uses two uniform draws.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Fills an array with float32 values that are uniform in [low, high) (default [0, 1)), with one 24-bit draw
   * per value. `high` itself never occurs, even after rounding to float32.
   */
  fillUniform(out: Float32Array, low = 0, high = 1): Float32Array {
    const generator = this.#generator;
    if (low === 0 && high === 1) {
      // Takes the upper 24 bits, because the lowest bits of xoroshiro128+ are its weakest.
      for (let i = 0; i < out.length; i++) out[i] = (generator.next() >>> 8) * TWO_POW_MINUS_24;
      return out;
    }
    checkRange(low, high);
    const lowest = Math.fround(low);
    const top = Math.fround(high);
    check(lowest < top, () => `random range: ${low} and ${high} are the same number in float32`);
    const scale = (high - low) * TWO_POW_MINUS_24;
    const highest = floatBelow(top);
    for (let i = 0; i < out.length; i++) {
      const value = Math.fround(low + (generator.next() >>> 8) * scale);
      out[i] = value < top ? value : highest;
    }
    return out;
  }

  /**
   * Fills an array with normally distributed values (Box & Muller 1958, using both values of each pair).
   * Default: mean 0, standard deviation 1.
   */
  fillNormal(out: Float32Array, mean = 0, standardDeviation = 1): Float32Array {
    check(
      Number.isFinite(mean) && Number.isFinite(standardDeviation) && standardDeviation >= 0,
      () => `random normal: expected a finite mean and deviation >= 0, got ${mean} and ${standardDeviation}`,
    );
    const generator = this.#generator;
    for (let i = 0; i < out.length; i += 2) {
      // A 32-bit draw plus 0.5 gives a number in (0, 1), so the logarithm is finite. Values reach up to 6.7
      // standard deviations from the mean.
      const u = ((generator.next() >>> 0) + 0.5) * TWO_POW_MINUS_32;
      const angle = (generator.next() >>> 0) * TWO_PI_POW_MINUS_32;
      const radius = standardDeviation * Math.sqrt(-2 * Math.log(u));
      out[i] = mean + radius * Math.cos(angle);
      if (i + 1 < out.length) out[i + 1] = mean + radius * Math.sin(angle);
    }
    return out;
  }

  /** Shuffles an array in place (Fisher & Yates), with all orders equally likely, and returns it. */
  shuffle<T extends Shuffleable>(array: T): T {
    const items = array as unknown[];
    for (let i = items.length - 1; i > 0; i--) {
      const j = uniformInt(this.#generator, 0, i);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return array;
  }

  /** Returns the numbers 0..count-1 in random order. */
  permutation(count: number): Uint32Array {
    check(
      Number.isInteger(count) && count >= 0 && count <= 0xffffffff,
      () => `permutation: expected a whole number of items, got ${count}`,
    );
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[i] = i;
    return this.shuffle(order);
  }
}

type Shuffleable =
  unknown[] | Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

const TWO_POW_MINUS_24 = 2 ** -24;
const TWO_POW_MINUS_32 = 2 ** -32;
const TWO_PI_POW_MINUS_32 = 2 * Math.PI * TWO_POW_MINUS_32;

function checkRange(low: number, high: number): void {
  check(
    Number.isFinite(low) && Number.isFinite(high) && low < high && Number.isFinite(high - low),
    () => `random range: expected finite low < high, got ${low} and ${high}`,
  );
}

/** The largest float32 below a finite float32. */
function floatBelow(value: number): number {
  if (value === 0) return -(2 ** -149);
  const float = new Float32Array([value]);
  const bits = new Int32Array(float.buffer);
  bits[0] = bits[0]! + (value > 0 ? -1 : 1);
  return float[0]!;
}

const float64 = new Float64Array(1);
const float64Words = new Uint32Array(float64.buffer);

/**
 * A 128-bit hash of a list of numbers and strings: four 32-bit words are mixed by the multiply-rotate steps
 * and the finaliser of MurmurHash3 (Appleby, public domain). Before every label, its type (and, for a string,
 * its length) is hashed, so that different lists never give the same sequence of words.
 */
function hashLabels(labels: readonly RandomLabel[]): RandomState {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  let c = 0x13198a2e;
  let d = 0x03707344;
  let words = 0;
  const absorb = (word: number): void => {
    words++;
    a = Math.imul(rotate(a ^ scramble(word, 0x239b961b), 19) + b, 5) + 0x561ccd1b;
    b = Math.imul(rotate(b ^ scramble(word, 0xab0e9789), 17) + c, 5) + 0x0bcaa747;
    c = Math.imul(rotate(c ^ scramble(word, 0x38b34ae5), 15) + d, 5) + 0x96cd1c35;
    d = Math.imul(rotate(d ^ scramble(word, 0xa1e38b93), 13) + a, 5) + 0x32ac3b17;
  };
  for (const label of labels) {
    if (typeof label === "number") {
      if (!Number.isFinite(label))
        throw new StriateError(`random seed or label: expected a finite number, got ${label}`);
      float64[0] = label + 0; // -0 and 0 are the same label
      absorb(1);
      absorb(float64Words[0]!);
      absorb(float64Words[1]!);
    } else {
      absorb(2);
      absorb(label.length);
      for (let i = 0; i < label.length; i++) absorb(label.charCodeAt(i));
    }
  }
  a ^= words;
  for (let round = 0; round < 2; round++) {
    a = finalise(a + b + c + d);
    b = finalise(b + a);
    c = finalise(c + b);
    d = finalise(d + c);
  }
  return (a | b | c | d) === 0 ? [1, 0, 0, 0] : [a, b, c, d];
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function scramble(word: number, multiplier: number): number {
  const product = Math.imul(word ^ (multiplier >>> 7), multiplier);
  return rotate(product, 15) ^ (product >>> 11);
}

function finalise(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
