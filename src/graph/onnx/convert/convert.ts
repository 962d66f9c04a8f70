import { StriateError } from "../../../util/errors.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import { dtypeFromOnnx, isFloat, onnxTypeCode } from "../../dtype.js";
import {
  apply,
  applySingle,
  floatAttribute,
  intAttribute,
  intsAttribute,
  operatorOf,
  stringAttribute,
} from "../../operator.js";
import { reshapeLike } from "../../operators/broadcast.js";
import { batchNormInference } from "../../operators/normalise/batch-norm.js";
import { uniformNumber } from "../../operators/known-numbers.js";
import {
  add,
  cast,
  div,
  dropout as droppable,
  mod,
  mul,
  sub,
} from "../../operators/elementwise/elementwise.js";
import { mean as reduceMean, variance as reduceVariance } from "../../operators/reduce/reduce.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant, constantData, integers, scope } from "../../tensor.js";
import { transposedWindowOf, windowAttributes, windowOf } from "../../window.js";
import { COMPOSITIONS } from "./compose.js";
import { RECURRENT } from "./compose-recurrent.js";
import { joinWithoutEmpty, splitWithEmpty } from "./empty-tensors.js";
import { stableLogarithm } from "./stable-logarithm.js";
import { numbersOf } from "./composed-call.js";
import type { Conversion, Converted, ImportedCall } from "./conversion.js";
import { RANDOM_OPERATORS, everywhere, isTraining, trainingDropout } from "./noise.js";
import { modernised } from "./old-opsets.js";

/**
 * Largest number of groups of GroupNormalization. It is far above that of any network, so a file with a
 * larger number is damaged.
 */
const MOST_GROUPS = 2 ** 16;

/** Longest axis of a Pad in the mode wrap, whose places are stored. */
const LONGEST_WRAPPED = 2 ** 20;

/** Converts a call of any supported opset to the form of opset 18. Operators without a conversion have not changed. */
export function convert(call: ImportedCall): Converted {
  const current = call.opset < 11 ? scope(call.name, () => modernised(call)) : call;
  if (!("type" in current)) return current;
  const conversion = CONVERSIONS.get(current.type);
  const converted = conversion ? scope(call.name, () => conversion(current)) : current;
  if (!("type" in converted) || operatorOf(converted.type) !== undefined) return converted;
  // If Striate lacks the operator, other operators may compose it.
  const composition = COMPOSITIONS.get(converted.type);
  return composition ? scope(call.name, () => composition(converted)) : converted;
}

/** Makes the node of a call that is fully converted. */
export function make({ type, inputs, attributes, outputCount, name }: ImportedCall): readonly Tensor[] {
  return apply(type, inputs, attributes, { outputs: outputCount, name });
}

function without(attributes: Attributes, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

function first(call: ImportedCall): Tensor {
  const x = call.inputs[0];
  if (x === undefined) throw new StriateError("its first input is missing");
  return x;
}

function identity(call: ImportedCall): ImportedCall {
  return { ...call, type: "Identity", inputs: [first(call)], attributes: {}, outputCount: 1 };
}

function onlyFirstOutput(call: ImportedCall, what: string): void {
  if (call.outputCount > 1) throw new StriateError(`${what} is used, which is not supported`);
}

/**
 * Makes `axes` of Reduce*, Squeeze and Unsqueeze an operand. It was an attribute in older opsets, for some
 * operators until opset 18.
 */
const axesAsInput: Conversion = (call) => {
  const axes = intsAttribute(call.attributes, "axes");
  if (axes === undefined) return call;
  return { ...call, inputs: [first(call), integers(axes)], attributes: without(call.attributes, "axes") };
};

const reduction: Conversion = (call) => {
  const converted = axesAsInput(call) as ImportedCall;
  if (converted.inputs[1]?.shape[0] !== 0) return converted;
  if (intAttribute(call.attributes, "noop_with_empty_axes", 0) === 1) return identity(call);
  return { ...converted, inputs: [first(call)] };
};

/** Before opset 13, these operators worked on a matrix: they merged all axes from `axis` (default 1) on. */
const softmax: Conversion = (call) => {
  if (call.opset >= 13) return call;
  const x = first(call);
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", 1), x.rank, call.type);
  if (axis === x.rank - 1) return { ...call, attributes: { axis } };
  return [reshapeLike(applySingle(call.type, [applySingle("Flatten", [x], { axis })], { axis: 1 }), x)];
};

const split: Conversion = (call) => {
  const x = first(call);
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "Split");
  const sizes = intsAttribute(call.attributes, "split");
  if (call.inputs[1] !== undefined) return splitWithEmpty(call);
  if (sizes !== undefined)
    return splitWithEmpty({ ...call, inputs: [x, integers(sizes)], attributes: { axis } });
  const parts = intAttribute(call.attributes, "num_outputs", call.outputCount);
  if (parts !== call.outputCount)
    throw new StriateError(`expected ${parts} outputs, as in num_outputs, got ${call.outputCount}`);
  const length = x.shape[axis]!;
  if (!isStatic(length)) return { ...call, inputs: [x], attributes: { axis, num_outputs: parts } };
  const each = Math.ceil(length / parts);
  const lengths = Array.from({ length: parts }, (_, i) => Math.min(each, length - each * i));
  return { ...call, inputs: [x, integers(lengths)], attributes: { axis } };
};

