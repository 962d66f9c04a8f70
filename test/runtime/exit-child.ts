import { input, lower, matmul, tensorData, writeOnnx } from "../../src/graph/index.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";

// Ends as user scripts do, with process.exit, while its worker computes.
const size = 512;
const a = input("a", [size, size]);
let product = a;
for (let i = 0; i < 60; i++) product = matmul(product, a);
const session = await workerRuntime.createSession(writeOnnx(lower({ product }, "cpu")).bytes, { threads: 1 });
void session.run({ a: tensorData(new Float32Array(size * size), [size, size]) });
console.log("computing");
setTimeout(() => process.exit(3), 30);
