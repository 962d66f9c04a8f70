import type { Dim, Tensor } from "../../../graph/index.js";
import {
  addAll,
  concat,
  constant,
  conv,
  gather,
  hypot,
  input,
  integers,
  matmul,
  relu,
  reshape,
  scope,
  showShape,
  slice,
  transpose,
} from "../../../graph/index.js";
import { checkOdd, checkPositive, checkShape, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { FilterBank } from "./gabor.js";
import { v1GaborBank } from "./gabor.js";
import type { ReceptiveFields, ViewingGeometry } from "./receptive-fields.js";
import { checkCells, inPixels, pixelsPerDegree } from "./receptive-fields.js";
import type { V1Noise } from "./v1-noise.js";
import { addNoise, checkNoise } from "./v1-noise.js";

/** Options of `VOneBlock`. */
export interface VOneBlockOptions extends ViewingGeometry {
  /** The receptive fields of the cells, for example from `sampleReceptiveFields`. */
  readonly fields: ReceptiveFields;
  /** Filters that replace those of `fields`, such as the filters of a checkpoint. */
  readonly bank?: FilterBank;
  /** Side of the filters, an odd number of pixels. Default 31. */
  readonly kernelSize?: number;
  /**
   * Number of channels of the images, such as the number of channels of a `SubcorticalBlock` before V1. Each
   * cell sees one of them, its colour. Default 3.
   */
  readonly channels?: number;
  /** Distance in pixels between neighbouring positions of the receptive fields. Default 2. */
  readonly stride?: number;
  /** Factor by which all responses are multiplied (k_exc in the authors' code). Default 25. */
  readonly gain?: number;
  /** Noise of the responses. Default: none. */
  readonly noise?: V1Noise;
}

/** Name of the graph input for V1's noise. */
export const V1_NOISE = "v1:noise";

/**
 * Primary visual cortex (V1) as a fixed first stage (Dapello et al. 2020, NeurIPS). If q0 are the responses
 * of the Gabor filters to an image and q1 those of their quadrature partners, the responses of the cells are
 *
 *     simple = gain max(q0, 0),  complex = gain sqrt(q0^2 + q1^2) / sqrt(2),
 *
 * plus noise like that of cortical cells ({@link V1Noise}). Images are [batch, 3, imageSize, imageSize] with
 * values in [-1, 1], or responses of a `SubcorticalBlock` with its `channels`, at `pixelsPerDegree`. Responses are [batch, simple + complex, outputSize, outputSize],
 * simple cells first, with outputSize = floor((imageSize - 1) / stride) + 1.
 *
 * Each filter is applied only to the one colour channel that it sees, and quadrature partners are computed
 * only for complex cells. This takes a quarter of the work of convolving all channels with both filters of
 * every cell. The filters are constants and are not trained.
 *
 * @throws StriateError if the side of the kernel is even, there are no cells, the visual angle is missing, or
 * the options of the noise are invalid.
 * @example
 * ```ts
 * import { input } from "striate/graph";
 * import { VOneBlock, sampleReceptiveFields } from "striate/vonenet";
 *
 * const fields = sampleReceptiveFields({ simple: 4, complex: 4 });
 * const block = new VOneBlock({ fields, imageSize: 64, visualDegrees: 2 });
 * console.log(block.forward(input("images", ["batch", 3, 64, 64])).shape.join(", ")); // batch, 8, 32, 32
 * ```
 */
export class VOneBlock {
  readonly simple: number;
  readonly complex: number;
  readonly imageSize: number;
  /** Number of channels of the images. */
  readonly channels: number;
  readonly pixelsPerDegree: number;
  /** Height and width of the responses. */
  readonly outputSize: number;
  readonly stride: number;
  readonly gain: number;
  readonly noise: Required<V1Noise> | undefined;
  readonly fields: ReceptiveFields;
  readonly bank: FilterBank;
  readonly #filters: readonly Filters[];

  constructor(options: VOneBlockOptions) {
    const { fields, kernelSize = 31, stride = 2, gain = 25, imageSize, channels = 3 } = options;
    this.pixelsPerDegree = pixelsPerDegree(options);
    checkWhole("V1: stride", stride);
    checkWhole("V1: channels", channels);
    checkPositive("V1: gain", gain);
    checkCells(fields.simple, fields.complex);
    checkOdd("V1: kernel size", kernelSize);
    this.fields = fields;
    this.bank = options.bank ?? v1GaborBank(inPixels(fields, options), kernelSize);
    const { bank } = this;
    check(
      bank.simple === fields.simple && bank.complex === fields.complex,
      () =>
        `V1: bank: expected ${fields.simple} simple and ${fields.complex} complex cells, as the receptive fields have, ` +
        `got ${bank.simple} and ${bank.complex}`,
    );
    [this.simple, this.complex] = [bank.simple, bank.complex];
    const last = Math.max(...bank.colour, ...bank.quadratureColour);
    check(
      last < channels,
      () =>
        `V1: expected cells that see channels 0 to ${channels - 1} of ${channels}, got one that sees ${last}`,
    );
    this.imageSize = imageSize;
    this.channels = channels;
    this.stride = stride;
    this.gain = gain;
    this.outputSize = Math.floor((imageSize - 1) / stride) + 1;
    this.noise = options.noise && checkNoise(options.noise);
    this.#filters = sortedFilters(bank, gain, channels);
  }

  /** Number of cells, which is the number of channels of the responses. */
  get cells(): number {
    return this.simple + this.complex;
  }

  /**
   * Makes the graph input for the standard-normal draws of a block with noise. A task lists it as noise of
   * kind "normal". Returns undefined for a block without noise.
   */
  noiseInput(batch: Dim): Tensor | undefined {
    if (this.noise === undefined) return undefined;
    return input(V1_NOISE, [batch, this.cells, this.outputSize, this.outputSize]);
  }

  /**
   * Writes the graph of the responses. If the block has noise, `noise` is required: standard-normal draws
   * [batch or 1, cells, outputSize, outputSize], such as {@link noiseInput}.
   *
   * @throws StriateError if the images do not have the block's image size, or if noise is missing, has the wrong
   * shape, or is given to a block without noise.
   */
  forward(images: Tensor, noise?: Tensor): Tensor {
    this.#checkImages(images);
    this.#checkNoise(images, noise);
    return scope("vone_block", () => {
      const responses = this.#inPieces(images, (some) => this.#inOrder(this.#groups(some)));
      return this.noise && noise ? addNoise(responses, noise, this.noise) : responses;
    });
  }

  /**
   * Computes the responses and applies a 1 x 1 convolution without bias to them, as the bottleneck of a
   * VOneNet does. `weight` is [outputs, cells, 1, 1] and the result is [batch, outputs, outputSize,
   * outputSize]. Without noise, the responses of all cells are never joined into one tensor. This saves
   * several passes over what would be the network's largest tensor.
   *
   * @throws StriateError in the same cases as {@link forward}, or if the weight has the wrong shape.
   */
  project(images: Tensor, weight: Tensor, noise?: Tensor): Tensor {
    const [outputs] = weight.shape;
    checkShape("V1: weight of a 1 x 1 convolution", weight.shape, ["outputs", this.cells, 1, 1]);
    if (this.noise !== undefined) return conv(this.forward(images, noise), weight);
    this.#checkImages(images);
    this.#checkNoise(images, noise);
    const matrix = reshape(weight, [outputs!, this.cells]);
    // On the CPU, these convolutions are lowered to a form whose result has rows before cells and is then
    // transposed. The transpose here undoes that one, and ONNX Runtime removes both.
    const project = ({ cells, responses }: Group): Tensor =>
      matmul(gather(matrix, integers(cells), 1), transpose(responses, [0, 2, 1, 3]));
    const projected = this.#inPieces(images, (some) =>
      addAll(scope("vone_block", () => this.#groups(some)).map(project)),
    );
    return transpose(projected, [0, 2, 1, 3]);
  }

  /** Splits a batch of known size into pieces that are small enough for the processor's caches. */
  #inPieces(images: Tensor, forward: (images: Tensor) => Tensor): Tensor {
    const batch = images.shape[0]!;
    const piece = Math.max(1, Math.round(PIECE / (this.cells * this.outputSize ** 2)));
    if (typeof batch !== "number" || batch <= piece) return forward(images);
    const pieces = Array.from({ length: Math.ceil(batch / piece) }, (_, i) =>
      forward(slice(images, [{ axis: 0, start: i * piece, end: Math.min(batch, (i + 1) * piece) }])),
    );
    return concat(pieces, 0);
  }

  #checkImages(images: Tensor): void {
    const { imageSize, channels } = this;
    const expected = [channels, imageSize, imageSize];
    check(
      images.rank === 4 && expected.every((n, i) => images.shape[i + 1] === n),
      () =>
        `V1: expected images [batch, ${channels}, ${imageSize}, ${imageSize}] at ${this.pixelsPerDegree} pixels per degree, ` +
        `got ${showShape(images.shape)}`,
    );
  }

  #checkNoise(images: Tensor, noise: Tensor | undefined): void {
    if (this.noise === undefined) {
      check(
        noise === undefined,
        () => `V1: expected no noise for a block without noise, got ${showShape(noise!.shape)}`,
      );
      return;
    }
    const shape = [images.shape[0]!, this.cells, this.outputSize, this.outputSize];
    check(
      noise?.rank === 4 && noise.shape.every((n, i) => n === shape[i] || (i === 0 && n === 1)),
      () =>
        `V1: ${this.noise!.kind} noise: expected standard-normal numbers ${showShape(shape)} (or a batch of 1 to share them among ` +
        `all images), got ${noise === undefined ? "none" : showShape(noise.shape)}`,
    );
  }

  /** Computes the responses of all cells, in groups of cells of the same type and colour. */
  #groups(images: Tensor): Group[] {
    const channel = (colour: number) => slice(images, [{ axis: 1, start: colour, end: colour + 1 }]);
    return this.#filters.map(({ cells, colour, q0, partner, q1 }) => {
      const even = this.#convolve(channel(colour), q0);
      return { cells, responses: q1 ? hypot(even, this.#convolve(channel(partner), q1)) : relu(even) };
    });
  }

  #inOrder(groups: readonly Group[]): Tensor {
    const joined =
      groups.length === 1
        ? groups[0]!.responses
        : concat(
            groups.map((g) => g.responses),
            1,
          );
    const places = new Array<number>(this.cells);
    groups.flatMap(({ cells }) => cells).forEach((cell, place) => (places[cell] = place));
    return places.every((place, cell) => place === cell) ? joined : gather(joined, integers(places), 1);
  }

  #convolve(channel: Tensor, filters: Tensor): Tensor {
    return conv(channel, filters, undefined, { stride: this.stride, padding: this.bank.size >> 1 });
  }
}

