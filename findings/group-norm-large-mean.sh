#!/bin/sh
# A person would expect a group norm to give the same for x and for x + 1000, since it takes the mean away first.
# Instead GroupNormalization takes the variance as if from mean(x^2) - mean(x)^2 in float32: values of 1000 +- 1 come out
# as +-0.36 instead of +-1, values of 10000 +- 1 as NaN. LayerNormalization is right for the same values.
# Seen with onnxruntime-node 1.30.0, CPU provider, opset 21, Linux x64.
# It matters for images of 16 bits, spike counts or any activations that are far from 0: a network gives wrong answers, or
# NaN, without an error. Use InstanceNormalization or LayerNormalization on groups that were reshaped.
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

const count = 4096;
const value = (name) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [1, 1, count].map((dimValue) => ({ dimValue })) } } },
});
const constant = (name, length, number) => {
  return { name, dataType: 1, dims: [length], floatData: new Array(length).fill(number) };
};
const attribute = [{ name: "num_groups", type: 2, i: 1 }];
const bytes = proto.onnx.ModelProto.encode({
  irVersion: 10,
  opsetImport: [{ domain: "", version: 21 }],
  graph: {
    name: "norms",
    node: [
      { opType: "GroupNormalization", input: ["x", "scale", "bias"], output: ["group"], attribute },
      { opType: "LayerNormalization", input: ["x", "scales"], output: ["layer"] },
    ],
    input: [value("x")],
    output: [value("group"), value("layer")],
    initializer: [constant("scale", 1, 1), constant("bias", 1, 0), constant("scales", count, 1)],
  },
}).finish();
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const found = {};
for (const mean of [0, 1000, 10000]) {
  const x = Float32Array.from({ length: count }, (_, i) => mean + (i % 2 === 0 ? 1 : -1));
  const { group, layer } = await session.run({ x: new ort.Tensor("float32", x, [1, 1, count]) });
  found[mean] = [group.data[0], layer.data[0]];
  console.log(`${mean} + 1 among ${mean} +- 1: group norm ${group.data[0]}, layer norm ${layer.data[0]}`);
}
const right = (number) => Math.abs(number - 1) < 1e-3;
const layers = [0, 1000, 10000].every((mean) => right(found[mean][1]));
const same = layers && right(found[0][0]) && !right(found[1000][0]) && !right(found[10000][0]);
console.log(same ? "as recorded" : "CHANGED: recorded were 1, about 0.36 and NaN for the group norm, 1 for the other");
process.exitCode = same ? 0 : 1;
END
node run.mjs
