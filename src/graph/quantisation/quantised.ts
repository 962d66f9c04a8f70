import { isStatic } from "../dims.js";
import type { DType } from "../dtype.js";
import type { Call, GradientCall } from "../operator.js";
import {
  applyGradientRule,
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  operatorOf,
  required,
} from "../operator.js";
import type { Attributes, GraphNode } from "../tensor.js";
import { Tensor } from "../tensor.js";
import { cast, mul } from "../operators/elementwise/elementwise.js";
import { centred, checkScale, checkZero, straightThrough } from "./quantise.js";
import { reshape } from "../operators/shape/shape.js";

/*
 * Operators that compute with quantised values. Each one is equivalent to a floating-point operator that is
 * applied to the dequantised operands (or to their distances from the zero point), and whose result is then
 * quantised. Shapes and gradients are those of the floating-point operator.
 */

/** An operand: the positions of its values, its scale and its zero point among the inputs of the call. */
interface Part {
  readonly at: number;
  readonly scale?: number;
  readonly zero?: number;
  /**
   * The axis along which the operand may have several scales and zero points; negative axes count from the
   * end.
   */
  readonly axis?: number;
}

interface Form {
  readonly type: string;
  /** The floating-point operator. */
  readonly float: string;
  readonly parts: (call: Call) => readonly Part[];
  /** Position of an integer bias, whose scale is the product of the scales of the first two operands. */
  readonly bias?: number;
  /** Positions of the scale and the zero point of the result; absent if results are plain int32. */
  readonly result?: { readonly scale: number; readonly zero: number };
  readonly attributes?: (attributes: Attributes) => Attributes;
  readonly isKnown?: (call: Call) => string | undefined;
}

/** Element types that operands may have. */
const NARROW: ReadonlySet<DType> = new Set(["int8", "uint8", "float8e4m3fn", "float8e5m2"]);

function hasBias(call: Call, { bias }: Form): boolean {
  return bias !== undefined && call.inputs[bias] !== undefined;
}

/** A scale or zero point of an operand, shaped to broadcast against it. */
function broadcastable(parameter: Tensor, { rank }: Tensor, axis: number | undefined): Tensor {
  if (parameter.rank === 0 || parameter.rank === rank) return parameter;
  if (parameter.shape[0] === 1 || axis === undefined) return reshape(parameter, []);
  const at = axis < 0 ? axis + rank : axis;
  return reshape(
    parameter,
    Array.from({ length: rank }, (_, i) => (i === at ? -1 : 1)),
  );
}

/** The dequantised operand, in single precision. */
function dequantised(call: Call, part: Part): Tensor {
  const [q, scale, zero] = [part.at, part.scale, part.zero].map((at) =>
    at === undefined ? undefined : call.inputs[at],
  );
  const distance = centred(q!, zero && broadcastable(zero, q!, part.axis));
  return scale === undefined ? distance : mul(distance, broadcastable(cast(scale, "float32"), q!, part.axis));
}

/**
 * The product of the scales of the first two operands: one for each channel if the second operand has several
 * scales.
 */
function biasScale(call: Call, form: Form): Tensor {
  const [a, b] = form.parts(call).map(({ scale }) => cast(call.inputs[scale!]!, "float32"));
  const alpha = form.type === "com.microsoft::QGemm" ? floatAttribute(call.attributes, "alpha", 1) : 1;
  const product = mul(reshape(a!, []), b!.rank === 1 && b!.shape[0] === 1 ? reshape(b!, []) : b!);
  return alpha === 1 ? product : mul(product, alpha);
}

function floatCall(call: Call, form: Form, inputs: readonly (Tensor | undefined)[]): Call {
  const attributes = form.attributes?.(call.attributes) ?? call.attributes;
  return { type: form.float, inputs, attributes, outputCount: 1 };
}

/** A float32 placeholder for a tensor, to infer shapes. */
function asFloat({ node, index, shape }: Tensor): Tensor {
  return new Tensor(node, index, "float32", shape);
}

