import fc from "fast-check";
import type { Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import type { Entry, Table } from "./entry.js";
import { broadcastPairs, seeds, uniform } from "./values.js";

const small = fc.integer({ min: 1, max: 4 });

/** Convolutions exist in single precision only, but are linear in each operand: a wide step costs nothing. */
const LINEAR_STEP = 0.5;

export interface Geometry {
  readonly batch: number;
  readonly groups: number;
  readonly into: number;
  readonly out: number;
  readonly kernel: readonly number[];
  readonly space: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly bias: boolean;
  readonly seed: number;
}

/** Per axis: kernel, stride, dilation, pads and a length that at least one window fits in. */
const axisGeometry = fc
  .record({
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    before: fc.nat(2),
    after: fc.nat(2),
    extra: fc.nat(4),
  })
  .map((axis) => {
    const reach = (axis.kernel - 1) * axis.dilation + 1;
    return { ...axis, length: Math.max(1, reach - axis.before - axis.after) + axis.extra };
  });

export const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.constantFrom(1, 1, 2, 3),
    perGroup: fc.integer({ min: 1, max: 3 }),
    outPerGroup: fc.integer({ min: 1, max: 2 }),
    axes: fc.oneof(
      { weight: 4, arbitrary: fc.array(axisGeometry, { minLength: 2, maxLength: 2 }) },
      { weight: 1, arbitrary: fc.array(axisGeometry, { minLength: 1, maxLength: 1 }) },
    ),
    bias: fc.boolean(),
    seed: seeds,
  })
  .map(({ batch, groups, perGroup, outPerGroup, axes, bias, seed }) => ({
    batch,
    groups,
    into: groups * perGroup,
    out: groups * outPerGroup,
    kernel: axes.map((a) => a.kernel),
    space: axes.map((a) => a.length),
    stride: axes.map((a) => a.stride),
    dilation: axes.map((a) => a.dilation),
    padding: [...axes.map((a) => a.before), ...axes.map((a) => a.after)],
    bias,
    seed,
  }));

export function geometryLabel({
  batch,
  into,
  out,
  groups,
  space,
  kernel,
  stride,
  dilation,
  padding,
  seed,
}: Geometry): string {
  return `[${batch},${into},${space}] to ${out} channels kernel ${kernel} groups ${groups} stride ${stride} dilation ${dilation} padding ${padding} seed ${seed}`;
}

function convolution(
  build: (geometry: Geometry, x: Tensor, w: Tensor, bias?: Tensor) => Tensor,
  weightShape: (geometry: Geometry) => number[],
  usable: (geometry: Geometry) => boolean = () => true,
): Entry {
  return {
    count: 14,
    cases: geometries.filter(usable).map((geometry) => {
      const { batch, into, out, space, bias, seed } = geometry;
      const inputs = [
        { ...uniform([batch, into, ...space], seed, -1, 1, "float32"), batch: true },
        uniform(weightShape(geometry), seed + 1, -1, 1, "float32"),
        ...(bias ? [uniform([out], seed + 2, -1, 1, "float32")] : []),
      ];
      return {
        label: geometryLabel(geometry),
        inputs,
        build: (...t: Tensor[]) => build(geometry, t[0]!, t[1]!, t[2]),
        step: LINEAR_STEP,
        twice: true,
      };
    }),
  };
}

export function convOptions({ stride, dilation, padding, groups }: Geometry): g.ConvOptions {
  return { stride, dilation, padding, groups };
}

/** A transposed convolution has to leave something after its pads are cut off. */
export function leavesSomething({ space, kernel, stride, dilation, padding }: Geometry): boolean {
  const rank = kernel.length;
  return kernel.every((k, i) => {
    const whole = (space[i]! - 1) * stride[i]! + (k - 1) * dilation[i]! + 1;
    return whole - padding[i]! - padding[rank + i]! >= 1;
  });
}

