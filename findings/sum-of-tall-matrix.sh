#!/bin/sh
# A person would expect the mean of 2^25 ones to be 1, along whichever axis the ones lie.
# Instead ReduceSum over the first axis of a tall matrix adds one row after another in float32 and stops at 2^24, where
# adding 1 changes nothing any more: the mean is 0.5. Over the last axis both are right.
# Seen with onnxruntime-node 1.30.0, CPU provider, Linux x64.
# It matters to anyone who averages pixels, tokens or trials over the first axis: errors grow with the number of rows long
# before the sum stops. Move the axis to the end first.
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

const count = 2 ** 25;
const ones = new Float32Array(count).fill(1);
const value = (name, shape) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});

async function reduced(opType, shape, axis) {
  const bytes = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: {
      name: "reduce",
      node: [{ opType, input: ["x", "axes"], output: ["y"] }],
      input: [value("x", shape)],
      output: [value("y", [1, 1])],
      initializer: [{ name: "axes", dataType: 7, dims: [1], int64Data: [axis] }],
    },
  }).finish();
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor("float32", ones, shape) });
  return y.data[0];
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const found = [];
for (const opType of ["ReduceSum", "ReduceMean"])
  for (const axis of [0, 1]) {
    const shape = axis === 0 ? [count, 1] : [1, count];
    found.push(await reduced(opType, shape, axis));
    console.log(`${opType} of 2^25 ones in [${shape}] over axis ${axis} is ${found.at(-1)}`);
  }
const recorded = [2 ** 24, 2 ** 25, 0.5, 1];
const same = recorded.every((number, i) => found[i] === number);
console.log(same ? "as recorded" : `CHANGED: recorded were ${recorded.join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
