#!/bin/sh
# A person would expect two operators of ai.onnx.ml to do what the standard says. LinearRegressor has an attribute post_transform,
# "the transform to apply to the regression output vector": LOGISTIC squashes the result into 0 to 1. LabelEncoder compares keys
# "bit-wise, so even a float NaN can be mapped".
# Instead ONNX Runtime applies no transform to a regression with one target, the usual case, without an error; with two targets it
# does. And a NaN never finds its key, so it gets the default.
# Seen with onnxruntime-node 1.30.0, Linux x64.
# It matters because a model that relies on either gives numbers without an error: 3.5 in place of a probability, and the label of
# unknown values in place of that of missing ones. Put a Sigmoid behind the regressor; put an Imputer, which does find NaN, before
# the encoder.
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

const port = (name, elemType, dims) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
const text = (value) => new TextEncoder().encode(value);
async function run(opType, attribute, x, shape, outputType, outputShape) {
  const model = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [
      { domain: "", version: 18 },
      { domain: "ai.onnx.ml", version: 2 },
    ],
    graph: {
      name: "g",
      node: [{ opType, domain: "ai.onnx.ml", input: ["x"], output: ["y"], attribute }],
      input: [port("x", 1, shape)],
      output: [port("y", outputType, outputShape)],
    },
  }).finish();
  const session = await ort.InferenceSession.create(model);
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from(x), shape) });
  return [...y.data].map((value) => Number(value).toFixed(3)).join(" ");
}
const regression = (coefficients, targets) =>
  run(
    "LinearRegressor",
    [
      { name: "coefficients", type: 6, floats: coefficients },
      { name: "targets", type: 2, i: targets },
      { name: "post_transform", type: 3, s: text("LOGISTIC") },
    ],
    [1, 2],
    [1, 2],
    1,
    [1, targets],
  );
console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform}`);
const found = {
  one: await regression([1.5, 1], 1),
  two: await regression([1.5, 1, 0, 0], 2),
  labels: await run(
    "LabelEncoder",
    [
      { name: "keys_floats", type: 6, floats: [1, NaN] },
      { name: "values_int64s", type: 7, ints: [3, 4] },
    ],
    [1, NaN, 2],
    [3],
    7,
    [3],
  ),
};
console.log(`LinearRegressor, LOGISTIC of 3.5: ${found.one} with one target, ${found.two} with two; expected 0.971`);
console.log(`LabelEncoder with the keys 1 and NaN for 3 and 4, of 1 NaN 2: ${found.labels}; expected 3 4 -1`);
const recorded = { one: "3.500", two: "0.971 0.500", labels: "3.000 -1.000 -1.000" };
const same = Object.entries(recorded).every(([name, value]) => found[name] === value);
console.log(same ? "as recorded" : `CHANGED: recorded were ${Object.values(recorded).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
