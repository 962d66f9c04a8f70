#!/bin/sh
# A person would expect Sigmoid of float32 to be 1 / (1 + exp(-x)) to within rounding, above 0 and rising everywhere.
# Instead it is exactly 0 from about -18 down, where the true value is 1.5e-8, and between -16 and -17 it rises as x falls.
# Seen with onnxruntime-node 1.30.0, CPU provider, Linux x64 (AVX-512).
# It matters because log(Sigmoid(x)) is -Infinity for a confident wrong answer, and so is a loss that is made of it. Write
# -Softplus(-x), which is right.
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

const xs = Float32Array.of(-15, -16, -16.5, -17, -18, -19, -20);
const value = (name) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: xs.length }] } } },
});
const bytes = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "sigmoid",
    node: [
      { opType: "Sigmoid", input: ["x"], output: ["y"] },
      { opType: "Neg", input: ["x"], output: ["n"] },
      { opType: "Softplus", input: ["n"], output: ["s"] },
    ],
    input: [value("x")],
    output: [value("y"), value("s")],
  },
}).finish();
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
const { y, s } = await session.run({ x: new ort.Tensor("float32", xs, [xs.length]) });
console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
xs.forEach((x, i) => {
  const wanted = 1 / (1 + Math.exp(-x));
  console.log(`Sigmoid(${x}) is ${y.data[i].toExponential(2)}, the formula gives ${wanted.toExponential(2)}`);
});
const zeros = y.data.slice(4).every((v) => v === 0);
const falls = y.data.slice(1, 4).some((v, i) => v > y.data[i]);
const softplus = xs.every((x, i) => Math.abs(s.data[i] / Math.log1p(Math.exp(-x)) - 1) < 1e-5);
console.log(`it is exactly 0 from -18 down: ${zeros}; it rises while x falls to -17: ${falls}`);
console.log(`Softplus(-x) is right: ${softplus}`);
const same = zeros && falls && softplus;
console.log(same ? "as recorded" : "CHANGED: recorded were true, true and true");
process.exitCode = same ? 0 : 1;
END
node run.mjs
