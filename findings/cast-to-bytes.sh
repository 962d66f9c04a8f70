#!/bin/sh
# A person would expect a float32 outside 0 ... 255 to become the same byte wherever a model runs.
# Instead Cast to uint8 is the platform's own conversion: -1.5 is 255 in onnxruntime-node and 0 in onnxruntime-web (wasm), 1e10
# is 0 and 255. The standard leaves such numbers undefined. Between 256 and 2^31 both wrap round (300 becomes 44).
# Seen with onnxruntime-node and onnxruntime-web 1.30.0, Linux x64, both in Node.
# It matters for models that end in pixels: a slightly negative grey value is white on a server and black in a browser. Clip
# to 0 ... 255 before the Cast.
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

const numbers = [-1.5, 254.9, 300, 1e10];
const value = (name, elemType) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: [{ dimValue: numbers.length }] } } },
});
const bytes = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "cast",
    node: [{ opType: "Cast", input: ["x"], output: ["y"], attribute: [{ name: "to", type: 2, i: 2 }] }],
    input: [value("x", 1)],
    output: [value("y", 2)],
  },
}).finish();
web.env.wasm.numThreads = 1;
console.log(`onnxruntime-node ${node.env.versions.node}, onnxruntime-web ${web.env.versions.web}, ${process.platform}`);
const found = [];
for (const [name, ort, provider] of [
  ["onnxruntime-node", node, "cpu"],
  ["onnxruntime-web", web, "wasm"],
]) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  const x = new ort.Tensor("float32", Float32Array.from(numbers), [numbers.length]);
  found.push([...(await session.run({ x })).y.data].join(" "));
  console.log(`${name}: ${numbers.join(" ")} become ${found.at(-1)}`);
}
const recorded = ["255 254 44 0", "0 254 44 255"];
const same = found.join() === recorded.join();
console.log(same ? "as recorded" : `CHANGED: recorded were ${recorded.join(" and ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