/** Combines two operands at a time, because the n-ary form has no gradient rule. */
const chain: Conversion = (call) => {
  if (call.inputs.length <= 1) return identity(call);
  if (call.inputs.length === 2) return call;
  const all = call.inputs.map((input) => {
    if (input === undefined) throw new StriateError("an input is missing");
    return input;
  });
  return [all.slice(1).reduce((total, next) => applySingle(call.type, [total, next]), all[0]!)];
};

/** The probability of Dropout, which was an attribute before opset 12; undefined if it is no constant below 1. */
function dropoutRatio({ opset, inputs, attributes }: ImportedCall): number | undefined {
  const stated = opset < 12 ? floatAttribute(attributes, "ratio", 0.5) : undefined;
  const ratio = stated ?? (inputs[1] === undefined ? 0.5 : uniformNumber(inputs[1]));
  return ratio !== undefined && ratio >= 0 && ratio < 1 ? ratio : undefined;
}

/**
 * The second result is a mask of the elements that stay. Outside training mode, it is true everywhere from
 * opset 12 on; before that, ONNX Runtime makes it false everywhere. Before opset 10, it has the type of x.
 */
const dropout: Conversion = (call) => {
  if (isTraining(call)) return trainingDropout(call);
  if (call.outputCount === 1) {
    const ratio = dropoutRatio(call);
    return ratio === undefined || ratio === 0 ? identity(call) : [droppable(first(call), ratio)];
  }
  const mask = everywhere(first(call), call.opset >= 12);
  return [applySingle("Identity", [first(call)]), call.opset < 10 ? cast(mask, first(call).dtype) : mask];
};

/**
 * Training mode uses the statistics of the batch. From opset 14 on, an attribute selects it; before that,
 * additional outputs do. The additional outputs are the running averages and, before opset 14, the statistics
 * themselves.
 */
const batchNormalisation: Conversion = (call) => {
  const epsilon = floatAttribute(call.attributes, "epsilon", 1e-5);
  const isTraining = call.opset >= 14 ? call.attributes.training_mode === 1 : call.outputCount > 1;
  if (!isTraining) {
    onlyFirstOutput(call, "a second output outside of training mode");
    return { ...call, attributes: { epsilon: { float: epsilon } } };
  }
  const [x, scale, bias, mean, variance] = call.inputs.map((input) => {
    if (input === undefined) throw new StriateError("an input is missing");
    return input;
  });
  const axes = x!.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const batch = { mean: reduceMean(x!, axes), variance: reduceVariance(x!, axes) };
  const y = batchNormInference(x!, scale!, bias!, batch, epsilon);
  const momentum = floatAttribute(call.attributes, "momentum", 0.9);
  const averaged = (running: Tensor, now: Tensor) =>
    add(mul(running, momentum), mul(cast(now, running.dtype), 1 - momentum));
  const averages = [averaged(mean!, batch.mean), averaged(variance!, batch.variance)];
  return [y, ...averages, batch.mean, batch.variance].slice(0, call.outputCount);
};

