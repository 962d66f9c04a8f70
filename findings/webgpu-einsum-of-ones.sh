#!/bin/sh
# A person would expect a letter of Einsum that stands for a length of 1 in one tensor and of 3 in another to be repeated, as in
# NumPy, in PyTorch and on the CPU; and three dots to broadcast, as the standard says they do.
# Instead, on WebGPU, the length 1 wins if it comes first: rows two and three are lost, in shape and in sums. If it comes second,
# they are zeros. No error in either case. Three dots with a length of 1 are an error at run time.
# Seen with onnxruntime-node 1.30.0, the software WebGPU of Debian's Chromium 156, Linux x64; both builds of onnxruntime-web 1.30.0
# give the zeros too, in Chromium.
# It matters for couplings of oscillators and attention with one key for all pictures of a batch: all pictures but the first get
# zeros. Expand the tensor first, or write MatMul and Mul, which broadcast on every device.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
driver=${VULKAN_DRIVER:-/usr/lib/chromium/vk_swiftshader_icd.json}
[ -f "$driver" ] || { echo "needs a Vulkan driver (set VULKAN_DRIVER; Debian's package chromium has one)"; exit 2; }
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 onnx-proto@8.0.1 > npm.log
cat > run.mjs <<'END'
import proto from "onnx-proto";
import * as ort from "onnxruntime-node";

const port = (name, dims) => ({
  name,
  type: { tensorType: { elemType: 1, shape: dims && { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
const one = { dims: [1, 2], data: [10, 20] };
const three = { dims: [3, 2], data: [1, 2, 3, 4, 5, 6] };
async function run(equation, a, b, provider) {
  const model = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: {
      name: "products",
      node: [
        {
          opType: "Einsum",
          input: ["a", "b"],
          output: ["y"],
          attribute: [{ name: "equation", type: 3, s: Buffer.from(equation) }],
        },
      ],
      input: [port("a", a.dims), port("b", b.dims)],
      output: [port("y")],
    },
  }).finish();
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 4 });
  const feed = ({ dims, data }) => new ort.Tensor("float32", Float32Array.from(data), dims);
  try {
    const { y } = await session.run({ a: feed(a), b: feed(b) });
    return `[${y.dims.join(" x ")}] ${[...y.data].join(" ")}`;
  } catch {
    return "an error";
  }
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const cases = [
  ["ij,ij->ij", one, three, "[3 x 2] 10 40 30 80 50 120", "[1 x 2] 10 40"],
  ["ij,ij->ij", three, one, "[3 x 2] 10 40 30 80 50 120", "[3 x 2] 10 40 0 0 0 0"],
  ["ij,ij->i", one, three, "[3] 50 110 170", "[1] 50"],
  ["...j,...j->...", one, three, "[3] 50 110 170", "an error"],
];
let same = true;
for (const [equation, a, b, onCpu, onGpu] of cases) {
  const [cpu, gpu] = [await run(equation, a, b, "cpu"), await run(equation, a, b, "webgpu")];
  console.log(`${equation} of [${a.dims.join(" x ")}] and [${b.dims.join(" x ")}]: CPU ${cpu}; WebGPU ${gpu}`);
  same &&= cpu === onCpu && gpu === onGpu;
}
console.log(same ? "as recorded" : `CHANGED: recorded on WebGPU were ${cases.map((row) => row[4]).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
LD_LIBRARY_PATH=$(dirname "$driver") VK_ICD_FILENAMES=$driver XDG_RUNTIME_DIR=/tmp node run.mjs
