#!/bin/sh
# A person would expect zeros that a Pad puts around a map to take part in the MaxPool behind it: of -1 and three zeros the
# greatest is 0. The standard knows no other reading: Pad is a node of its own, with a value of its own.
# Instead, unless optimisations of graphs are switched off, ONNX Runtime moves the padding of zeros into the MaxPool, whose own
# padding is nothing (minus infinity), and the maxima at the border are negative. It is reported as microsoft/onnxruntime#24737
# (May 2025, closed without an answer) and the same for all opsets from 11 to 23.
# Seen with onnxruntime-node and onnxruntime-web 1.30.0, Linux x64, both in Node.
# It matters because models from Keras pad with zeros before pooling. Behind a Relu nothing changes; behind a linear convolution,
# a GELU or a leaky unit the answers do. Give the Pad its input `axes`, which keeps it as it is, or disable the rule by the session
# option extra: { optimization: { disable_specified_optimizers: "Pad_Fusion" } }.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnxruntime-web@1.30.0 \
  onnx-proto@8.0.1 > npm.log
cat > run.mjs <<'END'
import proto from "onnx-proto";
import node from "onnxruntime-node";
import * as web from "onnxruntime-web";

const port = (name, side) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [1, 1, side, side].map((dimValue) => ({ dimValue })) } } },
});
const pads = [0, 0, 1, 1, 0, 0, 1, 1];
const model = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "pool",
    node: [
      { opType: "Pad", input: ["x", "pads"], output: ["padded"] },
      {
        opType: "MaxPool",
        input: ["padded"],
        output: ["y"],
        attribute: [{ name: "kernel_shape", type: 7, ints: [2, 2] }],
      },
    ],
    initializer: [{ name: "pads", dims: [8], dataType: 7, int64Data: pads }],
    input: [port("x", 2)],
    output: [port("y", 3)],
  },
}).finish();
web.env.wasm.numThreads = 1;
console.log(`onnxruntime-node ${node.env.versions.node}, onnxruntime-web ${web.env.versions.web}, ${process.platform}`);
const recorded = { disabled: "0 0 0 0 -1 0 0 0 0", basic: "-1 -1 -2 -1 -1 -2 -3 -3 -4", all: "-1 -1 -2 -1 -1 -2 -3 -3 -4" };
let same = true;
for (const [name, ort, provider] of [
  ["onnxruntime-node", node, "cpu"],
  ["onnxruntime-web", web, "wasm"],
])
  for (const [level, expected] of Object.entries(recorded)) {
    const options = { executionProviders: [provider], graphOptimizationLevel: level };
    const session = await ort.InferenceSession.create(model, options);
    const x = new ort.Tensor("float32", Float32Array.from([-1, -2, -3, -4]), [1, 1, 2, 2]);
    const found = [...(await session.run({ x })).y.data].join(" ");
    console.log(`${name}, optimisation ${level}: -1 -2 -3 -4 with a border of zeros is pooled to ${found}`);
    same &&= found === expected;
  }
console.log(same ? "as recorded" : `CHANGED: recorded were ${Object.values(recorded).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
