#!/bin/sh
# A person would expect a graph of which every operator runs on a device to stay on that device, the more so if optimisations of
# graphs are switched off.
# Instead, on WebGPU, ONNX Runtime replaces two Transposes of floats in front of a comparison by one Transpose of its booleans,
# also with graphOptimizationLevel "disabled", and has no WebGPU kernel for booleans: the new node runs on the CPU, and values
# are copied there and back. With one Transpose in front of the comparison everything stays on the GPU.
# Seen with onnxruntime-node 1.30.0, the software WebGPU of Debian's Chromium 156, Linux x64.
# It matters because such copies happen in every timestep of an unrolled network, and nothing says so. The setting
# session.disable_cpu_ep_fallback makes an error of it, which is how this script tells.
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
import * as ort from "onnxruntime-node";
import proto from "onnx-proto";

const port = (name, [rows, columns]) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: rows }, { dimValue: columns }] } } },
});
const turn = (from, to) => ({
  opType: "Transpose",
  input: [from],
  output: [to],
  attribute: [{ name: "perm", type: 7, ints: [1, 0] }],
});

/** y = where(left < right, a, b), the first `turned` of left and right transposed before. */
function model(turned) {
  const sides = ["left", "right"];
  const node = [
    ...sides.slice(0, turned).map((side) => turn(side, `${side}.turned`)),
    { opType: "Less", input: sides.map((side, i) => (i < turned ? `${side}.turned` : side)), output: ["less"] },
    { opType: "Where", input: ["less", "a", "b"], output: ["y"] },
  ];
  const input = [
    ...sides.map((side, i) => port(side, i < turned ? [2, 3] : [3, 2])),
    port("a", [3, 2]),
    port("b", [3, 2]),
  ];
  const graph = { name: "compare", node, input, output: [port("y", [3, 2])] };
  return proto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: "", version: 18 }], graph }).finish();
}

async function place(turned, graphOptimizationLevel) {
  try {
    await ort.InferenceSession.create(model(turned), {
      executionProviders: ["webgpu"],
      graphOptimizationLevel,
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
    return "GPU";
  } catch (error) {
    if (/assigned to the default CPU EP/.test(error.message)) return "partly CPU";
    throw error;
  }
}

console.log(`onnxruntime-node 1.30.0, ${process.platform} ${process.arch}`);
const found = [];
for (const level of ["disabled", "all"])
  for (const turned of [0, 1, 2]) {
    const where = await place(turned, level);
    console.log(`optimisation ${level}, ${turned} Transposes before the comparison: ${where}`);
    found.push(where);
  }
const seen = ["GPU", "GPU", "partly CPU", "GPU", "GPU", "partly CPU"];
if (found.join() !== seen.join()) {
  console.log(`changed: seen before was ${seen.join(", ")}`);
  process.exitCode = 1;
}
END
LD_LIBRARY_PATH=$(dirname "$driver") VK_ICD_FILENAMES=$driver XDG_RUNTIME_DIR=/tmp node run.mjs
