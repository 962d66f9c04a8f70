import type { Dim, Tensor } from "../../graph/index.js";
import {
  concat,
  constant,
  conv,
  gather,
  hypot,
  input,
  integers,
  relu,
  scope,
  showShape,
  slice,
} from "../../graph/index.js";
import { check } from "../../util/errors.js";
import type { FilterBank } from "./gabor.js";
import { checkKernelSize, gaborBank } from "./gabor.js";
import type { ReceptiveFields, ViewingGeometry } from "./receptive-fields.js";
import { checkCells, inPixels, pixelsPerDegree } from "./receptive-fields.js";
import type { V1Noise } from "./v1-noise.js";
import { addNoise, checkNoise } from "./v1-noise.js";

export interface VOneBlockOptions extends ViewingGeometry {
  /** The population; `sampleReceptiveFields` draws one. */
  readonly fields: ReceptiveFields;
  /** Filters to use instead of those that `fields` describe, such as the bank stored in a checkpoint. */
  readonly bank?: FilterBank;
  /** Side of the filters, pixels, odd. Default 31. */
  readonly kernelSize?: number;
  /** Pixels between neighbouring cells, default 2. */
  readonly stride?: number;
  /** Factor of all responses (k_exc), default 25. */
  readonly gain?: number;
  /** Default: none. */
  readonly noise?: V1Noise;
}

/** The input that noise is fed as. */
export const V1_NOISE = "v1:noise";

/**
 * Primary visual cortex as a fixed first stage (Dapello et al. 2020, NeurIPS). With q0 the responses of the Gabor filters
 * to an image and q1 those of their quadrature partners,
 *
 *     simple = gain max(q0, 0),  complex = gain sqrt(q0^2 + q1^2) / sqrt(2),
 *
 * and noise of cortical kind on top. Images [batch, 3, height, width] in [-1, 1], height = width = `imageSize`, at
 * `pixelsPerDegree`; responses [batch, simple + complex, outputSize, outputSize], outputSize = floor((imageSize - 1) /
 * stride) + 1, simple cells first.
 *
 * Each filter is applied to the one colour channel that it sees, and quadrature partners only for complex cells: a quarter
 * of the work of convolving all channels with both. The filters are constants: nothing in here is trained.
 *
 * @throws StriateError for an even kernel, no cells, a missing visual angle, or noise that makes no sense.
 */
export class VOneBlock {
  readonly simple: number;
  readonly complex: number;
  readonly imageSize: number;
  readonly pixelsPerDegree: number;
  /** Height and width of the responses. */
  readonly outputSize: number;
  readonly stride: number;
  readonly gain: number;
  readonly noise: Required<V1Noise> | undefined;
  readonly fields: ReceptiveFields;
  readonly bank: FilterBank;

  constructor(options: VOneBlockOptions) {
    const { fields, kernelSize = 31, stride = 2, gain = 25, imageSize } = options;
    this.pixelsPerDegree = pixelsPerDegree(options);
    check(Number.isInteger(stride) && stride > 0, () => `V1: stride: expected a whole number, got ${stride}`);
    check(gain > 0 && Number.isFinite(gain), () => `V1: gain: expected a number above 0, got ${gain}`);
    checkCells(fields.simple, fields.complex);
    checkKernelSize(kernelSize);
    this.fields = fields;
    this.bank = options.bank ?? gaborBank(inPixels(fields, options), kernelSize);
    const { bank } = this;
    check(
      bank.simple === fields.simple && bank.complex === fields.complex,
      () =>
        `V1: the bank holds ${bank.simple} simple and ${bank.complex} complex cells, the receptive fields are ` +
        `${fields.simple} and ${fields.complex}`,
    );
    [this.simple, this.complex] = [bank.simple, bank.complex];
    this.imageSize = imageSize;
    this.stride = stride;
    this.gain = gain;
    this.outputSize = Math.floor((imageSize - 1) / stride) + 1;
    this.noise = options.noise && checkNoise(options.noise);
  }

  /** Number of cells, the channels of the responses. */
  get cells(): number {
    return this.simple + this.complex;
  }

