/**
 * Makes Poisson-distributed numbers of a fixed mean by inverting the cumulative distribution. They are exact
 * up to rounding for means up to 700. A table of starting points makes the search in the distribution fast.
 */
export class PoissonTable {
  readonly #cumulative: Float64Array;
  readonly #start: Uint16Array;

  constructor(mean: number) {
    const last = Math.ceil(mean + 12 * Math.sqrt(mean) + 30);
    const cumulative = new Float64Array(last + 1);
    let probability = Math.exp(-mean);
    let sum = 0;
    for (let k = 0; k <= last; k++) {
      sum += probability;
      cumulative[k] = sum;
      probability *= mean / (k + 1);
    }
    cumulative[last] = Infinity;
    this.#cumulative = cumulative;
    const start = new Uint16Array(last + 1);
    for (let i = 0, k = 0; i <= last; i++) {
      while (cumulative[k]! <= i / (last + 1)) k++;
      start[i] = k;
    }
    this.#start = start;
  }

  /** Returns the Poisson-distributed number that belongs to a uniform random number in [0, 1). */
  at(uniform: number): number {
    const cumulative = this.#cumulative;
    let k = this.#start[Math.floor(uniform * this.#start.length)]!;
    while (cumulative[k]! <= uniform) k++;
    return k;
  }
}
