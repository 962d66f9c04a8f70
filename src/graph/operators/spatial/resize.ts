import type { Dim } from "../../dims.js";
import { divideDims, isStatic, multiplyDims, normaliseAxis, unknownDim } from "../../dims.js";
import type { Call, GradientCall } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  intsAttribute,
  rejectCall,
  required,
  stringAttribute,
} from "../../operator.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant, constantData, integers } from "../../tensor.js";
import type { AxisMatrix } from "../linear/axis-matrix.js";
import { multiplyAxis, transposed } from "../linear/axis-matrix.js";
import { shapeTensor } from "../broadcast.js";
import { mul } from "../elementwise/elementwise.js";
import type { Interpolation } from "./interpolation.js";
import { interpolationMatrix, isSupportedCoordinates } from "./interpolation.js";
import { transpose } from "../shape/shape.js";

// ---- Resize ------------------------------------------------------------------------------------------------------------

interface ResizedAxis {
  readonly axis: number;
  readonly length: Dim;
  /** Output length divided by input length, as given or as computed from the sizes. */
  readonly scale: number | undefined;
}

/** The axes that a Resize call changes. */
function resizedAxes(call: Call): ResizedAxis[] {
  const x = required(call, 0, "x");
  const [scales, sizes] = [call.inputs[2], call.inputs[3]];
  const axes = (intsAttribute(call.attributes, "axes") ?? x.shape.map((_, axis) => axis)).map((axis) =>
    normaliseAxis(axis, x.rank, "Resize"),
  );
  if (sizes !== undefined) {
    if (sizes.known?.length !== axes.length)
      rejectCall(call, `expected ${axes.length} sizes, known while tracing`);
    const policy = stringAttribute(call.attributes, "keep_aspect_ratio_policy", "stretch");
    if (policy !== "stretch") return inRatio(call, axes, sizes.known, policy);
    return axes.map((axis, i) => {
      const [length, dim] = [sizes.known![i]!, x.shape[axis]!];
      if (dim === length) return { axis, length, scale: 1 };
      return { axis, length, scale: isStatic(length) && isStatic(dim) ? length / dim : undefined };
    });
  }
  const regions = regionsOf(call);
  const factors = scales && constantData(scales);
  if (factors?.data.length !== axes.length)
    rejectCall(call, `expected ${axes.length} constant scales, or sizes`);
  return axes.map((axis, i) => {
    const [dim, scale] = [x.shape[axis]!, Number(factors.data[i])];
    const [start, end] = regions?.[i] ?? [0, 1];
    return { axis, length: scaledLength(dim, regions ? scale * (end - start) : scale), scale };
  });
}

/** Resizes all axes by the same factor: the smallest or the largest of the factors that the sizes give. */
function inRatio(call: Call, axes: readonly number[], sizes: readonly Dim[], policy: string): ResizedAxis[] {
  const dims = axes.map((axis) => call.inputs[0]!.shape[axis]!);
  const factors = dims.map((dim, i) => {
    const size = sizes[i]!;
    if (!isStatic(dim) || !isStatic(size)) rejectCall(call, `the policy ${policy} needs known lengths`);
    return size / dim;
  });
  const scale = policy === "not_larger" ? Math.min(...factors) : Math.max(...factors);
  return axes.map((axis, i) => ({ axis, length: Math.floor(scale * (dims[i] as number) + 0.5), scale }));
}

function scaledLength(dim: Dim, scale: number): Dim {
  if (isStatic(dim)) return Math.floor(Math.fround(dim * scale));
  return Number.isInteger(scale) ? multiplyDims(dim, scale) : unknownDim();
}

function interpolationOf(call: Call): Interpolation {
  const { attributes } = call;
  const mode = stringAttribute(attributes, "mode", "nearest");
  if (mode !== "nearest" && mode !== "linear" && mode !== "cubic") rejectCall(call, `unknown mode "${mode}"`);
  const coordinates = stringAttribute(attributes, "coordinate_transformation_mode", "half_pixel");
  if (!isSupportedCoordinates(coordinates))
    rejectCall(call, `no gradient for the coordinates "${coordinates}"`);
  return {
    mode,
    coordinates,
    nearestMode: stringAttribute(attributes, "nearest_mode", "round_prefer_floor"),
    cubicCoefficient: floatAttribute(attributes, "cubic_coeff_a", -0.75),
    excludeOutside: intAttribute(attributes, "exclude_outside", 0) === 1,
    antialias: intAttribute(attributes, "antialias", 0) === 1,
    region: undefined,
  };
}

defineOperator({
  type: "Resize",
  infer: (call) => {
    const x = required(call, 0, "x");
    const shape = [...x.shape];
    for (const { axis, length } of resizedAxes(call)) shape[axis] = length;
    return [{ dtype: x.dtype, shape }];
  },
  // Modes with a gradient do not read the region of interest, and scales are constants.
  gradient: (call, x) => [resizeGradient(call, x), "zero"],
  lower: (call, target) => (target === "webgpu" || target === "portable" ? channelsFirst(call) : undefined),
});

