import type { Shape } from "../dims.js";
import { isStatic, isStaticShape } from "../dims.js";
import type { Call } from "../operator.js";
import { applySingle, defineOperator, intAttribute, rejectCall, required } from "../operator.js";
import type { Attributes, Tensor } from "../tensor.js";
import { integers } from "../tensor.js";
import type { Window } from "../window.js";
import { outputLength, windowOf } from "../window.js";
import { floatConstant } from "../operators/linear/axis-matrix.js";
import { add, mul } from "../operators/elementwise/elementwise.js";
import { readAt } from "../operators/spatial/grid-sample.js";
import { matmul } from "../operators/linear/matmul.js";

interface Geometry {
  readonly window: Window;
  /** Lengths of the spatial axes of the result. */
  readonly space: readonly number[];
  readonly offsetGroups: number;
}

function geometryOf(call: Call): Geometry {
  const [x, weight, offset] = [
    required(call, 0, "x"),
    required(call, 1, "weight"),
    required(call, 2, "offset"),
  ];
  const sizes: Shape = [...weight.shape.slice(2), ...x.shape.slice(1)];
  if (!isStaticShape(sizes) || x.rank !== weight.rank)
    rejectCall(call, "expected x and a weight of the same rank, with known lengths except for the batch");
  const [kernel, lengths] = [sizes.slice(0, weight.rank - 2), sizes.slice(weight.rank - 2)];
  const window = windowOf(call, kernel, lengths.slice(1));
  const space = lengths.slice(1).map((dim, axis) => outputLength(dim, window, axis) as number);
  const offsetGroups = intAttribute(call.attributes, "offset_group", 1);
  const cells = kernel.reduce((a, b) => a * b, 1);
  const expected = [offsetGroups * cells * kernel.length, ...space];
  if (
    offset.rank !== x.rank ||
    expected.some((dim, i) => dim !== offset.shape[i + 1] && isStatic(offset.shape[i + 1]!))
  )
    rejectCall(call, `expected offsets of the shape [batch, ${expected.join(", ")}]`);
  return { window, space, offsetGroups };
}

defineOperator({
  type: "DeformConv",
  infer: (call) => {
    const [x, weight] = [required(call, 0, "x"), required(call, 1, "weight")];
    return [{ dtype: x.dtype, shape: [x.shape[0]!, weight.shape[0]!, ...geometryOf(call).space] }];
  },
  gradient: (call) => call.through((inputs) => [composed({ ...call, inputs })]),
  lower: (call, target) => {
    const { dtype, rank } = call.inputs[0]!;
    return target === "webgpu" || dtype !== "float32" || rank !== 4 ? [composed(call)] : undefined;
  },
});

/**
 * A deformable convolution: each kernel position reads x with an offset of its own. `x` is
 * [batch, channels, ...space], `weight` is [out, in / groups, ...kernel], and `offset` is [batch, offset
 * groups * kernel positions * spatial axes, ...space of the result]. The attributes are those of ONNX's
 * DeformConv.
 */
export function deformConv(x: Tensor, weight: Tensor, offset: Tensor, attributes: Attributes = {}): Tensor {
  return applySingle("DeformConv", [x, weight, offset], attributes);
}

/**
 * Interpolates x at the place that each kernel position reads, and then multiplies by the weight as in any
 * convolution.
 */
function composed(call: Call): Tensor {
  const { window, space, offsetGroups } = geometryOf(call);
  const [x, weight, offset, bias, mask] = call.inputs as [
    Tensor,
    Tensor,
    Tensor,
    Tensor | undefined,
    Tensor | undefined,
  ];
  const { kernel, strides, dilations, before, groups } = window;
  const [channels, ...lengths] = x.shape.slice(1) as number[];
  const out = weight.shape[0] as number;
  const axes = kernel.length;
  const all = (limits: readonly number[]) =>
    limits.reduce<number[][]>(
      (some, limit) => some.flatMap((at) => Array.from({ length: limit }, (_, i) => [...at, i])),
      [[]],
    );
  const [cells, places] = [all(kernel), all(space)];
  const reads = cells.length * places.length;
  const shaped = (from: Tensor, ...shape: readonly number[]) =>
    applySingle("Reshape", [from, integers(shape)]);
  const moves = shaped(offset, -1, cells.length, axes, places.length);
  const coordinates = kernel.map((_, axis) => {
    const move = applySingle("Gather", [moves, integers([axis])], { axis: 2 });
    const start = cells.flatMap((cell) =>
      places.map((at) => at[axis]! * strides[axis]! - before[axis]! + cell[axis]! * dilations[axis]!),
    );
    return add(shaped(move, -1, reads), floatConstant(start, [1, reads], x.dtype));
  });
  const parts = shaped(x, -1, channels! / offsetGroups, ...lengths);
  const read = readAt(parts, coordinates, { mode: "linear", padding: "zeros", alignCorners: false });
  const kept = mask ? mul(read, shaped(mask, -1, 1, reads)) : read;
  const inner = (channels! / groups) * cells.length;
  const rows = shaped(kept, -1, groups, inner, places.length);
  const product = shaped(matmul(shaped(weight, groups, out / groups, inner), rows), -1, out, ...space);
  return bias ? add(product, shaped(bias, 1, out, ...space.map(() => 1))) : product;
}
