#!/bin/sh
# A person would expect freeDimensionOverrides, an option of onnxruntime-common that gives a named dimension its length, to do
# the same in Node and in the browser.
# Instead onnxruntime-node drops it without a word: a model whose "batch" was fixed at 2 keeps its free dimension and runs 5.
# onnxruntime-web (wasm) obeys it and refuses 5.
# Seen with onnxruntime-node and onnxruntime-web 1.30.0, Linux x64, both in Node.
# It matters to whoever ships one model to both: shapes that a browser plans ahead, or graphs that only run at a fixed
# length, behave otherwise in Node. Write the length into the model.
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

const value = (name) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: "batch" }, { dimValue: 3 }] } } },
});
const bytes = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "identity",
    node: [{ opType: "Identity", input: ["x"], output: ["y"] }],
    input: [value("x")],
    output: [value("y")],
  },
}).finish();
web.env.wasm.numThreads = 1;
console.log(`onnxruntime-node ${node.env.versions.node}, onnxruntime-web ${web.env.versions.web}, ${process.platform}`);
const found = [];
for (const [name, ort, provider] of [
  ["onnxruntime-node", node, "cpu"],
  ["onnxruntime-web", web, "wasm"],
]) {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    freeDimensionOverrides: { batch: 2 },
  });
  const x = new ort.Tensor("float32", new Float32Array(15), [5, 3]);
  const ran = await session.run({ x }).then(
    () => "runs",
    (error) => (/Got: 5 Expected: 2/.test(error.message) ? "refuses" : error.message),
  );
  found.push(`${session.inputMetadata[0].shape[0]} ${ran}`);
  console.log(`${name}, batch fixed at 2: it states ${session.inputMetadata[0].shape[0]} and ${ran} a batch of 5`);
}
const same = found.join() === "batch runs,2 refuses";
console.log(same ? "as recorded" : "CHANGED: recorded were batch and runs in Node, 2 and refuses in wasm");
process.exitCode = same ? 0 : 1;
END
node run.mjs