/**
 * A linear Resize of [batch, height, width, channels] with its channels in front, or undefined for anything
 * else: on WebGPU, ONNX Runtime 1.30 fills most rows with zeros if the channels come last.
 */
function channelsFirst(call: Call): Tensor[] | undefined {
  const [x, , , sizes] = call.inputs;
  // ONNX Runtime 1.30 also moves transpositions through a Resize that names its axes, and fails then.
  const { axes: _, ...attributes } = call.attributes;
  const changes = resizedAxes(call);
  const changed = changes.flatMap(({ axis, scale }) => (scale === 1 ? [] : [axis]));
  const isLast = x!.rank === 4 && changed.includes(1) && !changed.includes(3);
  const policy = stringAttribute(attributes, "keep_aspect_ratio_policy", "stretch");
  if (stringAttribute(attributes, "mode", "nearest") !== "linear" || !isLast || policy !== "stretch")
    return undefined;
  if (regionsOf(call) !== undefined) return undefined;
  const of = (axis: number) => changes.find((change) => change.axis === axis);
  const order = [0, 3, 1, 2];
  const moved = transpose(x!, order);
  const inputs =
    sizes === undefined
      ? [moved, undefined, constant(order.map((axis) => of(axis)?.scale ?? 1))]
      : [
          moved,
          undefined,
          undefined,
          shapeTensor(
            order.map((axis) => of(axis)?.length ?? x!.shape[axis]!),
            [x!],
          ),
        ];
  return [transpose(applySingle("Resize", inputs, attributes), [0, 2, 3, 1])];
}

/** The part of each axis that a crop reads; undefined for anything but crops. */
function regionsOf(call: Call): (readonly [number, number])[] | undefined {
  if (stringAttribute(call.attributes, "coordinate_transformation_mode", "") !== "tf_crop_and_resize")
    return undefined;
  const region = call.inputs[1] && constantData(call.inputs[1]);
  if (region === undefined) rejectCall(call, "its region must be constant");
  const numbers = Array.from(region.data as Float32Array);
  const count = numbers.length / 2;
  return numbers.slice(0, count).map((start, i) => [start, numbers[i + count]!] as const);
}

/**
 * Resizing multiplies each axis by an interpolation matrix, so its gradient multiplies each axis by the
 * transposed matrix.
 */
function resizeGradient(call: GradientCall, x: Tensor): Tensor {
  const { dy } = call;
  const how = interpolationOf(call);
  const regions = regionsOf(call);
  const matrices = resizedAxes(call).flatMap(({ axis, length, scale }, i) => {
    if (scale === 1 && regions === undefined) return [];
    const dim = x.shape[axis]!;
    if (!isStatic(dim) || !isStatic(length) || scale === undefined) {
      return rejectCall(call, `its gradient needs a known length of axis ${axis}`);
    }
    return [{ axis, matrix: interpolationMatrix(dim, length, scale, { ...how, region: regions?.[i] }) }];
  });
  return (
    repeated(x, matrices, dy) ?? matrices.reduce((g, m) => multiplyAxis(g, m.axis, transposed(m.matrix)), dy)
  );
}

/** If every element is repeated an integer number of times, the gradient is a sum over blocks. */
function repeated(
  x: Tensor,
  matrices: readonly { axis: number; matrix: AxisMatrix }[],
  dy: Tensor,
): Tensor | undefined {
  if (x.rank < 3 || dy.dtype !== "float32" || matrices.length === 0) return undefined;
  const kernel = x.shape.slice(2).map(() => 1);
  for (const { axis, matrix } of matrices) {
    const factor = matrix.rows / matrix.columns;
    const blocks =
      Number.isInteger(factor) &&
      matrix.values.every((value, i) => {
        const [row, column] = [Math.floor(i / matrix.columns), i % matrix.columns];
        return value === (Math.floor(row / factor) === column ? 1 : 0);
      });
    if (axis < 2 || !blocks) return undefined;
    kernel[axis - 2] = factor;
  }
  const mean = applySingle("AveragePool", [dy], { kernel_shape: kernel, strides: kernel });
  return mul(
    mean,
    kernel.reduce((a, b) => a * b, 1),
  );
}

function resizeSpace(x: Tensor, sizes: readonly number[], attributes: Attributes): Tensor {
  const call: Call = { type: "Resize", inputs: [x], attributes, outputCount: 1 };
  if (sizes.length !== x.rank - 2) rejectCall(call, `expected ${x.rank - 2} sizes, got ${sizes.length}`);
  if (sizes.every((size, i) => x.shape[i + 2] === size)) return x;
  const shape = shapeTensor([x.shape[0]!, x.shape[1]!, ...sizes], [x]);
  return applySingle("Resize", [x, undefined, undefined, shape], attributes);
}

/** Options for resizing to a given size. */
export interface ResizeOptions {
  /** Whether the outer pixels' centres stay where they are (default false), as PyTorch's align_corners. */
  readonly alignCorners?: boolean;
}

/**
 * Resizes [batch, channels, ...space] to `sizes`. Along each axis, output element i is input element floor(i
 * * input length / output length), as in PyTorch's mode "nearest".
 */
