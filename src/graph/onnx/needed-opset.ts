import type { GraphNode } from "../tensor.js";

/** The form that our operators are in. */
export const DEFAULT_OPSET = 18;

/** What operators of ours take besides what they took in version 18: the version that such a call needs. */
const NEWER: Readonly<Record<string, (node: GraphNode) => number | undefined>> = {
  AveragePool: ({ attributes }) => {
    const { dilations } = attributes;
    return Array.isArray(dilations) && dilations.some((n) => n !== 1) ? 19 : undefined;
  },
  BitCast: () => 26,
  DeformConv: () => 19,
  // Its axis is an operand.
  DFT: () => 20,
  // Its modes have other names.
  GridSample: () => 20,
  // One scale for each channel instead of each group.
  GroupNormalization: ({ inputs, attributes }) =>
    inputs[1]?.shape[0] === attributes.num_groups ? undefined : 21,
  IsInf: ({ inputs }) => (inputs[0]?.dtype === "float16" ? 20 : undefined),
  Pad: ({ attributes }) => (attributes.mode === "wrap" ? 19 : undefined),
  ReduceMax: reductionOfBools,
  ReduceMin: reductionOfBools,
};

function reductionOfBools({ inputs }: GraphNode): number | undefined {
  return inputs[0]?.dtype === "bool" ? 20 : undefined;
}

/** The oldest version of the standard operators, from 18 on, that has what a node calls. */
export function neededOpset(node: GraphNode): number {
  return NEWER[node.type]?.(node) ?? DEFAULT_OPSET;
}
