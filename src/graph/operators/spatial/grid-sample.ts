import { StriateError } from "../../../util/errors.js";
import type { Dim } from "../../dims.js";
import { isStatic } from "../../dims.js";
import { isFloat } from "../../dtype.js";
import type { Call } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  intAttribute,
  rejectCall,
  required,
  stringAttribute,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import { dimTensor } from "../broadcast.js";
import {
  abs,
  add,
  addAll,
  and,
  cast,
  div,
  floor,
  greaterOrEqual,
  lessOrEqual,
  maximum,
  minimum,
  mod,
  mul,
  round,
  scalar,
  sub,
  where,
} from "../elementwise/elementwise.js";
import { matmul } from "../linear/matmul.js";
import { gatherElements } from "../select/select.js";
import { reshape, squeeze, transpose, unsqueeze } from "../shape/shape.js";
import { slice } from "../shape/slice-pad.js";

interface Sampling {
  readonly mode: string;
  /** What is read beyond the edges: "zeros", "border" or "reflection". */
  readonly padding: string;
  /**
   * Whether -1 and 1 are the centres of the outermost elements. If false, they are the outer edges of these
   * elements.
   */
  readonly alignCorners: boolean;
}

function samplingOf(call: Call): Sampling {
  return {
    mode: stringAttribute(call.attributes, "mode", "linear"),
    padding: stringAttribute(call.attributes, "padding_mode", "zeros"),
    alignCorners: intAttribute(call.attributes, "align_corners", 0) === 1,
  };
}

defineOperator({
  type: "GridSample",
  infer: (call) => {
    const [x, grid] = [required(call, 0, "x"), required(call, 1, "grid")];
    const space = x.rank - 2;
    if (space < 1 || grid.rank !== x.rank || grid.shape.at(-1) !== space)
      rejectCall(call, `expected a grid [batch, ...space, ${space}] for [batch, channels, ...space]`);
    if (!isFloat(x.dtype) || x.dtype !== grid.dtype)
      rejectCall(call, "expected floating-point tensors of the same type");
    const { mode, padding } = samplingOf(call);
    if (!["linear", "nearest", "cubic"].includes(mode) || (mode === "cubic" && space !== 2))
      rejectCall(call, `the mode "${mode}" does not exist for ${space} spatial axes`);
    if (!["zeros", "border", "reflection"].includes(padding)) rejectCall(call, `no padding "${padding}"`);
    return [{ dtype: x.dtype, shape: [x.shape[0]!, x.shape[1]!, ...grid.shape.slice(1, -1)] }];
  },
  gradient: (call) => call.through(([x, grid]) => [sampled(x!, grid!, samplingOf(call))]),
  lower: (call, target) => {
    const [x, grid] = [call.inputs[0]!, call.inputs[1]!];
    if (target !== "webgpu" && x.dtype === "float32" && x.rank <= 5 && x.rank >= 4) return undefined;
    return [sampled(x, grid, samplingOf(call))];
  },
});

/**
 * Samples [batch, channels, ...space] at the positions of a grid [batch, ...positions, axes], as PyTorch's
 * grid_sample. Coordinates go from -1 to 1 along each axis and begin with the last axis. By default, corners
 * are not aligned, zeros lie beyond the edges, and interpolation is linear.
 */
export function gridSample(
  x: Tensor,
  grid: Tensor,
  options: {
    readonly mode?: "linear" | "nearest" | "cubic";
    readonly padding?: "zeros" | "border" | "reflection";
    readonly alignCorners?: boolean;
  } = {},
): Tensor {
  const { mode = "linear", padding = "zeros", alignCorners = false } = options;
  const attributes = { mode, padding_mode: padding, align_corners: alignCorners ? 1 : 0 };
  return applySingle("GridSample", [x, grid], attributes);
}

/**
 * The length of an axis as a scalar of the type of `like`. If the length is not a number, it is read at run
 * time.
 */
