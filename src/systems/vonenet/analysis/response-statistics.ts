import { check } from "../../../util/errors.js";

/** Statistics of a cell's responses to many images. */
export interface CellResponse {
  /** Mean over images and positions. */
  readonly mean: number;
  /** Standard deviation over n images (with the divisor n - 1), averaged over positions. */
  readonly deviation: number;
  /**
   * Coefficient of variation over images, averaged over positions. Positions that are silent for all images
   * are left out.
   */
  readonly variation: number;
  /**
   * Lifetime sparseness (Vinje & Gallant 2000): (1 - mean(r)^2 / mean(r^2)) / (1 - 1 / n) for responses r to
   * n images, averaged over positions. It is 1 for a cell that responds to a single image. Positions that are
   * silent for all images are left out.
   */
  readonly sparseness: number;
  /** Number of positions that are silent for all images. */
  readonly silent: number;
}

/**
 * Computes statistics of the responses of cells at several positions. Images are added one batch at a time,
 * in one pass and with constant memory. `add` throws `StriateError` if the number of responses is not a
 * multiple of cells x positions, and `result` throws it if there are fewer than two images.
 */
export class ResponseStatistics {
  #images = 0;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(
    readonly cells: number,
    readonly positions: number,
  ) {
    this.#sums = new Float64Array(cells * positions);
    this.#squares = new Float64Array(cells * positions);
  }

  /** Adds the responses to some images, [images, cells, positions]. */
  add(responses: ArrayLike<number>): void {
    const size = this.cells * this.positions;
    check(
      responses.length % size === 0,
      () =>
        `response statistics: expected a multiple of ${this.cells} cells x ${this.positions} positions, got ${responses.length} numbers`,
    );
    for (let i = 0; i < responses.length; i++) {
      const value = responses[i]!;
      const at = i % size;
      this.#sums[at]! += value;
      this.#squares[at]! += value * value;
    }
    this.#images += responses.length / size;
  }

  /**
   * Returns the statistics of each cell. Variation and sparseness are NaN for a cell that never responded.
   */
  result(): CellResponse[] {
    const n = this.#images;
    check(n > 1, () => `response statistics: expected at least two images, got ${n}`);
    return Array.from({ length: this.cells }, (_, cell) => {
      let [mean, deviation, variation, sparseness, silent] = [0, 0, 0, 0, 0];
      for (let p = 0; p < this.positions; p++) {
        const at = cell * this.positions + p;
        const average = this.#sums[at]! / n;
        const square = this.#squares[at]! / n;
        const spread = Math.sqrt(Math.max(0, ((square - average * average) * n) / (n - 1)));
        mean += average;
        deviation += spread;
        if (average === 0) silent++;
        else {
          variation += spread / average;
          sparseness += (1 - (average * average) / square) / (1 - 1 / n);
        }
      }
      const active = this.positions - silent;
      return {
        mean: mean / this.positions,
        deviation: deviation / this.positions,
        variation: active === 0 ? NaN : variation / active,
        sparseness: active === 0 ? NaN : sparseness / active,
        silent,
      };
    });
  }
}
