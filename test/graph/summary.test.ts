import { describe, expect, it } from "vitest";
import type { Attributes, Shape, Tensor } from "../../src/graph/index.js";
import {
  GraphNode,
  Tensor as TensorClass,
  add,
  constant,
  conv,
  convTranspose,
  input,
  matmul,
  mul,
  parameter,
  relu,
  reshape,
  transpose,
  writeOnnx,
} from "../../src/graph/index.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { multiplyAdds } from "../../src/graph/multiply-adds.js";
import { summariseModel } from "../../src/graph/summary.js";

const zeros = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
const weight = (name: string, ...shape: number[]): Tensor => parameter(shape, zeros, { name });

/** A node of any type, whatever the engine knows of it. */
function call(type: string, inputs: readonly Shape[], output: Shape, attributes: Attributes = {}): GraphNode {
  const node = new GraphNode(
    type,
    inputs.map((shape, i) => input(`x${i}`, shape)),
    attributes,
  );
  node.outputs.push(new TensorClass(node, 0, "float32", output));
  return node;
}

describe("multiplyAdds", () => {
  it("counts ResNet-18's first convolution and last layer as published", () => {
    const x = input("x", ["batch", 3, 224, 224]);
    const first = conv(x, weight("w", 64, 3, 7, 7), undefined, { stride: 2, padding: 3 });
    expect(multiplyAdds(first.node)).toEqual({ value: 118_013_952, exact: true });
    const last = matmul(input("f", ["batch", 512]), weight("fc", 512, 1000));
    expect(multiplyAdds(last.node)).toEqual({ value: 512_000, exact: true });
  });

  it("counts grouped and transposed convolutions as loops over their elements do", () => {
    const x = input("x", [2, 8, 9, 9]);
    // 2 samples x 4 outputs x 5 x 5 positions, each 8 / 2 channels x 3 x 3.
    const grouped = conv(x, weight("w", 4, 4, 3, 3), undefined, { stride: 2, padding: 1, groups: 2 });
    expect(multiplyAdds(grouped.node).value).toBe(2 * 4 * 5 * 5 * 4 * 9);
    // Every input element is spread over 6 channels x 2 x 2.
    const spread = convTranspose(x, weight("v", 8, 6, 2, 2), undefined, { stride: 2 });
    expect(multiplyAdds(spread.node).value).toBe(2 * 8 * 9 * 9 * 6 * 4);
  });

  it("reads inner lengths through transposition flags", () => {
    const flags = { transA: 1, transB: 0 };
    expect(
      multiplyAdds(
        call(
          "Gemm",
          [
            [5, 3],
            [5, 7],
          ],
          [3, 7],
          flags,
        ),
      ).value,
    ).toBe(3 * 5 * 7);
    expect(
      multiplyAdds(
        call(
          "Gemm",
          [
            [3, 5],
            [7, 5],
          ],
          [3, 7],
          { transB: 1 },
        ),
      ).value,
    ).toBe(3 * 5 * 7);
    const fused = call(
      "com.microsoft::FusedMatMul",
      [
        [2, 5, 3],
        [2, 5, 7],
      ],
      [2, 3, 7],
      flags,
    );
    expect(multiplyAdds(fused).value).toBe(2 * 3 * 5 * 7);
  });

  it.each<[string, Shape[], number]>([
    [
      "bij,bjk->bik",
      [
        ["batch", 3, 5],
        ["batch", 5, 7],
      ],
      3 * 5 * 7,
    ],
    ["i,j->ij", [[4], [6]], 24],
    [
      "...ij,...jk->...ik",
      [
        [2, 9, 3, 5],
        [9, 5, 7],
      ],
      2 * 9 * 3 * 5 * 7,
    ],
    [
      "ij,jk,kl->il",
      [
        [2, 3],
        [3, 4],
        [4, 5],
      ],
      2 * 2 * 3 * 4 * 5,
    ],
    [
      "ij, jk -> ik",
      [
        [1, 3],
        [3, 4],
      ],
      12,
    ],
  ])("counts Einsum %s", (equation, shapes, expected) => {
    const node = call("Einsum", shapes, [1], { equation });
    expect(multiplyAdds(node)).toEqual({ value: expected, exact: true });
  });

  it("counts one sample of a named batch, keeps multiples, and marks unknown lengths", () => {
    const w = [5, 7];
    expect(multiplyAdds(call("MatMul", [["2*batch", 5], w], ["2*batch", 7])).value).toBe(2 * 5 * 7);
    expect(multiplyAdds(call("MatMul", [["?1", 5], w], ["?1", 7]))).toEqual({ value: 35, exact: false });
    expect(multiplyAdds(call("Add", [[9], [9]], [9])).value).toBe(0);
  });
});