export function resizeNearest(x: Tensor, sizes: readonly number[]): Tensor {
  return resizeSpace(x, sizes, {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}

/**
 * Resizes [batch, channels, height, width] to `sizes` by linear interpolation between pixel centres, without
 * antialiasing.
 */
export function resizeBilinear(x: Tensor, sizes: readonly number[], options: ResizeOptions = {}): Tensor {
  return resizeSpace(x, sizes, {
    mode: "linear",
    coordinate_transformation_mode: options.alignCorners === true ? "align_corners" : "half_pixel",
  });
}

/**
 * Resizes [batch, channels, height, width] to `sizes` by Keys' cubic kernel with a = -0.75, as in PyTorch's
 * mode "bicubic".
 */
export function resizeBicubic(x: Tensor, sizes: readonly number[], options: ResizeOptions = {}): Tensor {
  return resizeSpace(x, sizes, {
    mode: "cubic",
    coordinate_transformation_mode: options.alignCorners === true ? "align_corners" : "half_pixel",
    cubic_coeff_a: { float: -0.75 },
  });
}

// ---- depth and space ---------------------------------------------------------------------------------------------------

function blockOf(call: Call): { x: Tensor; block: number } {
  const x = required(call, 0, "x");
  const block = intAttribute(call.attributes, "blocksize", 0);
  if (x.rank !== 4 || block < 1)
    rejectCall(call, "expected [batch, channels, height, width] and a block size");
  return { x, block };
}

function dividedBy(call: Call, dim: Dim, divisor: number, what: string): Dim {
  return (
    divideDims(dim, divisor) ??
    (isStatic(dim) ? rejectCall(call, `${what} ${dim} is not a multiple of ${divisor}`) : unknownDim())
  );
}

function isColumnRowDepth(call: Call): boolean {
  return stringAttribute(call.attributes, "mode", "DCR") === "CRD";
}

/**
 * Splits channels and blocks into axes, permutes them and joins them: [batch, a, b, c, d, e] -> `order` ->
 * [batch, ...to].
 */
function rearrange(
  x: Tensor,
  parts: readonly number[],
  order: readonly number[],
  to: readonly Dim[],
): Tensor {
  const split = applySingle("Reshape", [x, integers([0, ...parts])]);
  const permuted = applySingle("Transpose", [split], { perm: [0, ...order] });
  return applySingle("Reshape", [permuted, integers([0, ...(to as number[])])]);
}

defineOperator({
  type: "DepthToSpace",
  infer: (call) => {
    const { x, block } = blockOf(call);
    const depth = dividedBy(call, x.shape[1]!, block * block, "number of channels");
    const [height, width] = x.shape.slice(2).map((dim) => multiplyDims(dim, block));
    return [{ dtype: x.dtype, shape: [x.shape[0]!, depth, height!, width!] }];
  },
  gradient: (call) => {
    const { dy } = call;
    const { x, block } = blockOf(call);
    if (!isColumnRowDepth(call)) return [applySingle("SpaceToDepth", [dy], { blocksize: block })];
    const [depth, height, width] = x.shape.slice(1);
    if (!isStatic(depth!) || !isStatic(height!) || !isStatic(width!)) {
      return rejectCall(call, "its gradient needs known lengths");
    }
    const parts = [depth / block ** 2, height, block, width, block];
    return [rearrange(dy, parts, [1, 3, 5, 2, 4], [depth, height, width])];
  },
});
/**
 * Moves channels into space, as PyTorch's pixel_shuffle does: [batch, c * b * b, h, w] becomes
 * [batch, c, h * b, w * b].
 */
export function depthToSpace(x: Tensor, block: number): Tensor {
  return applySingle("DepthToSpace", [x], { blocksize: block, mode: "CRD" });
}

defineOperator({
  type: "SpaceToDepth",
  infer: (call) => {
    const { x, block } = blockOf(call);
    const [height, width] = x.shape.slice(2).map((dim) => dividedBy(call, dim, block, "length"));
    return [
      { dtype: x.dtype, shape: [x.shape[0]!, multiplyDims(x.shape[1]!, block * block), height!, width!] },
    ];
  },
  gradient: ({ dy, attributes }) => {
    const block = intAttribute(attributes, "blocksize", 1);
    return [applySingle("DepthToSpace", [dy], { blocksize: block, mode: "DCR" })];
  },
  // WebGPU has no SpaceToDepth.
  lower: (call, target) => {
    const { x, block } = blockOf(call);
    const [depth, height, width] = x.shape.slice(1);
    const known = isStatic(depth!) && isStatic(height!) && isStatic(width!);
    if (target !== "webgpu" || !known) return undefined;
    const [rows, columns] = [height / block, width / block];
    const parts = [depth, rows, block, columns, block];
    return [rearrange(x, parts, [3, 5, 1, 2, 4], [depth * block ** 2, rows, columns])];
  },
});
/**
 * Moves blocks of space into channels, as ONNX's SpaceToDepth does. In the order of the new channels, the old
 * channel varies fastest, within each block offset.
 */
export function spaceToDepth(x: Tensor, block: number): Tensor {
  return applySingle("SpaceToDepth", [x], { blocksize: block });
}