export const LINEAR: Table = {
  MatMul: {
    count: 8,
    cases: fc
      .tuple(
        broadcastPairs,
        small,
        small,
        small,
        fc.constantFrom("both", "both", "left", "right", "none"),
        seeds,
      )
      .map(([[a, b], rows, inner, columns, matrices, seed]) => {
        const left = matrices === "right" || matrices === "none" ? [inner] : [...a.slice(-2), rows, inner];
        const right = matrices === "left" || matrices === "none" ? [inner] : [...b.slice(-2), inner, columns];
        return {
          label: `[${left}] and [${right}] seed ${seed}`,
          inputs: [
            { ...uniform(left, seed), batch: left.length > 2 && right.length === 2 },
            uniform(right, seed + 1),
          ],
          build: (x: Tensor, y: Tensor) => g.matmul(x, y),
          twice: true,
        };
      }),
  },
  Gemm: {
    count: 6,
    cases: fc
      .tuple(small, small, small, fc.boolean(), fc.boolean(), fc.constantFrom(0, 1, 2, 3), seeds)
      .map(([rows, inner, columns, transA, transB, added, seed]) => {
        const c = [undefined, [columns], [rows, columns], [rows, 1]][added];
        return {
          label: `${rows}x${inner}x${columns} ${transA} ${transB} c [${c}] seed ${seed}`,
          inputs: [
            uniform(transA ? [inner, rows] : [rows, inner], seed),
            uniform(transB ? [columns, inner] : [inner, columns], seed + 1),
            ...(c ? [uniform(c, seed + 2)] : []),
          ],
          build: (...t: Tensor[]) =>
            applySingle("Gemm", t, {
              transA: transA ? 1 : 0,
              transB: transB ? 1 : 0,
              alpha: { float: 0.5 },
              beta: { float: 0.25 },
            }),
          twice: true,
        };
      }),
  },
  Conv: convolution(
    (geometry, x, w, bias) => g.conv(x, w, bias, convOptions(geometry)),
    ({ out, into, groups, kernel }) => [out, into / groups, ...kernel],
  ),
  ConvTranspose: convolution(
    (geometry, x, w, bias) => g.convTranspose(x, w, bias, convOptions(geometry)),
    ({ into, out, groups, kernel }) => [into, out / groups, ...kernel],
    leavesSomething,
  ),
  ConvWeightGradient: { reason: "made by Conv's rule and checked there, also its own gradient" },
  Einsum: {
    count: 16,
    cases: fc
      .tuple(
        fc.constantFrom(
          "bij,bjk->bik",
          "ij,jk",
          "...ij,...jk->...ik",
          "ij->ji",
          "ij->i",
          "bi,bj->ij",
          "i,j->ij",
          "bhid,bhjd->bhij",
          "ij,ij->",
          "ij,jk,kl->il",
          "ij,k->ik",
          "ii->i",
          "ii->",
          "bii,ij->bj",
          "iji->j",
        ),
        fc.record({ b: small, h: small, i: small, j: small, k: small, l: small, d: small }),
        seeds,
      )
      .map(([equation, lengths, seed]) => {
        const spelled = equation.split("->")[0]!.replaceAll("...", "bh").split(",");
        return {
          label: `${equation} ${JSON.stringify(lengths)} seed ${seed}`,
          inputs: spelled.map((term, at) =>
            uniform(
              Array.from(term, (letter) => lengths[letter as "b"]),
              seed + at,
            ),
          ),
          build: (...t: Tensor[]) => g.einsum(equation, ...t),
          twice: true,
        };
      }),
  },
  DotProductAttention: {
    count: 6,
    cases: fc
      .tuple(fc.constantFrom([], [2], [2, 3]), small, small, small, small, seeds)
      .map(([lead, queries, keys, width, values, seed]) => ({
        label: `[${lead.join()}] ${queries} queries, ${keys} keys of ${width}, values of ${values}, seed ${seed}`,
        inputs: [
          { ...uniform([...lead, queries, width], seed), batch: lead.length > 0 },
          { ...uniform([...lead, keys, width], seed + 1), batch: lead.length > 0 },
          { ...uniform([...lead, keys, values], seed + 2), batch: lead.length > 0 },
        ],
        build: (q: Tensor, k: Tensor, v: Tensor) => g.dotProductAttention(q, k, v),
        twice: true,
      })),
  },
  RNN: { reason: "has a gradient only if it is unrolled, which onnx-recurrent.test.ts checks" },
  GRU: { reason: "has a gradient only if it is unrolled, which onnx-recurrent.test.ts checks" },
  LSTM: { reason: "has a gradient only if it is unrolled, which onnx-recurrent.test.ts checks" },
  ...Object.fromEntries(
    [
      ...["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"],
      ...["QLinearConv", "QLinearMatMul", "com.microsoft::QGemm"],
      ...["Add", "Mul", "LeakyRelu", "Sigmoid", "GlobalAveragePool", "AveragePool", "Concat"].map(
        (kind) => `com.microsoft::QLinear${kind}`,
      ),
    ].map((type) => [type, { reason: "straight-through, in quantised.test.ts" }]),
  ),
  "com.microsoft::FusedMatMul": { reason: "made by lowerings only, after gradients were taken" },
  "com.microsoft.nchwc::Conv": { reason: "made by lowerings only, after gradients were taken" },
  "com.microsoft.nchwc::ReorderInput": { reason: "made by lowerings only, after gradients were taken" },
  "com.microsoft.nchwc::ReorderOutput": { reason: "made by lowerings only, after gradients were taken" },
};
