#!/bin/sh
# A person would expect a resized picture of bytes to be the resized picture of floats, rounded; and a resized map of int8, as
# quantised networks hold it, to keep its negative numbers.
# Instead linear Resize cuts the fractions off, so that a picture of bytes loses half a grey level on the average. With antialias
# it rounds, but treats int8 as bytes of 0 to 255: negative numbers become 0, and a cubic that overshoots 127 turns negative.
# Types of 32 bits are right. The standard gives int8 and uint8 the same meaning as floats.
# Seen with onnxruntime-node and onnxruntime-web 1.30.0, Linux x64, both in Node.
# It matters for preprocessing inside a model and for feature pyramids of quantised networks: half of the activations are lost
# without an error. Cast to float32 before Resize, and round after it.
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

const TYPES = { float32: [1, Float32Array], uint8: [2, Uint8Array], int8: [3, Int8Array], int32: [6, Int32Array] };
const port = (name, elemType, length) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: [1, 1, 1, length].map((dimValue) => ({ dimValue })) } } },
});
async function resize(ort, type, row, length, mode, antialias) {
  const [elemType, Numbers] = TYPES[type];
  const bytes = proto.onnx.ModelProto.encode({
    irVersion: 9,
    opsetImport: [{ domain: "", version: 19 }],
    graph: {
      name: "resize",
      node: [
        {
          opType: "Resize",
          input: ["x", "", "", "sizes"],
          output: ["y"],
          attribute: [
            { name: "mode", type: 3, s: Buffer.from(mode) },
            { name: "antialias", type: 2, i: antialias },
          ],
        },
      ],
      initializer: [{ name: "sizes", dims: [4], dataType: 7, int64Data: [1, 1, 1, length] }],
      input: [port("x", elemType, row.length)],
      output: [port("y", elemType, length)],
    },
  }).finish();
  const provider = ort === web ? "wasm" : "cpu";
  const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  const { y } = await session.run({ x: new ort.Tensor(type, Numbers.from(row), [1, 1, 1, row.length]) });
  return [...y.data].map((value) => Number(value.toFixed(2))).join(" ");
}

web.env.wasm.numThreads = 1;
console.log(`onnxruntime-node ${node.env.versions.node}, onnxruntime-web ${web.env.versions.web}, ${process.platform}`);
const negative = [-50, -50, -50, -50];
const peak = [0, 0, 127, 127, 127, 0, 0, 0];
const cases = [
  ["float32", [0, 3], 4, "linear", 0, "0 0.75 2.25 3"],
  ["uint8", [0, 3], 4, "linear", 0, "0 0 2 3"],
  ["int8", negative, 2, "linear", 0, "-50 -50"],
  ["int8", negative, 2, "linear", 1, "0 0"],
  ["int32", negative, 2, "linear", 1, "-50 -50"],
  ["int32", peak, 5, "cubic", 1, "-7 96 136 18 -4"],
  ["int8", peak, 5, "cubic", 1, "0 96 -120 18 0"],
];
let same = true;
for (const [type, row, length, mode, antialias, recorded] of cases) {
  const [here, there] = [
    await resize(node, type, row, length, mode, antialias),
    await resize(web, type, row, length, mode, antialias),
  ];
  const how = `${mode}${antialias ? " with antialias" : ""}`;
  console.log(`${type} ${row.join(" ")}, ${how}: ${here}${here === there ? "" : `; wasm ${there}`}`);
  same &&= here === recorded && there === recorded;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map((row) => row[5]).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
