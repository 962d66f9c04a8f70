#!/bin/sh
# A person would expect an operator that a device cannot run to raise an error, or to run elsewhere.
# Instead, on WebGPU, the default build of onnxruntime-web joins sixteen tensors (Concat) into zeros, without an error: its
# shader would bind more storage buffers than the eight that a WebGPU device allows by default. The build
# "onnxruntime-web/webgpu" of the same version gives the right numbers.
# Seen with onnxruntime-web 1.30.0, Debian's Chromium 156 with its software WebGPU, Linux x64.
# It matters because networks that collect an answer for every timestep end in such a Concat: all answers are 0, and training
# goes on with a gradient of 0. Import "onnxruntime-web/webgpu", or join a few tensors at a time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
chromium=${CHROMIUM_PATH:-/usr/bin/chromium}
[ -x "$chromium" ] || { echo "needs Chromium (set CHROMIUM_PATH)"; exit 2; }
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts onnxruntime-web@1.30.0 onnx-proto@8.0.1 \
  playwright-core@1.65.1 > npm.log
cat > run.mjs <<'END'
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import proto from "onnx-proto";
import { chromium } from "playwright-core";

const COUNT = 16;
const port = (name, length) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: length }] } } },
});
const names = Array.from({ length: COUNT }, (_, i) => `x${i}`);
const model = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "join",
    node: [{ opType: "Concat", input: names, output: ["y"], attribute: [{ name: "axis", type: 2, i: 0 }] }],
    input: names.map((name) => port(name, 1)),
    output: [port("y", COUNT)],
  },
}).finish();

const page = (build) => `<!doctype html><script type="module">
import * as ort from "/node_modules/onnxruntime-web/dist/${build}";
const model = Uint8Array.from(atob("${Buffer.from(model).toString("base64")}"), (c) => c.charCodeAt(0));
try {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["webgpu"] });
  const feeds = {};
  for (let i = 0; i < ${COUNT}; i++) feeds["x" + i] = new ort.Tensor("float32", [i + 1], [1]);
  window.answer = [...(await session.run(feeds)).y.data].join(" ");
} catch (error) {
  window.answer = "error: " + error;
}
</script>`;
const types = { mjs: "text/javascript", wasm: "application/wasm" };
const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  if (path.startsWith("/page/")) response.setHeader("content-type", "text/html").end(page(path.slice(6)));
  else if (existsSync(`.${path}`)) {
    response.setHeader("content-type", types[path.split(".").at(-1)] ?? "text/plain");
    createReadStream(`.${path}`).pipe(response);
  } else response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const flags = [
  ...["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-unsafe-webgpu"],
  ...["--ignore-gpu-blocklist", "--enable-gpu", "--enable-features=Vulkan", "--use-vulkan=swiftshader"],
];
const browser = await chromium.launch({ executablePath: process.argv[2], args: flags });
console.log(`Chromium ${browser.version()}, onnxruntime-web 1.30.0, ${process.platform} ${process.arch}`);
const answers = [];
for (const build of ["ort.bundle.min.mjs", "ort.webgpu.bundle.min.mjs"]) {
  const tab = await browser.newPage();
  await tab.goto(`http://127.0.0.1:${server.address().port}/page/${build}`);
  await tab.waitForFunction("window.answer !== undefined", undefined, { timeout: 120000 });
  answers.push(await tab.evaluate("window.answer"));
  console.log(`${build}: ${answers.at(-1)}`);
}
await browser.close();
server.close();
const zeros = Array(COUNT).fill(0).join(" ");
const right = Array.from({ length: COUNT }, (_, i) => i + 1).join(" ");
const same = answers[0] === zeros && answers[1] === right;
console.log(same ? "as recorded" : "CHANGED: recorded were zeros without an error, and the right numbers");
process.exitCode = same ? 0 : 1;
END
node run.mjs "$chromium"