function lengthOf(x: Tensor, axis: number, like: Tensor): Tensor {
  const dim: Dim = x.shape[axis]!;
  if (isStatic(dim)) return scalar(dim, like.dtype);
  return cast(squeeze(dimTensor(dim, [x]), [0]), like.dtype);
}

/** Reflects coordinates at the edges as often as needed. */
function reflected(at: Tensor, length: Tensor, alignCorners: boolean): Tensor {
  const [low, span] = alignCorners ? [scalar(0, at.dtype), sub(length, 1)] : [scalar(-0.5, at.dtype), length];
  const distance = abs(sub(at, low));
  const period = maximum(mul(span, 2), 1e-6);
  const into = mod(distance, period);
  const folded = minimum(into, sub(period, into));
  return add(folded, low);
}

/**
 * One element that is read to sample at a coordinate along one axis: its interpolation weight (undefined for
 * a weight of 1) and its index.
 */
interface Cell {
  readonly weight: Tensor | undefined;
  readonly place: Tensor;
}

function cellsAlong(at: Tensor, mode: string): Cell[] {
  if (mode === "nearest") return [{ weight: undefined, place: round(at) }];
  const low = floor(at);
  const t = sub(at, low);
  if (mode === "linear")
    return [
      { weight: sub(1, t), place: low },
      { weight: t, place: add(low, 1) },
    ];
  // Keys' cubic kernel with a = -0.75.
  const a = -0.75;
  const near = (d: Tensor) => add(mul(sub(mul(d, a + 2), a + 3), mul(d, d)), 1);
  const far = (d: Tensor) => mul(sub(mul(add(mul(sub(d, 5), d), 8), d), 4), a);
  return [
    { weight: far(add(t, 1)), place: sub(low, 1) },
    { weight: near(t), place: low },
    { weight: near(sub(1, t)), place: add(low, 1) },
    { weight: far(sub(2, t)), place: add(low, 2) },
  ];
}

/** GridSample composed of other operators: elements are gathered and summed with their weights. */
function sampled(x: Tensor, grid: Tensor, { mode, padding, alignCorners }: Sampling): Tensor {
  const space = x.rank - 2;
  const coordinates = Array.from({ length: space }, (_, axis) => {
    const part = space - 1 - axis;
    const g = squeeze(slice(grid, [{ axis: grid.rank - 1, start: part, end: part + 1 }]), [grid.rank - 1]);
    const flat = applySingle("Flatten", [g], { axis: 1 });
    const length = lengthOf(x, axis + 2, x);
    return alignCorners
      ? mul(div(add(flat, 1), 2), sub(length, 1))
      : div(sub(mul(add(flat, 1), length), 1), 2);
  });
  const values = readAt(x, coordinates, { mode, padding, alignCorners });
  const out = [x.shape[0]!, x.shape[1]!, ...grid.shape.slice(1, -1)];
  return reshapeTo(values, out, [grid, x]);
}

function reshapeTo(x: Tensor, shape: readonly Dim[], sources: readonly Tensor[]): Tensor {
  const open = shape.filter((dim) => !isStatic(dim)).length;
  if (open <= 1) return applySingle("Reshape", [x, integers(shape.map((dim) => (isStatic(dim) ? dim : -1)))]);
  const parts = shape.map((dim) => dimTensor(dim, sources));
  return applySingle("Reshape", [x, applySingle("Concat", parts, { axis: 0 })]);
}

/**
 * Reads x [batch, channels, ...space] at some places and returns [batch, channels, places]. `coordinates`
 * contains a tensor [batch, places] for each spatial axis; a coordinate of 0 is the centre of the first
 * element, 1 that of the second.
 */