function checkParts(call: Call, form: Form): void {
  for (const part of form.parts(call)) {
    const q = required(call, part.at, `operand ${part.at}`);
    if (!NARROW.has(q.dtype)) rejectCall(call, `input ${part.at} must be int8 or uint8`);
    const zero = part.zero === undefined ? undefined : call.inputs[part.zero];
    if (part.scale !== undefined) {
      const scale = required(call, part.scale, `scale of input ${part.at}`);
      checkScale(call, scale, `the scale of input ${part.at}`);
      checkZero(call, zero, q.dtype, scale);
      checkCount(call, scale, q, part);
    } else if (zero !== undefined && zero.dtype !== q.dtype) {
      rejectCall(
        call,
        `expected a zero point of input ${part.at} of the type of the values, ${q.dtype}, got ${zero.dtype}`,
      );
    }
    if (zero !== undefined) checkCount(call, zero, q, part);
  }
}

function checkCount(call: Call, parameter: Tensor, q: Tensor, { at, axis }: Part): void {
  const [count] = parameter.shape;
  if (parameter.rank !== 1 || count === 1 || !isStatic(count!)) return;
  const length = axis === undefined ? 1 : q.shape.at(axis)!;
  if (isStatic(length) && length !== count)
    rejectCall(call, `expected one scale and zero point for input ${at}, or ${length}, got ${count}`);
}

/** The type of a quantised result, or undefined if the result is not quantised. */
function resultType(call: Call, { result }: Form): DType | undefined {
  if (result === undefined || call.inputs[result.scale] === undefined) return undefined;
  const [scale, zero] = [call.inputs[result.scale]!, call.inputs[result.zero]];
  checkScale(call, scale, "the scale of the result");
  const dtype = zero?.dtype ?? "uint8";
  checkZero(call, zero, dtype, scale);
  if (!NARROW.has(dtype)) rejectCall(call, `results cannot be ${dtype}: expected int8 or uint8`);
  return dtype;
}

/** All forms, by operator type. */
const forms = new Map<string, Form>();

/**
 * The scale and the zero point of a node's quantised result; undefined for operators that this file does not
 * define.
 */
export function resultQuantiser({
  type,
  inputs,
}: GraphNode): { readonly scale: Tensor | undefined; readonly zero: Tensor | undefined } | undefined {
  const result = forms.get(type)?.result;
  return result && { scale: inputs[result.scale], zero: inputs[result.zero] };
}

function defineQuantised(form: Form): void {
  forms.set(form.type, form);
  const biased = (call: Call): readonly Tensor[] =>
    hasBias(call, form) ? [mul(cast(call.inputs[form.bias!]!, "float32"), biasScale(call, form))] : [];
  const floats = (call: Call): readonly Tensor[] => [
    ...form.parts(call).map((part) => dequantised(call, part)),
    ...biased(call),
  ];
  const quantiser = (call: Call) => ({
    step: reshape(cast(call.inputs[form.result!.scale]!, "float32"), []),
    offset: call.inputs[form.result!.zero] && reshape(cast(call.inputs[form.result!.zero]!, "float32"), []),
  });
  defineOperator({
    type: form.type,
    straightThrough: true,
    infer: (call) => {
      checkParts(call, form);
      const problem = form.isKnown?.(call);
      if (problem !== undefined) rejectCall(call, problem);
      const bias = hasBias(call, form) ? [call.inputs[form.bias!]!] : [];
      if (bias.some(({ dtype }) => dtype !== "int32")) rejectCall(call, "the bias must be int32");
      const operands = [...form.parts(call).map(({ at }) => call.inputs[at]!), ...bias].map(asFloat);
      const inner = floatCall(call, form, operands);
      const shape = operatorOf(form.float)!.infer(inner)[0]!.shape;
      return [{ dtype: resultType(call, form) ?? (form.result ? "float32" : "int32"), shape }];
    },
    gradient: gradientOf,
    // Portable files contain only standard operators.
    ...(form.type.startsWith("com.microsoft::") && {
      lower: (call, target) => {
        if (target !== "portable") return undefined;
        const inner = floatCall(call, form, floats(call));
        const y = applySingle(inner.type, inner.inputs, inner.attributes);
        if (resultType(call, form) === undefined) return [y];
        const { scale, zero } = form.result!;
        return [applySingle("QuantizeLinear", [y, call.inputs[scale], call.inputs[zero]])];
      },
    }),
  });

  function gradientOf(call: GradientCall): readonly (Tensor | "zero" | undefined)[] {
    const operands = floats(call);
    const inner = floatCall(call, form, operands);
    const y = applySingle(inner.type, inner.inputs, inner.attributes);
    const isQuantised = form.result !== undefined && call.inputs[form.result.scale] !== undefined;
    const dy = isQuantised ? straightThrough(call.dy, y, quantiser(call), call.outputTypes[0]!) : call.dy;
    const parts = form.parts(call);
    const places = [...parts.map(({ at }) => at), ...(hasBias(call, form) ? [form.bias!] : [])];
    const rule = operatorOf(form.float)!.gradient;
    if (typeof rule !== "function") return rejectCall(call, `${form.float} has no gradient`);
    const made = applyGradientRule(rule, {
      ...inner,
      outputs: [y],
      y,
      outputTypes: ["float32"],
      dy,
      received: (output) => (output === 0 ? dy : undefined),
      through: () => rejectCall(call, `the gradient of ${form.float} is composed`),
      needs: (i) => call.needs(places[i]!),
    });
    const gradients: (Tensor | "zero" | undefined)[] = call.inputs.map(() => "zero" as const);
    for (const [i, at] of places.entries()) {
      const gradient = made[i];
      const part = parts[i];
      const scale = part === undefined ? biasScale(call, form) : scaleOf(call, part);
      gradients[at] = gradient instanceof Tensor && scale !== undefined ? mul(gradient, scale) : gradient;
    }
    return gradients;
  }
}

