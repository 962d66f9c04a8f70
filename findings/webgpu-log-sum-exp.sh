#!/bin/sh
# A person would expect ReduceLogSumExp, an operator of its own, to exist for the sake of its one difficulty: it subtracts the
# maximum first, so that exponentials neither overflow nor vanish. The CPU provider does.
# Instead, on WebGPU, it is the logarithm of a sum of exponentials as they come: from 89 up the answer is Infinity, and of
# three times -100 it is -88 or less instead of -98.9. LogSoftmax and Softmax are right on both.
# Seen with onnxruntime-node 1.30.0, the software WebGPU of Debian's Chromium 156, Linux x64; both builds of onnxruntime-web 1.30.0
# give the same numbers in Chromium.
# It matters for losses and energies made of logits: training stops at the first logit above 88, on one device only. Subtract a
# ReduceMax first and add it again, or use LogSoftmax.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
driver=${VULKAN_DRIVER:-/usr/lib/chromium/vk_swiftshader_icd.json}
[ -f "$driver" ] || { echo "needs a Vulkan driver (set VULKAN_DRIVER; Debian's package chromium has one)"; exit 2; }
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnx-proto@8.0.1 > npm.log
cat > run.mjs <<'END'
import proto from "onnx-proto";
import * as ort from "onnxruntime-node";

const rows = [
  [10, 10, 10],
  [88, 88, 88],
  [1000, 0, -1000],
  [-100, -100, -100],
];
const port = (name, dims) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
const model = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "energy",
    node: [
      {
        opType: "ReduceLogSumExp",
        input: ["x", "axes"],
        output: ["y"],
        attribute: [{ name: "keepdims", type: 2, i: 0 }],
      },
    ],
    initializer: [{ name: "axes", dims: [1], dataType: 7, int64Data: [1] }],
    input: [port("x", [rows.length, 3])],
    output: [port("y", [rows.length])],
  },
}).finish();

async function run(provider) {
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
  const x = new ort.Tensor("float32", Float32Array.from(rows.flat()), [rows.length, 3]);
  return (await session.run({ x })).y.data;
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const [cpu, gpu] = [await run("cpu"), await run("webgpu")];
const right = (row) => Math.max(...row) + Math.log(row.reduce((sum, v) => sum + Math.exp(v - Math.max(...row)), 0));
for (const [i, row] of rows.entries()) console.log(`${row.join(", ")}: ${cpu[i]} on the CPU, ${gpu[i]} on WebGPU`);
const near = (found, expected) => Math.abs(found - expected) <= 1e-4 * Math.abs(expected);
// The logarithm of the exponentials that vanished is the device's own: -Infinity, or that of its smallest number.
const same =
  rows.every((row, i) => near(cpu[i], right(row))) &&
  near(gpu[0], right(rows[0])) &&
  [1, 2].every((i) => gpu[i] === Infinity) &&
  !near(gpu[3], right(rows[3]));
console.log(same ? "as recorded" : "CHANGED: recorded on WebGPU were one right answer, Infinity twice and a wrong number");
process.exitCode = same ? 0 : 1;
END
LD_LIBRARY_PATH=$(dirname "$driver") VK_ICD_FILENAMES=$driver XDG_RUNTIME_DIR=/tmp node run.mjs
