#!/bin/sh
# A person would expect a convolution in groups to give every output channel the input of its own group, on every device.
# Instead, on WebGPU, four neighbouring output channels are computed at once (two if their number is even, but no multiple of 4),
# all from the group of the first: with two groups of six channels, channels 7 and 8 read the first group's input. It happens
# without an error to groups of five or more output channels that such a four or two overlaps.
# Seen with onnxruntime-node 1.30.0, the software WebGPU of Debian's Chromium 156, Linux x64; "onnxruntime-web/webgpu" 1.30.0 gives
# the same numbers in Chromium.
# It matters for networks with grouped convolutions whose widths are scaled, or of which each group is a module of its own: the
# groups mix on one device only. Fill every group up to a multiple of 4, or run the groups one by one.
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

/** Every output channel adds the input channels of its group: 1 in the first group, 2 in the second and so on. */
function model(groups, width) {
  const port = (name, channels) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: [1, channels, 1, 1].map((dimValue) => ({ dimValue })) } } },
  });
  const channels = groups * width;
  return proto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 18 }],
    graph: {
      name: "grouped",
      node: [
        {
          opType: "Conv",
          input: ["x", "w"],
          output: ["y"],
          attribute: [
            { name: "kernel_shape", type: 7, ints: [1, 1] },
            { name: "group", type: 2, i: groups },
          ],
        },
      ],
      initializer: [{ name: "w", dims: [channels, 1, 1, 1], dataType: 1, floatData: Array(channels).fill(1) }],
      input: [port("x", groups)],
      output: [port("y", channels)],
    },
  }).finish();
}

async function run(groups, width, provider) {
  const session = await ort.InferenceSession.create(model(groups, width), { executionProviders: [provider] });
  const x = Float32Array.from({ length: groups }, (_, i) => i + 1);
  const { y } = await session.run({ x: new ort.Tensor("float32", x, [1, groups, 1, 1]) });
  return [...y.data].join(" ");
}

console.log(`onnxruntime-node ${ort.env.versions.node}, ${process.platform} ${process.arch}`);
const recorded = [
  [2, 3, "1 1 1 2 2 2"],
  [2, 5, "1 1 1 1 1 1 2 2 2 2"],
  [2, 6, "1 1 1 1 1 1 1 1 2 2 2 2"],
  [4, 5, "1 1 1 1 1 1 1 1 2 2 2 2 3 3 3 3 4 4 4 4"],
  [2, 8, "1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2"],
];
let same = true;
for (const [groups, width, seen] of recorded) {
  const right = Array.from({ length: groups * width }, (_, i) => Math.floor(i / width) + 1).join(" ");
  const [cpu, gpu] = [await run(groups, width, "cpu"), await run(groups, width, "webgpu")];
  console.log(`${groups} groups of ${width} output channels: CPU ${cpu}; WebGPU ${gpu === cpu ? "the same" : gpu}`);
  same &&= cpu === right && gpu === seen;
}
console.log(same ? "as recorded" : `CHANGED: recorded on WebGPU were ${recorded.map(([, , seen]) => seen).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
LD_LIBRARY_PATH=$(dirname "$driver") VK_ICD_FILENAMES=$driver XDG_RUNTIME_DIR=/tmp node run.mjs
