import type { Tensor } from "../../../graph/index.js";
import {
  add,
  constant,
  dotProductAttention,
  expand,
  gemm,
  matmul,
  mul,
  reshape,
  reverse,
  showShape,
  slice,
  split,
  transpose,
} from "../../../graph/index.js";
import { Linear } from "../../../nn/layers/linear.js";
import { checkMultiple } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Coupling, CouplingField, FieldOptions } from "./coupling.js";
import { fromTokens, toTokens } from "./oscillators.js";
import type { Grid } from "./grid.js";
import { PositionRotations } from "./rotations.js";

/** Options of `AttentionCoupling`. */
export interface AttentionOptions {
  /** Default 8. */
  readonly heads?: number;
  /**
   * Grid of positions. If it is given, learned matrices for each position rotate queries, keys, values and
   * results. Default: no rotations.
   */
  readonly grid?: Grid | undefined;
}

/**
 * Attention over tokens [positions, batch, channels], with weights that have been arranged for one grid of
 * positions.
 */
export interface TokenAttention {
  /** Computes the attention's result without the output bias. */
  forward(tokens: Tensor): Tensor;
  readonly bias: Tensor;
}

/** How channels are ordered and scaled in {@link AttentionCoupling.tokens}. */
export interface TokenOptions {
  /**
   * Number n of components of an oscillator. Channels are ordered as [n, channels / n] instead of [channels /
   * n, n]. The default, 1, leaves their order unchanged.
   */
  readonly n?: number;
  /** Factor by which the result is multiplied before the output bias is added. Default 1. */
  readonly gain?: Tensor | number;
}

/**
 * Largest total size, in elements over all positions, for which a rotated weight matrix is stored for each
 * position. Above it, rotations are applied to the tokens in every step instead.
 */
const MOST_TURNED = 2 ** 22;

/**
 * Self-attention over all positions (arXiv:2410.13821, section 3; Vaswani et al. 2017): softmax(q k^T /
 * sqrt(width)) v. Heads are interleaved: channel = (index within the head) x (number of heads) + head. The
 * components of one oscillator therefore belong to different heads. `queryKeyValue` maps the channels to
 * queries, keys and values, `output` maps the result back to channels.
 *
 * The computation uses tokens [positions, batch, channels] with channels grouped by head, for which only the
 * weights have to be reordered. A learned matrix M_p rotates the queries W x at position p to M_p W x. The
 * product M_p W is a separate weight for each position. It is computed once and used in every step.
 */
export class AttentionCoupling implements Coupling {
  readonly queryKeyValue: Linear;
  readonly output: Linear;
  readonly rotations: PositionRotations | undefined;
  readonly heads: number;

  constructor(
    readonly channels: number,
    options: AttentionOptions = {},
  ) {
    const { heads = 8, grid } = options;
    checkMultiple("attention: channels", channels, heads);
    this.heads = heads;
    this.queryKeyValue = new Linear(channels, 3 * channels);
    this.output = new Linear(channels, channels);
    this.rotations = grid && new PositionRotations(grid, channels / heads);
  }

  /** Applies the attention to a map [batch, channels, height, width]; the result has the same shape. */
  forward(map: Tensor): Tensor {
    const space = spaceOf(map);
    const attention = this.tokens(space);
    return fromTokens(add(attention.forward(toTokens(map)), attention.bias), space);
  }

  field(map: Tensor, { n, gain, rotation }: FieldOptions): CouplingField {
    const space = spaceOf(map);
    const { channels } = this;
    const oscillators = channels / n;
    const attention = this.tokens(space, { n, gain });
    const shape = [space[0] * space[1], map.shape[0]!, n, oscillators];
    const tokens = (field: Tensor) => reshape(field, [shape[0]!, shape[1]!, channels]);
    const rotationMatrix =
      rotation &&
      reshape(transpose(reshape(mul(rotation, gain), [oscillators, n, oscillators, n]), [3, 2, 1, 0]), [
        channels,
        channels,
      ]);
    return {
      batchAxis: 1,
      toField: (x) => reshape(matmul(toTokens(x), componentsFirst(channels, n)), shape),
      toMap: (field) => {
        const oscillatorsFirst = transpose(componentsFirst(channels, n), [1, 0]);
        return fromTokens(matmul(tokens(field), oscillatorsFirst), space);
      },
      coupledInput: (field) => {
        const x = tokens(field);
        const coupled = attention.forward(x);
        return reshape(rotationMatrix ? add(coupled, matmul(x, rotationMatrix)) : coupled, shape);
      },
      bias: reshape(attention.bias, [n, oscillators]),
    };
  }

