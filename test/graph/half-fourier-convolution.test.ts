import { describe, expect, it } from "vitest";
import { halfFourierPays } from "../../src/graph/convolution/half-fourier.js";
import type { Tensor, TensorData } from "../../src/graph/index.js";
import { constant, conv, input, lower, writeOnnx } from "../../src/graph/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { Random } from "../../src/util/random.js";

function noise(shape: readonly number[], seed: number): TensorData {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return { dtype: "float32", shape, data: new Random(seed).fillNormal(data) };
}

const geometries = [
  { into: 1, out: 16, height: 64, width: 64, kernel: [31, 31], stride: [2, 2], padding: [15, 15, 15, 15] },
  { into: 1, out: 17, height: 56, width: 60, kernel: [31, 31], stride: [3, 3], padding: [15, 15, 15, 15] },
  { into: 2, out: 20, height: 21, width: 47, kernel: [21, 35], stride: [1, 3], padding: [3, 12, 4, 17] },
  { into: 3, out: 16, height: 33, width: 30, kernel: [17, 15], stride: [1, 2], padding: [0, 7, 0, 7] },
  { into: 1, out: 16, height: 29, width: 40, kernel: [11, 27], stride: [1, 2], padding: [5, 26, 5, 26] },
];

describe("large constant kernels, half in frequencies", () => {
  it.each(geometries)(
    "is the convolution: %o",
    async ({ into, out, height, width, kernel, stride, padding }) => {
      const weight = noise([out, into, ...kernel], 1);
      const bias = noise([out], 2);
      const x = noise([3, into, height, width], 3);
      const images = input("x", ["batch", into, height, width]);
      const y = conv(images, constant(weight), constant(bias), { stride, padding });
      const [direct, fourier] = await Promise.all([run(y, "portable", x), run(y, "cpu", x)]);
      expect(fourier.types).toEqual([]);
      expect(direct.types).toContain("Conv");
      expect(fourier.value.shape).toEqual(direct.value.shape);
      const [a, b] = [direct.value.data as Float32Array, fourier.value.data as Float32Array];
      const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / scale).toBeLessThan(
        2e-6,
      );
    },
  );

  it("leaves small kernels, and many input channels, to the runtime", () => {
    const window = (k: number, stride: number) => ({
      kernel: [k, k],
      strides: [stride, stride],
      dilations: [1, 1],
      before: [k >> 1, k >> 1],
      after: [k >> 1, k >> 1],
      groups: 1,
    });
    expect(halfFourierPays({ x: [1, 64, 64], y: [256, 32, 32] }, window(31, 2))).toBe(true);
    expect(halfFourierPays({ x: [1, 224, 224], y: [256, 56, 56] }, window(25, 4))).toBe(true);
    // Few kernels: working out what they meet is not worth it.
    expect(halfFourierPays({ x: [1, 224, 224], y: [32, 56, 56] }, window(25, 4))).toBe(false);
    expect(halfFourierPays({ x: [1, 32, 32], y: [64, 32, 32] }, window(9, 1))).toBe(false);
    expect(halfFourierPays({ x: [3, 224, 224], y: [64, 112, 112] }, window(7, 2))).toBe(false);
    expect(halfFourierPays({ x: [64, 64, 64], y: [64, 32, 32] }, window(31, 2))).toBe(false);
  });
});

async function run(y: Tensor, target: "cpu" | "portable", x: TensorData) {
  const lowered = lower({ y }, target);
  const { bytes } = writeOnnx(lowered);
  const session = await nodeRuntime.createSession(bytes, { threads: 1 });
  const { y: value } = await session.run({ x });
  await session.close();
  return { value: value!, types: new TextDecoder("latin1").decode(bytes).match(/\bConv\b/g) ?? [] };
}
