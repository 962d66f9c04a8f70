import { StriateError } from "../../../util/errors.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import type { DType } from "../../dtype.js";
import { onnxTypeCode } from "../../dtype.js";
import { applySingle, floatAttribute, intAttribute, intsAttribute, stringAttribute } from "../../operator.js";
import { unsqueeze } from "../../operators/shape/shape.js";
import type { Attribute, Attributes, Tensor } from "../../tensor.js";
import { constant, constantData, integers } from "../../tensor.js";
import type { Conversion, Converted, ImportedCall } from "./conversion.js";

/*
 * Conversion of operators from before opset 11 to the form of opset 11. In the older forms, some operands
 * were attributes, and operands were broadcast only if an attribute said so.
 */

/** Converts a call from before opset 11 to the form of opset 11. */
export function modernised(call: ImportedCall): Converted {
  const { consumed_inputs: _memory, ...attributes } = call.attributes;
  const plain = { ...call, attributes };
  return OLD_FORMS.get(call.type)?.(plain) ?? plain;
}

function split(
  attributes: Attributes,
  ...names: readonly string[]
): readonly [rest: Attributes, taken: (Attribute | undefined)[]] {
  const rest = Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
  return [rest, names.map((name) => attributes[name])];
}

function operand(call: ImportedCall, index: number): Tensor {
  const tensor = call.inputs[index];
  if (tensor === undefined) throw new StriateError(`input ${index} is missing`);
  return tensor;
}

/** The integers of an attribute as an operand; the largest int64 means "to the end". */
function numbersOperand(values: readonly number[]): Tensor {
  const limit = Number.MAX_SAFE_INTEGER;
  return integers(values.map((value) => Math.min(Math.max(value, -limit), limit)));
}

/**
 * Before opset 7, `axis` said which axis of the first operand matches the first axis of the second operand.
 * Without `axis`, the last axes match, as in later opsets.
 */
const broadcasting: Conversion = (call) => {
  if (call.opset >= 7) return call;
  const [attributes, [axis, broadcast]] = split(call.attributes, "axis", "broadcast");
  const [a, b] = [operand(call, 0), operand(call, 1)];
  if (broadcast !== 1 || typeof axis !== "number" || b.rank === 0) return { ...call, attributes };
  const behind = a.rank - normaliseAxis(axis, a.rank, call.type) - b.rank;
  if (behind < 0)
    throw new StriateError(`from axis ${axis} on, expected a second operand that fits into the first`);
  if (behind === 0) return { ...call, attributes };
  const last = Array.from({ length: behind }, (_, i) => b.rank + i);
  return { ...call, inputs: [a, unsqueeze(b, last)], attributes };
};

/** Before opset 7, the slopes of the channels were a vector. */
const prelu: Conversion = (call) => {
  const [x, slope] = [operand(call, 0), operand(call, 1)];
  if (call.opset >= 7 || slope.rank !== 1 || slope.shape[0] === 1 || x.rank <= 2) return call;
  return {
    ...call,
    inputs: [
      x,
      unsqueeze(
        slope,
        Array.from({ length: x.rank - 2 }, (_, i) => i + 1),
      ),
    ],
  };
};

const clip: Conversion = (call) => {
  const x = operand(call, 0);
  const [attributes, bounds] = split(call.attributes, "min", "max");
  const [low, high] = bounds.map((bound) =>
    typeof bound === "object" && "float" in bound ? constant(bound.float, [], x.dtype) : undefined,
  );
  return { ...call, inputs: [x, low, high], attributes };
};

const pad: Conversion = (call) => {
  const [attributes] = split(call.attributes, "pads", "paddings", "value");
  const pads = intsAttribute(call.attributes, "pads") ?? intsAttribute(call.attributes, "paddings");
  if (pads === undefined) throw new StriateError("its pads are missing");
  const x = operand(call, 0);
  const value = floatAttribute(call.attributes, "value", 0);
  const fill = value === 0 ? undefined : constant(value, [], x.dtype);
  return { ...call, inputs: [x, numbersOperand(pads), fill], attributes };
};

const slice: Conversion = (call) => {
  if (call.inputs.length > 1) return call;
  const [starts, ends] = ["starts", "ends"].map((name) => intsAttribute(call.attributes, name));
  if (starts === undefined || ends === undefined) throw new StriateError("its starts or ends are missing");
  const axes = intsAttribute(call.attributes, "axes");
  const operands = [starts, ends, axes].map((values) => values && numbersOperand(values));
  return { ...call, inputs: [operand(call, 0), ...operands], attributes: {} };
};

const topK: Conversion = (call) => {
  const [attributes, [k]] = split(call.attributes, "k");
  return typeof k === "number" ? { ...call, inputs: [operand(call, 0), integers([k])], attributes } : call;
};