export function readAt(x: Tensor, coordinates: readonly Tensor[], how: Sampling): Tensor {
  const { mode, padding, alignCorners } = how;
  const lengths = coordinates.map((at, axis) => lengthOf(x, axis + 2, at));
  const inside = (at: Tensor, axis: number) => {
    const last = sub(lengths[axis]!, 1);
    if (padding === "zeros") return at;
    const folded = padding === "reflection" ? reflected(at, lengths[axis]!, alignCorners) : at;
    return minimum(maximum(folded, 0), last);
  };
  // Near the edges, cubic kernels reach elements outside the input, so the index of each element is mapped
  // back inside.
  const moved = mode === "cubic" ? coordinates : coordinates.map(inside);
  const cells = moved.map((at, axis) =>
    cellsAlong(at, mode).map(({ weight, place }) => ({
      weight,
      place: mode === "cubic" ? roundedBack(inside(place, axis), padding) : place,
    })),
  );
  const channels = x.shape[1]!;
  const flat = applySingle("Reshape", [x, integers([0, 0, -1])]);
  const combinations = cells.reduce<Cell[][]>(
    (all, along) => all.flatMap((some) => along.map((cell) => [...some, cell])),
    [[]],
  );
  const terms = combinations.map((corner) => {
    let place: Tensor | undefined;
    let weight: Tensor | undefined;
    let open: Tensor | undefined;
    for (const [axis, cell] of corner.entries()) {
      const last = sub(lengths[axis]!, 1);
      const clamped = minimum(maximum(cell.place, 0), last);
      place = place === undefined ? clamped : add(mul(place, lengths[axis]!), clamped);
      if (cell.weight !== undefined) weight = weight === undefined ? cell.weight : mul(weight, cell.weight);
      if (padding !== "zeros") continue;
      const hit = and(greaterOrEqual(cell.place, 0), lessOrEqual(cell.place, last));
      open = open === undefined ? hit : and(open, hit);
    }
    const indices = unsqueeze(cast(place!, "int64"), [1]);
    const read = gatherElements(flat, overChannels(indices, channels, x), 2);
    const factor =
      weight === undefined ? open && cast(open, x.dtype) : open ? where(open, weight, 0) : weight;
    return factor === undefined ? read : mul(read, unsqueeze(factor, [1]));
  });
  return addAll(terms);
}

/** Indices must be integers, but reflection may leave a rounding error. */
function roundedBack(place: Tensor, padding: string): Tensor {
  return padding === "reflection" ? round(place) : place;
}

/** Repeats indices [batch, 1, places] for every channel, to [batch, channels, places]. */
function overChannels(indices: Tensor, channels: Dim, x: Tensor): Tensor {
  const count = isStatic(channels) ? integers([channels]) : dimTensor(channels, [x]);
  return applySingle("Expand", [
    indices,
    applySingle("Concat", [integers([1]), count, integers([1])], { axis: 0 }),
  ]);
}

/**
 * The grid [batch, ...size, axes] of an affine map for each image, as PyTorch's affine_grid computes it.
 * `theta` contains the maps, [batch, axes, axes + 1], and `size` the lengths of the spatial axes.
 *
 * @throws StriateError for other than two or three spatial axes
 */
export function affineGrid(theta: Tensor, size: readonly number[], alignCorners = false): Tensor {
  const space = size.length;
  if (space !== 2 && space !== 3)
    throw new StriateError(`affine grid: expected 2 or 3 spatial axes, got ${space}`);
  if (theta.rank !== 3 || theta.shape[1] !== space || theta.shape[2] !== space + 1)
    throw new StriateError(`affine grid: expected [batch, ${space}, ${space + 1}], got ${String(theta)}`);
  const steps = size.map((length) =>
    Array.from({ length }, (_, i) => {
      if (!alignCorners) return (2 * i + 1) / length - 1;
      return length === 1 ? 0 : (2 * i) / (length - 1) - 1;
    }),
  );
  const points = steps.reduce<number[][]>(
    (all, along) => all.flatMap((point) => along.map((value) => [value, ...point])),
    [[]],
  );
  // The shape is [axes + 1, places]. The rows are the coordinates, beginning with the last axis, and then
  // ones.
  const values = Array.from({ length: space + 1 }, (_, row) => points.map((point) => point[row] ?? 1)).flat();
  const base = floatConstant(values, [space + 1, points.length], theta.dtype);
  return reshape(transpose(matmul(theta, base), [0, 2, 1]), [theta.shape[0]!, ...size, space]);
}