/** Responses [batch, cells, outputSize, outputSize] of a group of cells. */
interface Group {
  readonly cells: readonly number[];
  readonly responses: Tensor;
}

/**
 * Filters q0 and q1, each [cells, 1, size, size], of cells of the same type and colour. They are multiplied
 * by the gain. Only complex cells have q1.
 */
interface Filters {
  readonly cells: readonly number[];
  readonly colour: number;
  readonly q0: Tensor;
  readonly partner: number;
  readonly q1: Tensor | undefined;
}

/**
 * Number of responses in a piece of a batch: as many as 8 images have with 512 cells at 32 x 32 positions. In
 * a measurement, this took a fifth less time than pieces of 32 images.
 */
const PIECE = 8 * 512 * 32 * 32;

function sortedFilters(bank: FilterBank, gain: number, channels: number): Filters[] {
  const { simple, complex } = bank;
  const all = (count: number) => Array.from({ length: count }, (_, i) => i);
  const colours = all(channels);
  const groups = [
    ...colours.map((colour) => {
      const cells = all(simple).filter((cell) => bank.colour[cell] === colour);
      return {
        cells,
        colour,
        q0: filters(bank.kernels, cells, bank.size, gain),
        partner: colour,
        q1: undefined,
      };
    }),
    ...colours.flatMap((partner) =>
      colours.map((colour) => {
        const seen = all(complex).filter(
          (i) => bank.colour[simple + i] === colour && bank.quadratureColour[i] === partner,
        );
        const cells = seen.map((i) => simple + i);
        const q0 = filters(bank.kernels, cells, bank.size, gain * Math.SQRT1_2);
        return {
          cells,
          colour,
          q0,
          partner,
          q1: filters(bank.quadrature, seen, bank.size, gain * Math.SQRT1_2),
        };
      }),
    ),
  ];
  return groups.filter(({ cells }) => cells.length > 0);
}

function filters(kernels: Float32Array, cells: readonly number[], size: number, gain: number): Tensor {
  const area = size * size;
  const data = new Float32Array(cells.length * area);
  cells.forEach((cell, k) => {
    for (let i = 0; i < area; i++) data[k * area + i] = gain * kernels[cell * area + i]!;
  });
  return constant({ dtype: "float32", shape: [cells.length, 1, size, size], data });
}