describe("summarise", () => {
  it("makes one row of what one path's parameters compute and what follows", () => {
    const x = input("images", ["batch", 3, 8, 8]);
    const a = relu(conv(x, weight("a.weight", 4, 3, 3, 3), weight("a.bias", 4), { padding: 1 }));
    const running = parameter([4, 1, 1], zeros, { name: "norm.mean", trainable: false });
    const b = mul(add(a, running), weight("norm.scale", 4, 1, 1));
    const head = matmul(reshape(b, ["batch", 256]), transpose(weight("head.weight", 10, 256), [1, 0]));
    const { layers, total, inputs, outputs, nodes } = summariseModel({ logits: head });
    expect(layers.map(({ name }) => name)).toEqual(["a", "norm", "head"]);
    expect(layers[0]).toMatchObject({
      shape: ["batch", 4, 8, 8],
      parameters: 112,
      fixed: 0,
      bytes: 448,
      multiplyAdds: 4 * 64 * 27,
    });
    expect([...layers[0]!.operators]).toEqual([
      ["Conv", 1],
      ["Relu", 1],
    ]);
    expect(layers[1]).toMatchObject({ parameters: 4, fixed: 4, bytes: 32, multiplyAdds: 0 });
    expect(layers[2]).toMatchObject({ shape: ["batch", 10], parameters: 2560, multiplyAdds: 2560 });
    expect(total).toEqual({ parameters: 2676, fixed: 4, bytes: 10_720, multiplyAdds: 9472, exact: true });
    expect(inputs).toEqual([{ name: "images", dtype: "float32", shape: ["batch", 3, 8, 8] }]);
    expect(outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["batch", 10] }]);
    expect(nodes).toBe(7);
  });

  it("counts shared parameters once and their use each time", () => {
    const w = weight("cell.weight", 6, 6);
    let h = input("x", ["batch", 6]);
    for (let t = 0; t < 5; t++) h = relu(matmul(h, w));
    const { layers } = summariseModel({ h });
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({ parameters: 36, multiplyAdds: 5 * 36 });
  });

  it("counts fixed weights, not numbers and axes", () => {
    const x = input("x", ["batch", 2]);
    const { total } = summariseModel({ y: add(mul(x, 2), constant([1, 2])) });
    expect(total).toMatchObject({ parameters: 0, fixed: 2, bytes: 8 });
  });

  it("gives the same layers for a model that went through a file", () => {
    const x = input("images", ["batch", 1, 6, 6]);
    const a = relu(conv(x, weight("a.weight", 2, 1, 3, 3), weight("a.bias", 2)));
    const y = matmul(reshape(a, ["batch", 32]), weight("b.weight", 32, 3));
    const { bytes } = writeOnnx(
      { y },
      {
        values: ({ shape }) => ({
          dtype: "float32",
          shape: shape as number[],
          data: zeros(shape as number[]),
        }),
      },
    );
    const before = summariseModel({ y });
    const after = summariseModel(readOnnx(bytes).outputs);
    expect(after.layers).toEqual(before.layers);
    expect(after.total).toEqual(before.total);
  });

  it("names rows after the paths of nodes where the file has them", () => {
    const x = input("x", ["batch", 4]);
    const node = new GraphNode(
      "MatMul",
      [x, weight("onnx::MatMul_7", 4, 4)],
      {},
      undefined,
      "/block/fc/MatMul",
    );
    node.outputs.push(new TensorClass(node, 0, "float32", ["batch", 4]));
    expect(summariseModel({ y: node.outputs[0]! }).layers.map(({ name }) => name)).toEqual(["block/fc"]);
  });
});
