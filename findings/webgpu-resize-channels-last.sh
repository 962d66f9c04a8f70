#!/bin/sh
# A person would expect Resize to enlarge those axes whose sizes change, wherever they stand: the standard says so, and pictures of
# TensorFlow come as [1, height, width, channels].
# Instead, on WebGPU, linear Resize of such a tensor enlarges the rows' width, leaves out the rows between, and fills the second
# half with zeros. Nothing is said. With the channels in front, and with mode "nearest", it is right.
# Seen with onnxruntime-node 1.30.0, the software WebGPU of Debian's Chromium 156, Linux x64. "onnxruntime-web/webgpu" 1.30.0 gives
# the same in Chromium; the default build of onnxruntime-web gives other wrong numbers.
# It matters because converters leave a preprocessing in NHWC at the start of a model: on a phone's GPU the lower half of every
# picture is black. Transpose before and after, or give Resize its sizes with the channels in front.
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
  type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
/** Enlarges a picture of 2 x 2 to 4 x 4. */
async function run(from, to, mode, provider) {
  const model = proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: {
      name: "enlarge",
      node: [
        {
          opType: "Resize",
          input: ["x", "", "", "sizes"],
          output: ["y"],
          attribute: [{ name: "mode", type: 3, s: Buffer.from(mode) }],
        },
      ],
      initializer: [{ name: "sizes", dims: [4], dataType: 7, int64Data: to }],
      input: [port("x", from)],
      output: [port("y", to)],
    },
  }).finish();
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from([0, 1, 2, 3]), from) });
  return [...y.data].join(" ");
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const right = "0 0.25 0.75 1 0.5 0.75 1.25 1.5 1.5 1.75 2.25 2.5 2 2.25 2.75 3";
const wrong = "0 0.25 0.75 1 2 2.25 2.75 3 0 0 0 0 0 0 0 0";
const blocks = "0 0 1 1 0 0 1 1 2 2 3 3 2 2 3 3";
const cases = [
  ["channels first, linear", [1, 1, 2, 2], [1, 1, 4, 4], "linear", right, right],
  ["channels last, linear", [1, 2, 2, 1], [1, 4, 4, 1], "linear", right, wrong],
  ["channels last, nearest", [1, 2, 2, 1], [1, 4, 4, 1], "nearest", blocks, blocks],
];
let same = true;
for (const [what, from, to, mode, onCpu, onGpu] of cases) {
  const [cpu, gpu] = [await run(from, to, mode, "cpu"), await run(from, to, mode, "webgpu")];
  console.log(`${what}: CPU ${cpu}; WebGPU ${gpu === cpu ? "the same" : gpu}`);
  same &&= cpu === onCpu && gpu === onGpu;
}
console.log(same ? "as recorded" : `CHANGED: recorded on WebGPU was ${wrong} for linear with the channels last`);
process.exitCode = same ? 0 : 1;
END
LD_LIBRARY_PATH=$(dirname "$driver") VK_ICD_FILENAMES=$driver XDG_RUNTIME_DIR=/tmp node run.mjs
