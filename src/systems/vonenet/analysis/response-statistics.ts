import { check } from "../../../util/errors.js";

/** How a cell answers to many images. */
export interface CellResponse {
  /** Over images and positions. */
  readonly mean: number;
  /** Mean over positions of the standard deviation over images (n - 1). */
  readonly deviation: number;
  /** Mean over positions of deviation / mean over images. Positions that are silent on all images are left out. */
  readonly variation: number;
  /**
   * Lifetime sparseness (Vinje & Gallant 2000): mean over positions of (1 - (mean r)^2 / mean r^2) / (1 - 1 / n), n images;
   * 1 for a cell that answers to one image only. Silent positions are left out.
   */
  readonly sparseness: number;
  /** Positions that are silent on all images. */
  readonly silent: number;
}

/**
 * Statistics of responses [cells, positions], image by image, in one pass and constant memory. Throws
 * `StriateError` for responses of another size, and for fewer than two images.
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

  /** Adds the responses to some images, one after another. */
  add(responses: ArrayLike<number>): void {
    const size = this.cells * this.positions;
    check(
      responses.length % size === 0,
      () => `response statistics: expected ${this.cells} cells x ${this.positions} positions for each image`,
    );
    for (let i = 0; i < responses.length; i++) {
      const value = responses[i]!;
      const at = i % size;
      this.#sums[at]! += value;
      this.#squares[at]! += value * value;
    }
    this.#images += responses.length / size;
  }

  /** One entry for each cell; NaN for the variation and sparseness of a cell that never answered. */
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