/** Replaces the mode wrap of opset 19, in which the elements repeat from the other end, by a Gather for each axis. */
const pad: Conversion = (call) => {
  const mode = stringAttribute(call.attributes, "mode", "constant");
  if (mode !== "wrap") return call;
  const x = first(call);
  const pads = numbersOf(call, 1, "pads");
  const axes = call.inputs[3] ? numbersOf(call, 3, "axes") : x.shape.map((_, axis) => axis);
  return [
    axes.reduce((padded, given, i) => {
      const axis = normaliseAxis(given, x.rank, "Pad");
      const length = x.shape[axis]!;
      const [before, after] = [pads[i]!, pads[i + axes.length]!];
      if (before === 0 && after === 0) return padded;
      if (before < 0 || after < 0) throw new StriateError("negative pads in the mode wrap are not supported");
      if (!isStatic(length) || length + before + after > LONGEST_WRAPPED)
        throw new StriateError(`axis ${axis} of length ${length} cannot be padded in the mode wrap`);
      const places = Array.from(
        { length: length + before + after },
        (_, at) => (((at - before) % length) + length) % length,
      );
      return applySingle("Gather", [padded, integers(places)], { axis });
    }, x),
  ];
};

/** An empty vector means that an operand is absent. */
const resize: Conversion = (call) => {
  const inputs = call.inputs.map((input, i) => (i > 0 && input?.shape[0] === 0 ? undefined : input));
  const crops = call.attributes.coordinate_transformation_mode === "tf_crop_and_resize";
  const plain = { ...call, inputs };
  if (crops) {
    if (!inputs[1] || !constantData(inputs[1]))
      throw new StriateError("the region of its crop must be constant");
    return plain;
  }
  return withClearLengths(plain);
};

/**
 * Replaces the factors of axes whose new length depends on the precision. In single precision, 10 times 0.7
 * is 7. In double precision, 10 times the same float32 factor is slightly below 7, which is rounded down to
 * 6. ONNX Runtime computes one length and expects the other, so such axes get the length that it computes.
 */
function withClearLengths(call: ImportedCall): Converted {
  const [x, factors] = [first(call), call.inputs[2] && constantData(call.inputs[2])?.data];
  const given = intsAttribute(call.attributes, "axes") ?? x.shape.map((_, axis) => axis);
  if (call.inputs[3] !== undefined || factors?.length !== given.length) return call;
  const axes = given.map((axis, i) => {
    const at = normaliseAxis(axis, x.rank, call.type);
    const [dim, factor] = [x.shape[at]!, Number(factors[i])];
    const size = isStatic(dim) ? Math.floor(Math.fround(dim * factor)) : undefined;
    const isUnclear = isStatic(dim) && size !== Math.floor(dim * factor);
    return { at, factor, size: isUnclear ? size : undefined };
  });
  const unclear = axes.filter(({ size }) => size !== undefined);
  if (unclear.length === 0) return call;
  const clear = axes.filter(({ size, factor }) => size === undefined && factor !== 1);
  const on = (part: typeof axes) => ({ ...call.attributes, axes: part.map(({ at }) => at) });
  const sizes = integers(unclear.map(({ size }) => size!));
  const y = applySingle(call.type, [x, undefined, undefined, sizes], on(unclear));
  if (clear.length === 0) return [y];
  return [applySingle(call.type, [y, undefined, constant(clear.map(({ factor }) => factor))], on(clear))];
}

const upsample: Conversion = (call) =>
  withClearLengths({
    ...call,
    type: "Resize",
    inputs: [first(call), undefined, call.inputs[1]],
    attributes: {
      mode: stringAttribute(call.attributes, "mode", "nearest"),
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    },
  });

const pow: Conversion = (call) => {
  const [base, exponent] = [first(call), call.inputs[1]];
  if (exponent === undefined || exponent.dtype === base.dtype) return call;
  return { ...call, inputs: [base, cast(exponent, base.dtype)] };
};

const castLike: Conversion = (call) => {
  const like = call.inputs[1];
  if (like === undefined) throw new StriateError("its second input is missing");
  const attributes = { ...call.attributes, to: onnxTypeCode(like.dtype) };
  return castTo({ ...call, type: "Cast", inputs: [first(call)], attributes });
};

/**
 * Drops the attributes for rounding and for numbers out of range, unless the type uses them. They concern
 * only the narrowest floating-point types.
 */
