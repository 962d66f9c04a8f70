import type { Dim } from "../../dims.js";
import { addDims, divideDims, isStatic, isStaticShape, normaliseAxis, unknownDim } from "../../dims.js";
import type { Call, Target } from "../../operator.js";
import { apply, applySingle, defineOperator, intAttribute, rejectCall, required } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constantData, integers } from "../../tensor.js";
import { zerosLike } from "./shape-values.js";

/**
 * Largest number of tensors that one call may join or split. By default, a WebGPU device binds at most eight
 * storage buffers to a shader, and a shader that needs more computes nothing.
 */
const WIDEST = 7;

/** Whether the target may run a graph with shaders that bind every tensor of a call. */
function bindsAll(target: Target): boolean {
  return target === "webgpu" || target === "portable";
}

/**
 * Divides neighbours into groups of about the same size: the fewest groups of at most `WIDEST` items, but
 * never more than `WIDEST` groups.
 */
function grouped<T>(items: readonly T[]): T[][] {
  const groups = Math.min(Math.ceil(items.length / WIDEST), WIDEST);
  return Array.from({ length: groups }, (_, i) =>
    items.slice(Math.floor((i * items.length) / groups), Math.floor(((i + 1) * items.length) / groups)),
  );
}

/** Replaces a Concat of many tensors by a Concat of a few, each of which is itself joined from several. */
function narrowConcat(inputs: readonly Tensor[], axis: number): Tensor {
  if (inputs.length === 1) return inputs[0]!;
  if (inputs.length <= WIDEST) return concat(inputs, axis);
  return concat(
    grouped(inputs).map((group) => narrowConcat(group, axis)),
    axis,
  );
}

/** Replaces a Split into many parts by a Split into a few, each of which is split again. */
function narrowSplit(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  if (sizes.length === 1) return [x];
  if (sizes.length <= WIDEST) return split(x, sizes, axis);
  const groups = grouped(sizes);
  const totals = groups.map((group) => group.reduce((a, b) => a + b, 0));
  return split(x, totals, axis).flatMap((part, i) => narrowSplit(part, groups[i]!, axis));
}

defineOperator({
  type: "Concat",
  infer: (call) => {
    const first = required(call, 0, "x0");
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), first.rank, "Concat");
    let length: Dim = 0;
    let known: Dim[] | undefined = [];
    for (const [i] of call.inputs.entries()) {
      const x = required(call, i, `x${i}`);
      const fits =
        x.rank === first.rank &&
        x.dtype === first.dtype &&
        x.shape.every(
          (dim, at) =>
            at === axis || dim === first.shape[at] || !isStatic(dim) || !isStatic(first.shape[at]!),
        );
      if (!fits) rejectCall(call, `all types must be the same, and all shapes except for axis ${axis}`);
      length = addDims(length, x.shape[axis]!);
      known = known && x.known && [...known, ...x.known];
    }
    const shape = first.shape.map((dim, at) => {
      if (at === axis) return length;
      return call.inputs.map((x) => x!.shape[at]!).find(isStatic) ?? dim;
    });
    return [{ dtype: first.dtype, shape, known: first.rank === 1 ? known : undefined }];
  },
  gradient: (call) => {
    const { dy } = call;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), dy.rank, "Concat");
    if (call.inputs.length === 1) return [dy];
    const lengths = call.inputs.map((x) => applySingle("Shape", [x!], { start: axis, end: axis + 1 }));
    const dims = call.inputs.map((x) => x!.shape[axis]!);
    const sizes = isStaticShape(dims) ? integers(dims) : applySingle("Concat", lengths, { axis: 0 });
    return apply("Split", [dy, sizes], { axis }, { outputs: call.inputs.length });
  },
  lower: (call, target) => {
    if (!bindsAll(target) || call.inputs.length <= WIDEST) return undefined;
    return [narrowConcat(call.inputs as readonly Tensor[], intAttribute(call.attributes, "axis", 0))];
  },
});
/** Joins tensors along an axis (negative counts from the end). */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return applySingle("Concat", tensors, { axis });
}

defineOperator({
  type: "Split",
  infer: (call) => {
    const x = required(call, 0, "x");
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
    const dim = x.shape[axis]!;
    const sizes = splitSizes(call, dim);
    return sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.with(axis, size) }));
  },
  gradient: (call, x) => {
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
    return [
      concat(
        call.outputs.map((y, i) => call.received(i) ?? zerosLike(y)),
        axis,
      ),
      undefined,
    ];
  },
  lower: (call, target) => {
    if (!bindsAll(target) || call.outputCount <= WIDEST) return undefined;
    const x = call.inputs[0]!;
    const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
    const sizes = splitSizes(call, x.shape[axis]!);
    return sizes.every(isStatic) ? narrowSplit(x, sizes, axis) : undefined;
  },
});

function splitSizes(call: Call, dim: Dim): readonly Dim[] {
  const sizes = call.inputs[1];
  // `known` is set only for short tensors, but a Split may have hundreds of parts. So constants are read
  // directly.
  const data = sizes && constantData(sizes)?.data;
  const known = data ? Array.from(data as BigInt64Array, Number) : sizes?.known;
  if (known !== undefined) {
    if (known.length !== call.outputCount)
      rejectCall(call, `${known.length} sizes for ${call.outputCount} outputs`);
    const total = known.reduce(addDims, 0);
    if (isStatic(total) && isStatic(dim) && total !== dim)
      rejectCall(call, `the sizes add up to ${total}, but the axis has length ${dim}`);
    return known;
  }
  if (sizes !== undefined) return Array.from({ length: call.outputCount }, unknownDim);
  if (!isStatic(dim))
    return Array.from({ length: call.outputCount }, () => divideDims(dim, call.outputCount) ?? unknownDim());
  const each = Math.ceil(dim / call.outputCount);
  return Array.from({ length: call.outputCount }, (_, i) => Math.min(each, dim - each * i));
}
/** Cuts an axis into parts of the given lengths. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  return apply("Split", [x, integers(sizes)], { axis }, { outputs: sizes.length });
}