const reshape: Conversion = (call) => {
  const [attributes] = split(call.attributes, "shape");
  const shape = intsAttribute(call.attributes, "shape");
  return shape ? { ...call, inputs: [operand(call, 0), numbersOperand(shape)], attributes } : call;
};

/** Before opset 6, Tile copied along a single axis. */
const tile: Conversion = (call) => {
  if (call.opset >= 6) return call;
  const x = operand(call, 0);
  const [count, axis] = [1, 2].map((i) => {
    const value = constantData(operand(call, i))?.data[0];
    if (value === undefined)
      throw new StriateError("expected a constant number of tiles and a constant axis");
    return Number(value);
  });
  const repeats = x.shape.map((_, at) => (at === axis ? count! : 1));
  return { ...call, inputs: [x, integers(repeats)] };
};

const concat: Conversion = (call) => {
  const { axis = call.opset < 4 ? 1 : 0 } = call.attributes;
  return { ...call, attributes: { ...call.attributes, axis } };
};

/** In the first version, the element type was given by its name. */
const cast: Conversion = (call) => {
  const name = stringAttribute(call.attributes, "to", "");
  if (name === "") return call;
  const dtype = ({ FLOAT: "float32", DOUBLE: "float64" }[name] ?? name.toLowerCase()) as DType;
  if (!/^(float(16|32|64)|u?int(8|16|32|64)|bool)$/.test(dtype))
    throw new StriateError(`expected a cast to a supported element type, got "${name}"`);
  return { ...call, attributes: { to: onnxTypeCode(dtype) } };
};

const upsample: Conversion = (call) => {
  if (call.inputs[1] !== undefined) return call;
  const [attributes, [scales]] = split(call.attributes, "scales", "height_scale", "width_scale");
  const sides = ["height_scale", "width_scale"].map((name) => floatAttribute(call.attributes, name, 1));
  const factors = typeof scales === "object" && "floats" in scales ? scales.floats : [1, 1, ...sides];
  const mode = stringAttribute(attributes, "mode", "nearest").replace("bilinear", "linear");
  return { ...call, inputs: [operand(call, 0), constant(factors)], attributes: { mode } };
};

/**
 * Resize of opset 10 reads the element before a position if it enlarges an axis, and the element after the
 * position if it shrinks the axis.
 */
const resize: Conversion = (call) => {
  const x = operand(call, 0);
  const factors = call.inputs[1] && constantData(call.inputs[1])?.data;
  if (factors === undefined) throw new StriateError("its scales must be constants");
  const mode = stringAttribute(call.attributes, "mode", "nearest");
  const axes = Array.from(factors as ArrayLike<number>, (factor, axis) => ({ axis, factor }));
  const [shrunk, grown] = [axes.filter(({ factor }) => factor < 1), axes.filter(({ factor }) => factor > 1)];
  const part = (from: Tensor, some: typeof axes, nearest: string): Tensor => {
    if (some.length === 0) return from;
    const named =
      x.shape.every(isStatic) && some.length === axes.length ? {} : { axes: some.map(({ axis }) => axis) };
    const how = { mode, coordinate_transformation_mode: "asymmetric", nearest_mode: nearest, ...named };
    return applySingle("Resize", [from, undefined, constant(some.map(({ factor }) => factor))], how);
  };
  return shrunk.length + grown.length === 0
    ? { ...call, type: "Identity", inputs: [x], attributes: {} }
    : [part(part(x, shrunk, "ceil"), grown, "floor")];
};

/** The order of the norm was a floating-point number in the first version. */
const norm: Conversion = (call) => ({
  ...call,
  attributes: {
    ...call.attributes,
    p: intAttribute(call.attributes, "p", floatAttribute(call.attributes, "p", 2)),
  },
});

/**
 * In old opsets, there may be statistics for each element, and training mode is the default. Later opsets
 * have neither, so such calls are refused.
 */
const batchNormalisation: Conversion = (call) => {
  const [attributes, [spatial, isTest]] = split(call.attributes, "spatial", "is_test");
  if (spatial === 0) throw new StriateError("statistics of each element (spatial = 0) are not supported");
  if (call.opset < 7 && isTest !== 1)
    throw new StriateError("training (is_test = 0) before opset 7 is not supported");
  return { ...call, attributes };
};

const OLD_FORMS: ReadonlyMap<string, Conversion> = new Map([
  ...["Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"].map(
    (type): [string, Conversion] => [type, broadcasting],
  ),
  ["PRelu", prelu],
  ["Clip", clip],
  ["Pad", (call) => (call.inputs.length > 1 ? call : pad(call))],
  ["Slice", slice],
  ["TopK", topK],
  ["Reshape", reshape],
  ["Tile", tile],
  ["Concat", concat],
  ["Cast", cast],
  ["Upsample", upsample],
  ["Resize", (call) => (call.opset < 11 ? resize(call) : call)],
  ["LpPool", norm],
  ["GlobalLpPool", norm],
  ["BatchNormalization", batchNormalisation],
]);