const castTo = (call: ImportedCall): ImportedCall => {
  const to = dtypeFromOnnx(intAttribute(call.attributes, "to", 0), "Cast");
  const unused = to.startsWith("float8") ? ["round_mode"] : ["saturate", "round_mode"];
  return { ...call, attributes: without(call.attributes, ...(to === "float8e8m0" ? [] : unused)) };
};

/** Clips `start` and `end` to the valid range, because files may hold integers of any size. */
const shape: Conversion = (call) => {
  const { rank } = first(call);
  const clamp = (n: number): number => Math.min(Math.max(n < 0 ? n + rank : n, 0), rank);
  const start = clamp(intAttribute(call.attributes, "start", 0));
  const end = clamp(intAttribute(call.attributes, "end", rank));
  return { ...call, attributes: start === 0 && end === rank ? {} : { start, end } };
};

/** Replaces `auto_pad` and `output_shape` by explicit pads, because runtimes interpret them differently. */
const convTranspose: Conversion = (call) => {
  const { auto_pad: auto = "NOTSET", output_shape: stated } = call.attributes;
  const kernel = call.inputs[1]?.shape.slice(2);
  if ((auto === "NOTSET" && stated === undefined) || kernel?.every(isStatic) !== true) return call;
  const { window, outputPadding } = transposedWindowOf(call, kernel, first(call).shape.slice(2));
  return { ...call, attributes: { ...windowAttributes(window), output_padding: outputPadding } };
};

/**
 * Replaces `auto_pad` by explicit pads if runtimes interpret it differently: ONNX Runtime ignores dilations
 * when it computes the pads, and some versions refuse kernels smaller than their stride.
 */
function withPads(call: ImportedCall): ImportedCall {
  const { auto_pad: auto = "NOTSET" } = call.attributes;
  const space = first(call).shape.slice(2);
  const kernel = intsAttribute(call.attributes, "kernel_shape") ?? [];
  const ones = space.map(() => 1);
  const strides = intsAttribute(call.attributes, "strides") ?? ones;
  const dilations = intsAttribute(call.attributes, "dilations") ?? ones;
  const isClear = kernel.every((k, axis) => k >= strides[axis]! && (k === 1 || dilations[axis] === 1));
  const isKnown = space.every((dim, axis) => isStatic(dim) || strides[axis] === 1);
  if ((auto !== "SAME_UPPER" && auto !== "SAME_LOWER") || isClear || !isKnown) return call;
  const plain = { ...call, attributes: without(call.attributes, "dilations") };
  const { before, after } = windowOf(plain, kernel, space);
  return { ...call, attributes: { ...without(call.attributes, "auto_pad"), pads: [...before, ...after] } };
}

const averagePool: Conversion = (call) => {
  const isDilated = intsAttribute(call.attributes, "dilations")?.some((n) => n !== 1) === true;
  return withPads(isDilated ? call : { ...call, attributes: without(call.attributes, "dilations") });
};

/** If `storage_order` is 1, converts the indices from row-major to column-major order. */
const maxPool: Conversion = (call) => {
  const rows = withPads({ ...call, attributes: without(call.attributes, "storage_order") });
  if (call.outputCount === 1 || intAttribute(call.attributes, "storage_order", 0) === 0) return rows;
  const [height, width, ...deeper] = first(call).shape.slice(2);
  if (width === undefined || deeper.length > 0 || !isStatic(height!) || !isStatic(width))
    throw new StriateError("storage_order of 1 needs two spatial axes of known lengths");
  const [values, places] = make(rows) as [Tensor, Tensor];
  const cell = mod(places, height * width);
  const transposedCell = add(mul(mod(cell, width), height), div(cell, width));
  return [values, add(sub(places, cell), transposedCell)];
};

/** Gives the modes their names of opset 20. */
const gridSample: Conversion = (call) => {
  const mode = stringAttribute(call.attributes, "mode", "linear").replace(/^bi/, "");
  return { ...call, attributes: { ...call.attributes, mode } };
};

/** Before opset 16 there was only one coordinate convention, which is not the current default. */
const roiAlign: Conversion = (call) =>
  call.opset >= 16
    ? call
    : { ...call, attributes: { ...call.attributes, coordinate_transformation_mode: "output_half_pixel" } };

