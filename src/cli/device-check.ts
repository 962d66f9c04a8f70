import { input, relu, writeOnnx } from "../graph/index.js";
import { nodeRuntime } from "../runtime/node.js";
import { checkDevice } from "../runtime/runtime.js";

/*
 * Runs a model of one node on the device that the first argument names, and prints what is wrong, or nothing. It is a
 * separate process because drivers write to standard error and may end the process.
 */

const device = checkDevice(process.argv[2] ?? "");
const model = writeOnnx({ y: relu(input("x", [2])) }).bytes;
try {
  const session = await nodeRuntime.createSession(model, { device });
  const { y } = await session.run({ x: { dtype: "float32", shape: [2], data: Float32Array.of(-1, 2) } });
  if (y?.data.join() !== "0,2")
    console.log(`a test model gave ${y?.data.join() ?? "nothing"} instead of 0,2`);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
}
