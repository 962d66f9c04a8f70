import { describe, expect, it } from "vitest";
import type { Target, Tensor } from "../../../src/graph/index.js";
import { gradients, lower, writeOnnx } from "../../../src/graph/index.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { difference, isTaken, modelBytes, node, rewritten, run, wave } from "./models.js";

/* Windows whose pads a file leaves to the runtime: in every form that is written they are those of ONNX Runtime. */

interface Case {
  readonly type: "Conv" | "MaxPool" | "AveragePool";
  readonly length: number;
  readonly attributes: Attributes;
  readonly opset: number;
}

function* cases(): Generator<Case> {
  for (const type of ["Conv", "MaxPool", "AveragePool"] as const)
    for (const length of [5, 8])
      for (const kernel of [1, 2, 3])
        for (const stride of [1, 2, 3])
          for (const dilation of type === "MaxPool" ? [1, 2] : [1])
            for (const auto_pad of ["SAME_UPPER", "SAME_LOWER", "VALID"])
              for (const ceil_mode of type === "Conv" ? [0] : [0, 1])
                for (const opset of type === "Conv" ? [18] : [22]) {
                  const attributes = {
                    kernel_shape: [kernel],
                    strides: [stride],
                    auto_pad,
                    ...(dilation > 1 && { dilations: [dilation] }),
                    ...(ceil_mode === 1 && { ceil_mode }),
                  };
                  yield { type, length, attributes, opset };
                }
}

describe("windows with pads left to the runtime", () => {
  it("have the lengths and values of ONNX Runtime, and gradients of their input's length", async () => {
    const found: string[] = [];
    let compared = 0;
    for (const { type, length, attributes, opset } of cases()) {
      const [kernel] = attributes.kernel_shape as readonly number[];
      const bytes = modelBytes(
        {
          nodes: [node(type, type === "Conv" ? ["x", "w"] : ["x"], ["y"], attributes)],
          inputs: [{ name: "x", shape: [1, 2, length] }],
          outputs: ["y"],
          initializers: type === "Conv" ? { w: wave([3, 2, kernel!]) } : {},
        },
        opset,
      );
      const label = JSON.stringify({ type, length, opset, ...attributes });
      const x = wave([1, 2, length], 0.3);
      if (!(await isTaken(bytes, { x }))) continue;
      compared++;
      const wanted = await run(bytes, { x });
      const { model, bytes: plain } = rewritten(bytes);
      const known = new Map([...model.parameters.values()].map(({ tensor, data }) => [tensor, data]));
      const values = (tensor: Tensor) => known.get(tensor);
      const lowered = (target: Target) =>
        writeOnnx(lower(model.outputs, target, { values }), { values }).bytes;
      if (model.outputs.y!.shape.join() !== wanted.y!.shape.join()) {
        found.push(`${label}: inferred [${model.outputs.y!.shape}], is [${wanted.y!.shape}]`);
        continue;
      }
      for (const written of [plain, lowered("cpu"), lowered("portable")]) {
        const gap = difference(wanted, await run(written, { x }));
        if (!(gap < 1e-5)) found.push(`${label}: off by ${gap}`);
      }
      const [dx] = gradients(model.outputs.y!, [model.inputs.x!]);
      const slopes = await run(writeOnnx(lower({ dx: dx! }, "cpu", { values }), { values }).bytes, { x });
      if (slopes.dx!.shape.join() !== x.shape.join())
        found.push(`${label}: gradient of [${slopes.dx!.shape}]`);
    }
    expect(found).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  });
});