/** Before opset 20, the axis was an attribute; its default is the second axis. */
const fourier: Conversion = (call) => {
  const { axis = 1 } = call.attributes;
  if (call.opset >= 20 || typeof axis !== "number") return call;
  const inputs = [first(call), call.inputs[1], constant(axis, [], "int64")];
  return { ...call, inputs, attributes: without(call.attributes, "axis") };
};

/** Adds the second result, which holds the indices to which the gradient goes. */
const unique: Conversion = (call) => ({ ...call, outputCount: Math.max(2, call.outputCount) });

const constantOfShape: Conversion = (call) => {
  const { value } = call.attributes;
  if (value !== undefined) return call;
  return {
    ...call,
    attributes: { value: { tensor: { dtype: "float32", shape: [1], data: new Float32Array(1) } } },
  };
};

/**
 * GroupNormalization of opset 21 and of Striate has one scale for each channel, that of opset 18 has one for
 * each group. So that a file can be written in any opset, the conversion replaces the operator by simpler
 * ones.
 */
const groupNormalization: Conversion = (call) => {
  const groups = intAttribute(call.attributes, "num_groups", 0);
  if (groups < 1 || groups > MOST_GROUPS) throw new StriateError(`num_groups is ${groups}`);
  const operator = operatorOf(call.type);
  operator?.infer(call);
  return operator?.lower?.(call, "portable", { isFixed: () => false }) ?? call;
};

const logarithm: Conversion = (call) => {
  const stable = stableLogarithm(first(call));
  return stable ? [stable] : call;
};

/** Striate's rules for rounding need floating-point numbers. Rounding does not change integers. */
const rounding: Conversion = (call) => (isFloat(first(call).dtype) ? call : identity(call));

/** Range of opset 27 also has the narrow floating-point types, for which runtimes have no kernel. */
const range: Conversion = (call) => {
  const { dtype } = first(call);
  if (dtype !== "float16" && dtype !== "bfloat16") return call;
  const wide = call.inputs.map((input) => input && cast(input, "float32"));
  return [cast(applySingle("Range", wide), dtype)];
};

export const CONVERSIONS: ReadonlyMap<string, Conversion> = new Map<string, Conversion>([
  ...RECURRENT,
  ["Squeeze", axesAsInput],
  ["Unsqueeze", axesAsInput],
  ...["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"].map(
    (kind): [string, Conversion] => [`Reduce${kind}`, reduction],
  ),
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["Hardmax", softmax],
  ["Split", split],
  ["Concat", joinWithoutEmpty],
  ["Max", chain],
  ["Min", chain],
  ["Dropout", dropout],
  ["BatchNormalization", batchNormalisation],
  ["GroupNormalization", groupNormalization],
  ["Pad", pad],
  ["Resize", resize],
  ["Upsample", upsample],
  ["Pow", pow],
  ["Cast", castTo],
  ["CastLike", castLike],
  ["Shape", shape],
  ["AveragePool", averagePool],
  ["MaxPool", maxPool],
  ["ConstantOfShape", constantOfShape],
  ["ConvTranspose", convTranspose],
  ["Scatter", (call) => ({ ...call, type: "ScatterElements" })],
  ["Log", logarithm],
  ["GridSample", gridSample],
  ["RoiAlign", roiAlign],
  ["DFT", fourier],
  ["Unique", unique],
  ["Range", range],
  ["Floor", rounding],
  ["Ceil", rounding],
  ...RANDOM_OPERATORS,
]);

/** The value of a Constant node, from whichever attribute holds it. */
export function constantOf(attributes: Attributes): Tensor {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "value" && typeof value === "object" && "tensor" in value) return constant(value.tensor);
    if (name === "value_float" && typeof value === "object" && "float" in value) return constant(value.float);
    if (name === "value_floats" && typeof value === "object" && "floats" in value)
      return constant(value.floats);
    if (name === "value_int" && typeof value === "number") return constant(bounded(value), [], "int64");
    if (name === "value_ints" && Array.isArray(value))
      return integers((value as readonly number[]).map(bounded));
  }
  throw new StriateError("expected a dense numeric value; text and sparse values are not supported");
}

/**
 * Clips int64 values to the range of exact numbers. The largest int64 means "to the end", as any very large
 * number does.
 */
function bounded(value: number): number {
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
