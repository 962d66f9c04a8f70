#!/bin/sh
# A person would expect the shape that a session states for an output to be the shape of what it computes.
# Instead Resize by scales has two answers: for 10 x 0.7 (a float32 a little below 0.7) shape inference says floor = 6, the
# kernel multiplies in float32, which rounds to 7, and computes 7. The session warns, and goes on.
# Seen with onnxruntime-node 1.30.0, CPU provider, Linux x64.
# It matters for buffers that are allocated by the stated shape, and for image pyramids whose levels must fit each other.
# Give Resize its sizes, not scales.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnx-proto@8.0.1 > npm.log
cat > run.mjs <<'END'
import proto from "onnx-proto";
import ort from "onnxruntime-node";

async function lengths(length, scale) {
  const shape = { dim: [1, 1, 1, length].map((dimValue) => ({ dimValue })) };
  const bytes = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: {
      name: "resize",
      node: [{ opType: "Resize", input: ["x", "", "scales"], output: ["y"] }],
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape } } }],
      output: [{ name: "y", type: { tensorType: { elemType: 1 } } }],
      initializer: [{ name: "scales", dataType: 1, dims: [4], floatData: [1, 1, 1, scale] }],
    },
  }).finish();
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const x = new ort.Tensor("float32", new Float32Array(length), [1, 1, 1, length]);
  const { y } = await session.run({ x });
  return [session.outputMetadata[0].shape.at(-1), y.dims.at(-1)];
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const recorded = [
  { length: 10, scale: 0.7, stated: 6, computed: 7 },
  { length: 100, scale: 0.29, stated: 28, computed: 29 },
  { length: 10, scale: 0.5, stated: 5, computed: 5 },
];
let same = true;
for (const { length, scale, stated, computed } of recorded) {
  const [says, is] = await lengths(length, scale);
  console.log(`${length} pixels x ${scale}: the session states ${says}, the kernel computes ${is}`);
  same &&= says === stated && is === computed;
}
console.log(same ? "as recorded" : "CHANGED: recorded were 6 and 7, 28 and 29, 5 and 5");
process.exitCode = same ? 0 : 1;
END
node run.mjs
