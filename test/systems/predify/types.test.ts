import { describe, expect, it } from "vitest";
import type { Tensor } from "../../../src/graph/index.js";
import {
  abs,
  cast,
  constant,
  conv,
  dequantizeLinear,
  flatten,
  gemm,
  globalAveragePool,
  gradients,
  input,
  lower,
  mul,
  quantizeLinear,
  relu,
  sum,
  tensorData,
  writeOnnx,
} from "../../../src/graph/index.js";
import { applySingle } from "../../../src/graph/operator.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { FeedbackTask, freshValues, openPredictive, predify } from "../../../src/systems/predify/index.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { Random } from "../../../src/util/random.js";

/* Networks of other element types: PCoders work in single precision, at feature maps of any. */

function normals(shape: readonly number[], seed: number): number[] {
  return Array.from(new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0, 0.3));
}

const [FIRST, SECOND, READ] = [
  [4, 3, 3, 3],
  [5, 4, 3, 3],
  [5, 6],
] as const;
const scale = (value: number) => constant(value);
const zero = (dtype: "int8" | "uint8", value = 0) => constant(value, [], dtype);
const weights = (shape: readonly number[], seed: number) => constant(normals(shape, seed), shape);
const whole = (shape: readonly number[], seed: number) =>
  constant(
    normals(shape, seed).map((value) => Math.round(value * 100)),
    shape,
    "int8",
  );

type Body = (x: Tensor) => Tensor;
const read = (x: Tensor) => gemm(flatten(globalAveragePool(x)), weights(READ, 3));

const BODIES: Readonly<
  Record<string, { readonly body: Body; readonly dtype?: "float16" | "float32" | "uint8" }>
> = {
  floats: {
    body: (x) =>
      read(relu(conv(relu(conv(x, weights(FIRST, 1), undefined, { padding: 1 })), weights(SECOND, 2)))),
  },
  "half precision": {
    dtype: "float16",
    body: (x) => {
      const half = (shape: readonly number[], seed: number) =>
        constant(normals(shape, seed), shape, "float16");
      const first = relu(conv(x, half(FIRST, 1), undefined, { padding: 1 }));
      return gemm(flatten(globalAveragePool(relu(conv(first, half(SECOND, 2))))), half(READ, 3));
    },
  },
  "quantised values between floats": {
    body: (x) => {
      const pair = (t: Tensor) =>
        dequantizeLinear(
          quantizeLinear(t, scale(1 / 16), zero("uint8", 128)),
          scale(1 / 16),
          zero("uint8", 128),
        );
      const w = (shape: readonly number[], seed: number) => dequantizeLinear(whole(shape, seed), scale(0.01));
      const first = relu(conv(pair(x), w(FIRST, 1), undefined, { padding: 1 }));
      return read(relu(conv(pair(first), w(SECOND, 2))));
    },
  },
  "quantised values throughout": {
    body: (x) => {
      const layer = (
        q: Tensor,
        shape: readonly number[],
        seed: number,
        step: Tensor,
        at: Tensor,
        pad: number,
      ) =>
        applySingle(
          "QLinearConv",
          [q, step, at, whole(shape, seed), scale(0.01), zero("int8"), scale(1 / 32), zero("uint8")],
          { pads: [pad, pad, pad, pad] },
        );
      const q = quantizeLinear(x, scale(1 / 32), zero("uint8", 128));
      const first = layer(q, FIRST, 1, scale(1 / 32), zero("uint8", 128), 1);
      const second = layer(first, SECOND, 2, scale(1 / 32), zero("uint8"), 0);
      return read(dequantizeLinear(second, scale(1 / 32), zero("uint8")));
    },
  },
  bytes: {
    dtype: "uint8",
    body: (x) => BODIES.floats!.body(mul(cast(x, "float32"), 1 / 255)),
  },
};

function network({ body, dtype = "float32" }: (typeof BODIES)[string]): Uint8Array {
  return writeOnnx({ y: body(input("x", ["N", 3, 8, 8], dtype)) }).bytes;
}

const images = tensorData(new Random(3).fillUniform(new Float32Array(2 * 192)), [2, 3, 8, 8]);
const bytes = tensorData(
  (images.data as Float32Array).map((value) => Math.round(value * 255)),
  [2, 3, 8, 8],
);

describe.each(Object.entries(BODIES))("a network of %s", (kind, form) => {
  const made = predify(readOnnx(network(form)), { pcoders: 2, feedforward: 0.5, feedback: 0.3, error: 0.1 });

  it("has feature maps in single precision, and answers as floats do at first", async () => {
    expect(made.pcoders.map(({ shape }) => shape)).toEqual([
      [4, 8, 8],
      [5, 6, 6],
    ]);
    const runner = await openPredictive(made, freshValues(made, 1), nodeRuntime, { timesteps: 2 });
    const fed = form.dtype === "uint8" ? bytes : images;
    const { logits } = await runner.run(fed);
    await runner.close();
    const plain = predify(readOnnx(network(BODIES.floats!)), { pcoders: 2 });
    const reference = await openPredictive(plain, freshValues(plain, 1), nodeRuntime, { timesteps: 0 });
    const { logits: expected } = await reference.run(images);
    await reference.close();
    const first = Array.from(logits!.data as Float32Array).slice(0, 12);
    expect(logits!.shape).toEqual([3, 2, 6]);
    for (const [i, value] of first.entries())
      expect([kind, value]).toEqual([kind, expect.closeTo(Number(expected!.data[i]), 1)]);
  });

  it("has gradients of its feedback", async () => {
    const task = new FeedbackTask(made);
    const { loss } = task.loss(2);
    const parameters = [...task.parameters.values()].filter(isTrainable);
    const slopes = gradients(loss, parameters).map((slope) => sum(abs(slope)));
    const outputs = lower(Object.fromEntries(slopes.map((slope, i) => [`g${i}`, slope])), "cpu");
    const session = await nodeRuntime.createSession(
      writeOnnx(outputs, { values: asConstants(freshValues(made, 1)) }).bytes,
    );
    const results = await session.run({ images: form.dtype === "uint8" ? bytes : images });
    await session.close();
    for (const { data } of Object.values(results)) expect(Number(data[0])).toBeGreaterThan(0);
  });
});

function isTrainable({ node }: Tensor): boolean {
  return node.leaf?.kind === "parameter" && node.leaf.trainable;
}
