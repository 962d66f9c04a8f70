#!/bin/sh
# A person would expect a NaN in a window of MaxPool to come out always, as in PyTorch, or never.
# Instead it depends on where it stands: of the four places in windows of 2 x 2 over a map of 8 x 8 only the last lets it
# through, and once Indices are asked for only the first. Elsewhere it is passed over as if it were no pixel at all.
# Seen with onnxruntime-node 1.30.0, CPU provider, Linux x64.
# It matters because NaN marks missing pixels or a network that broke: pooling hides it from most windows, and a training
# graph, which needs Indices, hides it from others than the same network in use.
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

const value = (name, elemType, side) => {
  const dim = [1, 1, side, side].map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
};
const attribute = ["kernel_shape", "strides"].map((name) => ({ name, type: 7, ints: [2, 2] }));
const sessions = await Promise.all(
  [["y"], ["y", "indices"]].map((output) => {
    const bytes = proto.onnx.ModelProto.encode({
      irVersion: 8,
      opsetImport: [{ domain: "", version: 12 }],
      graph: {
        name: "pool",
        node: [{ opType: "MaxPool", input: ["x"], output, attribute }],
        input: [value("x", 1, 8)],
        output: output.map((name) => value(name, name === "y" ? 1 : 7, 4)),
      },
    }).finish();
    return ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  }),
);
console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const recorded = ["4 NaN", "4 4", "4 4", "NaN 3"];
let same = true;
for (const place of [0, 1, 2, 3]) {
  // Every window holds 1, 2, 3, 4 row by row, one of them replaced.
  const windows = Float32Array.from({ length: 64 }, (_, i) => {
    const at = 2 * (Math.floor(i / 8) % 2) + (i % 2);
    return at === place ? NaN : at + 1;
  });
  const x = new ort.Tensor("float32", windows, [1, 1, 8, 8]);
  const found = await Promise.all(sessions.map(async (session) => (await session.run({ x })).y.data[0]));
  console.log(`NaN at place ${place + 1} of 1 2 3 4: ${found[0]}, with Indices ${found[1]}`);
  same &&= found.join(" ") === recorded[place];
}
console.log(same ? "as recorded" : "CHANGED: recorded were 4 and NaN, 4 and 4, 4 and 4, NaN and 3");
process.exitCode = same ? 0 : 1;
END
node run.mjs