  /** Arranges the weights for a grid of positions and for the order of channels in `options`. */
  tokens(grid: Grid, options: TokenOptions = {}): TokenAttention {
    const { channels, heads, rotations } = this;
    const { n = 1, gain = 1 } = options;
    const width = channels / heads;
    const splitShape = [width, heads, channels / n, n];
    const scale = 1 / Math.sqrt(width);
    const weights = split(this.queryKeyValue.weight, [channels, channels, channels], 0);
    const biases = split(this.queryKeyValue.bias!, [channels, channels, channels], 0);
    const read = (i: number, matrices: Tensor | undefined, factor: number): Project => {
      const weight = reshape(transpose(reshape(weights[i]!, splitShape), [3, 2, 1, 0]), [
        channels,
        heads,
        width,
      ]);
      const bias = transpose(reshape(biases[i]!, [width, heads]), [1, 0]);
      const scaled = (x: Tensor) => (factor === 1 ? x : mul(x, factor));
      if (matrices === undefined) return plain(scaled(weight), scaled(bias));
      return turnedReading(weight, bias, scaled(rotations!.resized(matrices, grid)));
    };
    const query = read(0, rotations?.query, scale);
    const key = read(1, rotations?.key, 1);
    const value = read(2, rotations?.value, 1);
    const writing = transpose(
      reshape(mul(this.output.weight, gain), [channels / n, n, width, heads]),
      [3, 2, 1, 0],
    );
    const output = rotations
      ? turnedWriting(reshape(writing, [heads, width, channels]), rotations.resized(rotations.output, grid))
      : plain(reshape(writing, [channels, channels, 1]));
    return {
      forward: (x) => {
        const [positions, batch] = x.shape as [number, number];
        const byHead = (y: Tensor) => transpose(reshape(y, [positions, batch, heads, width]), [1, 2, 0, 3]);
        const mixed = dotProductAttention(byHead(query(x)), byHead(key(x)), byHead(value(x)));
        return output(reshape(transpose(mixed, [2, 0, 1, 3]), [positions, batch, channels]));
      },
      bias: reshape(transpose(reshape(this.output.bias!, [channels / n, n]), [1, 0]), [channels]),
    };
  }
}

/**
 * Makes a permutation matrix. Multiplying tokens by it changes the order of their channels from [oscillators,
 * n] to [n, oscillators]. The result is exact, and the product is several times as fast as a transpose of two
 * short axes.
 */
function componentsFirst(channels: number, n: number): Tensor {
  const values = new Float32Array(channels * channels);
  const oscillators = channels / n;
  for (let c = 0; c < channels; c++) values[c * channels + (c % n) * oscillators + Math.floor(c / n)] = 1;
  return constant({ dtype: "float32", shape: [channels, channels], data: values });
}

/** A linear map of tokens [positions, batch, channels]. */
type Project = (x: Tensor) => Tensor;

/** Makes a linear map whose weight, [channels, ...outputs], is the same at all positions. */
function plain(weight: Tensor, bias?: Tensor): Project {
  const channels = weight.shape[0] as number;
  const matrix = reshape(weight, [channels, -1]);
  const added = bias && reshape(bias, [-1]);
  return (x) => reshape(gemm(reshape(x, [-1, channels]), matrix, added), x.shape);
}

