#!/bin/sh
# A person would expect ConvTranspose with an output_shape to drop a surplus cell at the end, as TensorFlow's "same" does,
# and SAME_UPPER to be the transpose of Conv's SAME_UPPER, with stride x input cells, as the standard says.
# Instead output_shape without auto_pad drops it at the front (the standard does say so), as SAME_LOWER; and SAME_UPPER with
# a kernel shorter than the stride leaves out the last cells: 5 for an input of 3 and a stride of 2.
# Seen with onnxruntime-node 1.30.0, CPU provider, opset 11, Linux x64.
# It matters for decoders and upsampling layers: maps move by a pixel, or do not fit the skip connection. Write pads.
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

const strides = { name: "strides", type: 7, ints: [2] };

/** Inputs 1, 2, 3 with a stride of 2. */
async function transposed(kernel, attribute) {
  const shape = { dim: [1, 1, 3].map((dimValue) => ({ dimValue })) };
  const bytes = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 11 }],
    graph: {
      name: "transposed",
      node: [{ opType: "ConvTranspose", input: ["x", "w"], output: ["y"], attribute: [strides, ...attribute] }],
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape } } }],
      output: [{ name: "y", type: { tensorType: { elemType: 1 } } }],
      initializer: [{ name: "w", dataType: 1, dims: [1, 1, kernel.length], floatData: kernel }],
    },
  }).finish();
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1, 2, 3), [1, 1, 3]) });
  return y.data.join(" ");
}

const auto = (s) => ({ name: "auto_pad", type: 3, s: new TextEncoder().encode(s) });
const six = { name: "output_shape", type: 7, ints: [6] };
const long = [1, 10, 100];
console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const cases = [
  ["kernel of 3, nothing dropped", long, [], "1 10 102 20 203 30 300"],
  ["kernel of 3, output_shape 6", long, [six], "10 102 20 203 30 300"],
  ["kernel of 3, output_shape 6, SAME_UPPER", long, [six, auto("SAME_UPPER")], "1 10 102 20 203 30"],
  ["kernel of 1, SAME_UPPER (the standard: 1 0 2 0 3 0)", [1], [auto("SAME_UPPER")], "1 0 2 0 3"],
];
let same = true;
for (const [name, kernel, attribute, recorded] of cases) {
  const found = await transposed(kernel, attribute);
  console.log(`${name}: ${found}${found === recorded ? "" : ` (recorded: ${recorded})`}`);
  same &&= found === recorded;
}
console.log(same ? "as recorded" : "CHANGED: see above");
process.exitCode = same ? 0 : 1;
END
node run.mjs
