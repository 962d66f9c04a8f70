import { expect } from "vitest";
import { weightGradientAs } from "../../src/graph/convolution/lowering.js";
import type { ConvolutionShape } from "../../src/graph/convolution/fourier.js";
import type { Target, Tensor, TensorData } from "../../src/graph/index.js";
import { conv, convTranspose, input, lower, topologicalOrder } from "../../src/graph/index.js";
import type { Window } from "../../src/graph/window.js";
import { Random } from "../../src/util/random.js";
import { numbers, runGraph } from "./run.js";

export interface Geometry {
  readonly batch: number;
  readonly channels: readonly [into: number, out: number];
  readonly space: readonly [number, number];
  readonly kernel: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly padding: readonly [number, number, number, number];
  /** Default 1. */
  readonly stride?: number;
}

export function windowOf({
  kernel,
  padding,
  stride = 1,
}: Pick<Geometry, "kernel" | "padding" | "stride">): Window {
  const [before, after] = [padding.slice(0, 2), padding.slice(2)];
  return { kernel, strides: [stride, stride], dilations: [1, 1], before, after, groups: 1 };
}

export function normalData(shape: readonly number[], label: string): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    dtype: "float32",
    shape,
    data: Random.derive("convolution", label).fillNormal(new Float32Array(size)),
  };
}

/** Largest difference over the largest number. */
export function worst(got: readonly number[], expected: readonly number[]): number {
  const largest = (values: readonly number[]) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(expected.map((value, i) => got[i]! - value)) / largest(expected);
}

/** Operators of convolution that are left in a lowered graph. */
export function convolutionsIn(outputs: Readonly<Record<string, Tensor>>, target: Target = "cpu"): number {
  const types = topologicalOrder(Object.values(lower(outputs, target))).map(({ type }) => type);
  return types.filter((type) => type.includes("Conv")).length;
}

type Pairs = readonly (readonly [x: Tensor, dy: Tensor])[];

/** A form of the three convolutions. */
export interface Forms {
  forward(x: Tensor, w: Tensor): Tensor;
  inputGradient(dy: Tensor, w: Tensor): Tensor;
  weightGradient(pairs: Pairs): Tensor;
}

/** Checks a form against the plain one: a convolution, the gradient of its input, that of its weight used twice. */
export async function expectConvolution(
  geometry: Geometry,
  formsOf: (shape: ConvolutionShape, window: Window, x: Tensor) => Forms,
): Promise<void> {
  const { batch, channels, space, kernel, padding, stride = 1 } = geometry;
  const window = windowOf(geometry);
  const [into, out] = channels;
  const places = (axis: 0 | 1) => space[axis] + padding[axis] + padding[axis + 2]! - kernel[axis];
  const length = (axis: 0 | 1) => Math.floor(places(axis) / stride) + 1;
  const outputPadding = [places(0) % stride, places(1) % stride];
  const shapes = {
    x: [batch, into, ...space],
    w: [out, into, ...kernel],
    dy: [batch, out, length(0), length(1)],
  };
  const [x, w, dy] = [input("x", shapes.x), input("w", shapes.w), input("dy", shapes.dy)];
  const forms = formsOf({ x: [into, ...space], y: [out, length(0), length(1)] }, window, x);
  const pairs: Pairs = [
    [x, dy],
    [x, dy],
  ];
  const results = await runGraph(
    {
      y: conv(x, w, undefined, { padding, stride }),
      ownY: forms.forward(x, w),
      dx: convTranspose(dy, w, undefined, { padding, stride, outputPadding }),
      ownDx: forms.inputGradient(dy, w),
      dw: weightGradientAs("per-offset", pairs, window, "portable"),
      ownDw: forms.weightGradient(pairs),
    },
    { x: normalData(shapes.x, "x"), w: normalData(shapes.w, "w"), dy: normalData(shapes.dy, "dy") },
    { target: "portable" },
  );
  for (const [own, plain] of [
    ["ownY", "y"],
    ["ownDx", "dx"],
    ["ownDw", "dw"],
  ] as const) {
    expect(results[own]!.shape).toEqual(results[plain]!.shape);
    expect(worst(numbers(results[own]), numbers(results[plain]))).toBeLessThan(3e-6);
  }
}