/**
 * Splits 2 x 2 matrices [positions, planes, 2, 2] into their diagonal and their off-diagonal entries, each of
 * shape [positions, 2 x planes].
 */
function entries(matrices: Tensor): { readonly diagonal: Tensor; readonly off: Tensor } {
  const [positions, planes] = matrices.shape as readonly number[];
  const flat = reshape(matrices, [positions!, planes!, 4]);
  const two = (start: number, step: number) =>
    reshape(slice(flat, [{ axis: 2, start, end: start + step + 1, step }]), [positions!, 2 * planes!]);
  return { diagonal: two(0, 3), off: two(1, 1) };
}

/** Swaps the two components of every plane along an axis. */
function exchanged(x: Tensor, axis: number): Tensor {
  const shape = x.shape as readonly number[];
  const planes = reshape(x, [...shape.slice(0, axis), shape[axis]! / 2, 2, ...shape.slice(axis + 1)]);
  return reshape(reverse(planes, axis + 1), shape);
}

/** Makes the map x -> M_p (W x + b) at each position p, with W as a weight [channels, heads, width]. */
function turnedReading(weight: Tensor, bias: Tensor, matrices: Tensor): Project {
  const { diagonal, off } = entries(matrices);
  const positions = diagonal.shape[0] as number;
  const [channels, heads, width] = weight.shape as [number, number, number];
  const turned = (x: Tensor, axes: readonly number[]) => {
    const [on, beside] = [diagonal, off].map((entry) => reshape(entry, [positions, ...axes, width]));
    return add(mul(on!, x), mul(beside!, exchanged(x, x.rank - 1)));
  };
  const added = reshape(turned(bias, [1]), [positions, 1, channels]);
  if (positions * channels * channels <= MOST_TURNED) {
    const matrix = reshape(turned(weight, [1, 1]), [positions, channels, channels]);
    return (x) => add(matmul(x, matrix), added);
  }
  const [on, beside] = [diagonal, off].map((entry) => perChannel(entry, heads));
  const [straight, crossed] = [weight, exchanged(weight, 2)].map((w) => plain(w));
  return (x) => add(add(mul(straight!(x), on!), mul(crossed!(x), beside!)), added);
}

/** Makes the map o -> W M_p o at each position p, with W as a weight [heads, width, channels]. */
function turnedWriting(weight: Tensor, matrices: Tensor): Project {
  const { diagonal, off } = entries(matrices);
  const positions = diagonal.shape[0] as number;
  const [heads, width, channels] = weight.shape as [number, number, number];
  // For input component j, component i of W is multiplied by M_ij, so swap the off-diagonal entries.
  const across = exchanged(off, 1);
  if (positions * channels * channels <= MOST_TURNED) {
    const [on, beside] = [diagonal, across].map((entry) => reshape(entry, [positions, 1, width, 1]));
    const matrix = add(mul(on!, weight), mul(beside!, exchanged(weight, 1)));
    const flatMatrix = reshape(matrix, [positions, channels, channels]);
    return (x) => matmul(x, flatMatrix);
  }
  const [on, beside] = [diagonal, across].map((entry) => perChannel(entry, heads));
  const flat = (w: Tensor) => plain(reshape(w, [channels, channels, 1]));
  const [straight, crossed] = [flat(weight), flat(exchanged(weight, 1))];
  return (x) => add(straight(mul(x, on!)), crossed(mul(x, beside!)));
}

/** Repeats entries [positions, width] for every head. The result is [positions, 1, heads x width]. */
function perChannel(entry: Tensor, heads: number): Tensor {
  const [positions, width] = entry.shape as [number, number];
  const every = expand(reshape(entry, [positions, 1, width]), [positions, heads, width]);
  return reshape(every, [positions, 1, heads * width]);
}

function spaceOf(map: Tensor): Grid {
  const space = map.shape.slice(2);
  check(
    map.rank === 4 && space.every((length) => typeof length === "number"),
    () => `attention: expected [batch, channels, height, width] of known size, got ${showShape(map.shape)}`,
  );
  return space as unknown as Grid;
}
