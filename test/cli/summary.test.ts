import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtInModels } from "../../src/cli/models.js";
import { describeSummary, printSummary } from "../../src/cli/summary.js";
import { conv, input, parameter, relu, writeOnnx } from "../../src/graph/index.js";
import { summariseModel } from "../../src/graph/summary.js";
import { namedParameters } from "../../src/nn/module.js";
import { KomplexNet } from "../../src/systems/komplexnet/model.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const zeros = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));

function smallModel() {
  const images = input("images", ["batch", 3, 16, 16]);
  const weight = parameter([8, 3, 3, 3], zeros, { name: "first.weight" });
  const bias = parameter([8], zeros, { name: "first.bias" });
  return { y: relu(conv(images, weight, bias, { padding: 1 })) };
}

describe("striate summary", () => {
  it("prints an ONNX file's layers and totals", async () => {
    const path = join(await temporaryFolder(), "small.onnx");
    const { bytes } = writeOnnx(smallModel(), {
      values: ({ shape }) => ({ dtype: "float32", shape: shape as number[], data: zeros(shape as number[]) }),
    });
    await writeFile(path, bytes);
    const { streams, out } = captured();
    await printSummary(path, streams);
    expect(out()).toMatch(/│ first +│ Conv, Relu +│ \[batch, 8, 16, 16\] │ +224 │ +│ +896 B │ +55,296 │/);
    expect(out()).toMatch(/│ 1 layers +│ 2 nodes/);
    expect(out()).toContain("images float32[batch, 3, 16, 16]");
    expect(out()).toContain("y float32[batch, 8, 16, 16]");
  });

  it.each(builtInModels.map(({ name }) => name))("knows the built-in model %s", async (name) => {
    const { streams, out } = captured();
    await printSummary(name, streams);
    expect(out()).toMatch(/(logits|features) float32\[batch, \d+/);
  });

  it("counts every parameter of KomplexNet once", () => {
    const model = new KomplexNet();
    const sizes = [...namedParameters(model).values()].map(({ shape }) => zeros(shape as number[]).length);
    const traced = summariseModel(builtInModels.find(({ name }) => name === "komplexnet")!.trace());
    expect(traced.total.parameters + traced.total.fixed).toBe(sizes.reduce((a, b) => a + b, 0));
    // 15 timesteps, cos and sin, 8 x 8 kernels of 13 x 13 at 32 x 32 positions.
    const coupling = traced.layers.find(({ name }) => name === "coupling");
    expect(coupling?.multiplyAdds).toBe(15 * 2 * 8 * 8 * 13 * 13 * 32 * 32);
  });

  it("refuses a file that is no model", async () => {
    const path = join(await temporaryFolder(), "broken.onnx");
    await writeFile(path, "not a model at all");
    await expect(printSummary(path, captured().streams)).rejects.toThrow(/broken\.onnx/);
  });

  it("marks counts that are only a lower bound", () => {
    const summary = summariseModel(smallModel());
    const layers = summary.layers.map((layer) => ({ ...layer, exact: false }));
    const text = describeSummary("x", { ...summary, layers, total: { ...summary.total, exact: false } });
    expect(text).toContain("≥ 55,296");
    expect(text).toContain("marks a lower bound");
  });
});