function scaleOf(call: Call, { at, scale, axis }: Part): Tensor | undefined {
  return scale === undefined
    ? undefined
    : broadcastable(cast(call.inputs[scale]!, "float32"), call.inputs[at]!, axis);
}

const none = (): Attributes => ({});

defineQuantised({
  type: "ConvInteger",
  float: "Conv",
  parts: () => [
    { at: 0, zero: 2 },
    { at: 1, zero: 3, axis: 0 },
  ],
});

defineQuantised({
  type: "MatMulInteger",
  float: "MatMul",
  parts: () => [
    { at: 0, zero: 2, axis: -2 },
    { at: 1, zero: 3, axis: -1 },
  ],
});

defineQuantised({
  type: "QLinearConv",
  float: "Conv",
  parts: () => [
    { at: 0, scale: 1, zero: 2 },
    { at: 3, scale: 4, zero: 5, axis: 0 },
  ],
  bias: 8,
  result: { scale: 6, zero: 7 },
});

defineQuantised({
  type: "QLinearMatMul",
  float: "MatMul",
  parts: () => [
    { at: 0, scale: 1, zero: 2, axis: -2 },
    { at: 3, scale: 4, zero: 5, axis: -1 },
  ],
  result: { scale: 6, zero: 7 },
  attributes: none,
});

// ---- ONNX Runtime's own, as its quantiser writes them ------------------------------------------------------------------

for (const kind of ["Add", "Mul"]) {
  defineQuantised({
    type: `com.microsoft::QLinear${kind}`,
    float: kind,
    parts: () => [
      { at: 0, scale: 1, zero: 2 },
      { at: 3, scale: 4, zero: 5 },
    ],
    result: { scale: 6, zero: 7 },
    attributes: none,
  });
}

for (const kind of ["LeakyRelu", "Sigmoid", "GlobalAveragePool", "AveragePool"]) {
  defineQuantised({
    type: `com.microsoft::QLinear${kind}`,
    float: kind,
    parts: () => [{ at: 0, scale: 1, zero: 2 }],
    result: { scale: 3, zero: 4 },
    attributes: ({ channels_last: _, ...rest }) => rest,
    isKnown: ({ attributes }) =>
      intAttribute(attributes, "channels_last", 0) === 0 ? undefined : "channels last is not supported",
  });
}

defineQuantised({
  type: "com.microsoft::QLinearConcat",
  float: "Concat",
  parts: ({ inputs }) =>
    Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, i) => {
      const at = 2 + 3 * i;
      return { at, scale: at + 1, zero: at + 2 };
    }),
  result: { scale: 0, zero: 1 },
});

defineQuantised({
  type: "com.microsoft::QGemm",
  float: "Gemm",
  parts: ({ attributes }) => [
    { at: 0, scale: 1, zero: 2 },
    { at: 3, scale: 4, zero: 5, axis: intAttribute(attributes, "transB", 0) === 1 ? 0 : 1 },
  ],
  bias: 6,
  result: { scale: 7, zero: 8 },
});
