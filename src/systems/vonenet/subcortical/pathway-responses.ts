import type { Tensor, TensorData } from "../../../graph/index.js";
import {
  add,
  constant,
  constantData,
  conv,
  div,
  mul,
  pad,
  pow,
  relu,
  slice,
  sqrt,
} from "../../../graph/index.js";
import { blur, colourWeights } from "./gaussians.js";
import type { PathwayKernels, PathwayTensors } from "./pathway-kernels.js";

/** The two linear filters of a pathway: the receptive fields, and the pool of the contrast normalisation. */
export interface PathwayFilters {
  centreSurround(light: Tensor): Tensor;
  pool(squares: Tensor): Tensor;
}

/**
 * Filters that are computed as sums of separable Gaussians, two products with a matrix for each. A cell's
 * kernel is the sum of a Gaussian of the colours in the centre and one of the colours in the surround.
 */
export function separableFilters(kernels: PathwayKernels, colours: number): PathwayFilters {
  const { cells, field, poolWindow } = kernels;
  const weights = cells.map((cell) => colourWeights(cell, colours));
  const part = (which: 0 | 1) => weights.map((of) => of.map((pair) => pair[which]));
  const [centre, surround] = [part(0), part(1)];
  return {
    centreSurround: (light) =>
      add(
        mixedAndBlurred(light, centre, (x) => blur(x, field.centre, field.centreFactor)),
        mixedAndBlurred(light, surround, (x) => blur(x, field.surround, field.surroundFactor)),
      ),
    pool: (squares) => blur(squares, poolWindow),
  };
}

/**
 * Mixes colours by `weights` [cells, colours] and blurs. Both are linear, so the order does not matter:
 * mixing comes first if there are fewer cells than colours that the cells see.
 */
function mixedAndBlurred(
  light: Tensor,
  weights: readonly (readonly number[])[],
  blurred: (x: Tensor) => Tensor,
): Tensor {
  const colours = weights[0]!.map((_, colour) => colour);
  const seen = colours.filter((colour) => weights.some((of) => of[colour] !== 0));
  const [start, end] = [seen[0]!, seen.at(-1)! + 1];
  const x = seen.length === colours.length ? light : slice(light, [{ axis: 1, start, end }]);
  const data = weights.flatMap((of) => of.slice(start, end));
  const shape = [weights.length, end - start, 1, 1];
  const isIdentity = shape[0] === shape[1] && data.every((w, i) => w === (i % (shape[0]! + 1) === 0 ? 1 : 0));
  if (isIdentity) return blurred(x);
  const matrix = constant({ dtype: "float32", shape, data: Float32Array.from(data) });
  return shape[0]! < shape[1]! ? blurred(conv(x, matrix)) : conv(blurred(x), matrix);
}

/** Filters that are computed as convolutions with square kernels, whatever the kernels are. */
export function squareFilters(dog: Tensor, pool: Tensor | undefined): PathwayFilters {
  return {
    centreSurround: (light) => conv(reflectingPad(light, dog), dog),
    pool: (squares) =>
      conv(reflectingPad(squares, pool!), pool!, undefined, { groups: pool!.shape[0] as number }),
  };
}

function reflectingPad(x: Tensor, kernel: Tensor): Tensor {
  const reach = (kernel.shape[2] as number) >> 1;
  const pads = [0, 0, reach, reach];
  return pad(x, pads, pads, { mode: "reflect" });
}

/** Parts of the computation that a variant leaves out. */
export interface PathwayStages {
  readonly contrastNormalisation: boolean;
  readonly rectify: boolean;
}

/** The responses of a pathway after each stage. */
export interface PathwayResponses {
  /** Responses of the receptive fields. */
  readonly centreSurround: Tensor;
  /** Responses after contrast normalisation, or those before it if there is none. */
  readonly normalised: Tensor;
  /** Responses with gain. */
  readonly responses: Tensor;
}

/**
 * Computes the responses of a pathway to adapted light (Piper et al. 2025):
 *
 *     d = K * u,   y = d / (sqrt(P * d^2) + c50)^n,   t = k_exc y
 *
 * where K are the receptive fields and P is the pool. The exponent acts on the whole denominator, and the
 * numerator is linear. The gradient of the square root is 0 where its argument is 0.
 */
export function pathwayResponses(
  light: Tensor,
  filters: PathwayFilters,
  { kExc, c50, n }: Pick<PathwayTensors<Tensor>, "kExc" | "c50" | "n">,
  { contrastNormalisation, rectify }: PathwayStages,
): PathwayResponses {
  const centreSurround = filters.centreSurround(light);
  const normalised = contrastNormalisation ? normalise(centreSurround, filters, c50!, n!) : centreSurround;
  return { centreSurround, normalised, responses: mul(rectify ? relu(normalised) : normalised, kExc) };
}

function normalise(d: Tensor, filters: PathwayFilters, c50: Tensor, n: Tensor): Tensor {
  const contrast = add(sqrt(filters.pool(mul(d, d))), c50);
  const isLinear = n.rank === 0 && constantData(n)?.data[0] === 1;
  return div(d, isLinear ? contrast : pow(contrast, n));
}

/** The tensors of a pathway as constants of a graph. A list of equal numbers becomes one number. */
export function constants(tensors: PathwayTensors<TensorData>): PathwayTensors<Tensor> {
  const numbers = (tensor: TensorData | undefined) =>
    tensor && constant(isUniform(tensor) ? Number(tensor.data[0]) : tensor);
  return {
    dog: constant(tensors.dog),
    kExc: numbers(tensors.kExc)!,
    pool: tensors.pool && constant(tensors.pool),
    c50: numbers(tensors.c50),
    n: numbers(tensors.n),
  };
}

const isUniform = ({ data }: TensorData): boolean =>
  Array.from(data as ArrayLike<number>).every((value) => value === data[0]);
