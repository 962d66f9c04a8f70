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
import { checkPositive, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { FilterBank } from "./gabor.js";
import { checkKernelSize, v1GaborBank } from "./gabor.js";
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
    const { fields, kernelSize = 31, stride = 2, gain = 25, imageSize } = options;
    this.pixelsPerDegree = pixelsPerDegree(options);
    checkWhole("V1: stride", stride);
    checkPositive("V1: gain", gain);
    checkCells(fields.simple, fields.complex);
    checkKernelSize(kernelSize);
    this.fields = fields;
    this.bank = options.bank ?? v1GaborBank(inPixels(fields, options), kernelSize);
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
    this.#filters = sortedFilters(bank, gain);
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
      const responses = this.#inPieces(images, (some) => this.#inOrder(this.#groups(some)));
      return this.noise && noise ? addNoise(responses, noise, this.noise) : responses;
    });
  }

  /**
   * The responses through a 1 x 1 convolution `weight` [outputs, cells, 1, 1] without bias, as the bottleneck of a VOneNet:
   * [batch, outputs, outputSize, outputSize]. Without noise the responses are never laid out side by side, which saves
   * several passes over the largest values of the network.
   *
   * @throws StriateError as {@link forward}, and for a weight of another shape.
   */
  project(images: Tensor, weight: Tensor, noise?: Tensor): Tensor {
    const [outputs, ...rest] = weight.shape;
    check(
      rest.join() === `${this.cells},1,1`,
      () => `V1: expected a 1 x 1 convolution [outputs, ${this.cells}, 1, 1], got ${showShape(weight.shape)}`,
    );
    if (this.noise !== undefined) return conv(this.forward(images, noise), weight);
    this.#checkImages(images);
    this.#checkNoise(images, noise);
    const matrix = reshape(weight, [outputs!, this.cells]);
    // Rows before cells, as the CPU's form of such convolutions makes them: ONNX Runtime drops the transposes that meet.
    const project = ({ cells, responses }: Group): Tensor =>
      matmul(gather(matrix, integers(cells), 1), transpose(responses, [0, 2, 1, 3]));
    const projected = this.#inPieces(images, (some) =>
      addAll(scope("vone_block", () => this.#groups(some)).map(project)),
    );
    return transpose(projected, [0, 2, 1, 3]);
  }

  /** A batch of known length in pieces whose values stay in the processor's caches. */
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

  /** Responses of cells of one kind and colour. */
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

/** Responses of some cells, [batch, cells, outputSize, outputSize]. */
interface Group {
  readonly cells: readonly number[];
  readonly responses: Tensor;
}

/** Filters [cells, 1, size, size] of cells of one kind and colour, the gain in them; q1 for complex cells. */
interface Filters {
  readonly cells: readonly number[];
  readonly colour: number;
  readonly q0: Tensor;
  readonly partner: number;
  readonly q1: Tensor | undefined;
}

/** Responses in a piece: 8 images of 512 cells on 32 x 32. Measured: a fifth less time than with 32 at once. */
const PIECE = 8 * 512 * 32 * 32;

const COLOURS = [0, 1, 2];

function sortedFilters(bank: FilterBank, gain: number): Filters[] {
  const { simple, complex } = bank;
  const all = (count: number) => Array.from({ length: count }, (_, i) => i);
  const groups = [
    ...COLOURS.map((colour) => {
      const cells = all(simple).filter((cell) => bank.colour[cell] === colour);
      return {
        cells,
        colour,
        q0: filters(bank.kernels, cells, bank.size, gain),
        partner: colour,
        q1: undefined,
      };
    }),
    ...COLOURS.flatMap((partner) =>
      COLOURS.map((colour) => {
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