  /** The input that takes standard normal numbers where the block has noise: list it as noise of kind "normal". */
  noiseInput(batch: Dim): Tensor | undefined {
    if (this.noise === undefined) return undefined;
    return input(V1_NOISE, [batch, this.cells, this.outputSize, this.outputSize]);
  }

  /**
   * Traces the responses. `noise` is standard normal, [batch or 1, cells, outputSize, outputSize], needed where the block
   * has noise: {@link noiseInput}, or any tensor of that shape.
   *
   * @throws StriateError for images of another size and for noise that is missing, misshapen or unexpected.
   */
  forward(images: Tensor, noise?: Tensor): Tensor {
    this.#checkImages(images);
    this.#checkNoise(images, noise);
    return scope("vone_block", () => {
      const responses = this.#responses(images);
      return this.noise && noise ? addNoise(responses, noise, this.noise) : responses;
    });
  }

  #checkImages(images: Tensor): void {
    const { imageSize } = this;
    const expected = [3, imageSize, imageSize];
    check(
      images.rank === 4 && expected.every((n, i) => images.shape[i + 1] === n),
      () =>
        `V1: expected images [batch, 3, ${imageSize}, ${imageSize}] at ${this.pixelsPerDegree} pixels per degree, ` +
        `got ${showShape(images.shape)}`,
    );
  }

  #checkNoise(images: Tensor, noise: Tensor | undefined): void {
    if (this.noise === undefined) {
      check(noise === undefined, () => `V1: noise is fed to a block without noise`);
      return;
    }
    const shape = [images.shape[0]!, this.cells, this.outputSize, this.outputSize];
    check(
      noise?.rank === 4 && noise.shape.every((n, i) => n === shape[i] || (i === 0 && n === 1)),
      () =>
        `V1: ${this.noise!.kind} noise needs standard normal numbers ${showShape(shape)} (or a batch of 1 for the same in ` +
        `all images), got ${noise === undefined ? "none" : showShape(noise.shape)}`,
    );
  }

  #responses(images: Tensor): Tensor {
    const { bank, simple, complex, gain } = this;
    const made: Tensor[] = [];
    const order: number[] = [];
    const channel = (colour: number) => slice(images, [{ axis: 1, start: colour, end: colour + 1 }]);
    for (const colour of [0, 1, 2]) {
      const cells = indicesWhere(bank.colour.subarray(0, simple), (c) => c === colour);
      if (cells.length === 0) continue;
      made.push(relu(this.#convolve(channel(colour), bank.kernels, cells, gain)));
      order.push(...cells);
    }
    for (const pair of Array.from({ length: 9 }, (_, i) => i)) {
      const [colour, partner] = [pair % 3, Math.floor(pair / 3)];
      const cells = indicesWhere(
        bank.quadratureColour,
        (c, i) => c === partner && bank.colour[simple + i] === colour,
      );
      if (cells.length === 0) continue;
      const both = cells.map((i) => simple + i);
      const q0 = this.#convolve(channel(colour), bank.kernels, both, gain * Math.SQRT1_2);
      const q1 = this.#convolve(channel(partner), bank.quadrature, cells, gain * Math.SQRT1_2);
      made.push(hypot(q0, q1));
      order.push(...both);
    }
    const joined = made.length === 1 ? made[0]! : concat(made, 1);
    const places = new Array<number>(simple + complex);
    order.forEach((cell, place) => (places[cell] = place));
    return places.every((place, cell) => place === cell) ? joined : gather(joined, integers(places), 1);
  }

  /** One colour channel through some of the filters, the gain in the filters. */
  #convolve(channel: Tensor, kernels: Float32Array, cells: readonly number[], gain: number): Tensor {
    const { size } = this.bank;
    const area = size * size;
    const weight = new Float32Array(cells.length * area);
    cells.forEach((cell, k) => {
      for (let i = 0; i < area; i++) weight[k * area + i] = gain * kernels[cell * area + i]!;
    });
    const shape = [cells.length, 1, size, size];
    const filters = constant({ dtype: "float32", shape, data: weight });
    return conv(channel, filters, undefined, { stride: this.stride, padding: size >> 1 });
  }
}

function indicesWhere(values: Int32Array, condition: (value: number, index: number) => boolean): number[] {
  return [...values.keys()].filter((i) => condition(values[i]!, i));
}
