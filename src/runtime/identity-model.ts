import { input } from "../graph/tensor.js";
import { identity } from "../graph/operators/elementwise/elementwise.js";
import { writeOnnx } from "../graph/onnx/write/write.js";
import type { Values } from "./runtime.js";
import { nextName } from "./runtime.js";

/** Returns the bytes of a model of Identity nodes, which copies state from the device to the host. */
export function identityModel(state: Values): Uint8Array {
  const outputs = Object.fromEntries(
    Object.entries(state).map(([name, { shape, dtype }]) => [
      nextName(name),
      identity(input(name, shape, dtype)),
    ]),
  );
  return writeOnnx(outputs).bytes;
}
