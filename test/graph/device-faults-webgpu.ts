/*
 * Runs the graphs of device-faults.ts on WebGPU. A script of its own, because the driver is chosen by the environment. Prints one
 * JSON object a line: the name, the numbers that were found, and whether they are right.
 */
import * as ort from "onnxruntime-node";
import { lower, writeOnnx } from "../../src/graph/index.js";
import { FAULTS, near } from "./device-faults.js";

for (const [fault, { y, feeds, right }] of Object.entries(FAULTS)) {
  const { bytes } = writeOnnx(lower({ y }, "webgpu"));
  const options = { executionProviders: ["webgpu"], logSeverityLevel: 4 } as const;
  const session = await ort.InferenceSession.create(bytes, options);
  const given = Object.entries(feeds).map(([name, { data, shape }]) => [
    name,
    new ort.Tensor("float32", data as Float32Array, shape),
  ]);
  const found = Array.from(
    (await session.run(Object.fromEntries(given) as Record<string, ort.Tensor>)).y!.data,
    Number,
  );
  console.log(JSON.stringify({ fault, found: found.join(" "), right: near(found, right) }));
}
process.exit(0);
