import type { DType } from "../../dtype.js";
import { isFloat } from "../../dtype.js";
import type { GraphNode } from "../../tensor.js";

/** The opset in whose form Striate's operators are. */
export const DEFAULT_OPSET = 18;

/**
 * Operators with forms that do not exist in opset 18. The function returns the opset that a node needs, or
 * undefined if opset 18 is enough.
 */
const NEWER: Readonly<Record<string, (node: GraphNode) => number | undefined>> = {
  AveragePool: ({ attributes }) => {
    const { dilations } = attributes;
    return Array.isArray(dilations) && dilations.some((n) => n !== 1) ? 19 : undefined;
  },
  BitCast: () => 26,
  DeformConv: () => 19,
  // In Striate's form, the axis is an operand.
  DFT: () => 20,
  // In Striate's form, the modes have the names of opset 20.
  GridSample: () => 20,
  // Striate's form has one scale for each channel; the form of opset 18 has one for each group.
  GroupNormalization: ({ inputs, attributes }) =>
    inputs[1]?.shape[0] === attributes.num_groups ? undefined : 21,
  IsInf: ({ inputs }) => (inputs[0]?.dtype === "float16" ? 20 : undefined),
  DequantizeLinear: quantiser,
  Pad: ({ attributes }) => (attributes.mode === "wrap" ? 19 : undefined),
  QLinearMatMul: ({ inputs }) => (inputs[1]?.dtype === "float32" ? undefined : 21),
  QuantizeLinear: quantiser,
  ReduceMax: reductionOfBools,
  ReduceMin: reductionOfBools,
};

function reductionOfBools({ inputs }: GraphNode): number | undefined {
  return inputs[0]?.dtype === "bool" ? 20 : undefined;
}

/** The first opset that has an element type. */
const TYPES: Readonly<Partial<Record<DType, number>>> = {
  float8e4m3fn: 19,
  float8e4m3fnuz: 19,
  float8e5m2: 19,
  float8e5m2fnuz: 19,
  int4: 21,
  uint4: 21,
  float4e2m1: 23,
  float8e8m0: 24,
  int2: 25,
  uint2: 25,
};

function quantiser({ type, inputs, outputs, attributes }: GraphNode): number {
  const [values, floats] = type === "QuantizeLinear" ? [outputs[0], inputs[0]] : [inputs[0], outputs[0]];
  if (attributes.precision !== undefined) return 23;
  // In opset 21, a quantiser's scale and values must still have the same type.
  if (inputs[1]!.dtype !== floats!.dtype && isFloat(floats!.dtype)) return 23;
  if (attributes.output_dtype !== undefined) return type === "QuantizeLinear" ? 21 : 23;
  const isWide = values!.dtype === "int16" || values!.dtype === "uint16";
  if (isWide || attributes.block_size !== undefined) return 21;
  return floats!.dtype === "float16" || attributes.saturate !== undefined ? 19 : DEFAULT_OPSET;
}

/** The oldest opset, from 18 on, that has the operator of a node. */
export function neededOpset(node: GraphNode): number {
  const types = [...node.inputs, ...node.outputs].map((tensor) => (tensor && TYPES[tensor.dtype]) ?? 0);
  return Math.max(NEWER[node.type]?.(node) ?? DEFAULT_OPSET, ...types);
}
