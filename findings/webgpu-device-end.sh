#!/bin/sh
# A person would expect the GPU device that onnxruntime-web hands out (env.webgpu.device, for pages that draw with the same
# device) to live as long as the page, or until the page destroys it.
# Instead it is destroyed with the last session that is released: device.lost resolves with the reason "destroyed". The next
# session gets another device, and env.webgpu.device changes.
# Seen with onnxruntime-web 1.30.0 ("onnxruntime-web/webgpu"), Debian's Chromium 156 with its software WebGPU, Linux x64.
# It matters for pages that keep the device for their own buffers and pipelines, or listen for its loss: closing one network
# before the next is opened ends all of these. Keep one session open, or fetch the device again after each.
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

const port = (name) => ({ name, type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } } });
const model = proto.onnx.ModelProto.encode({
  irVersion: 8,
  opsetImport: [{ domain: "", version: 18 }],
  graph: {
    name: "negative",
    node: [{ opType: "Neg", input: ["x"], output: ["y"] }],
    input: [port("x")],
    output: [port("y")],
  },
}).finish();

const page = (build) => `<!doctype html><script type="module">
import * as ort from "/node_modules/onnxruntime-web/dist/${build}";
const model = Uint8Array.from(atob("${Buffer.from(model).toString("base64")}"), (c) => c.charCodeAt(0));
const open = () => ort.InferenceSession.create(model, { executionProviders: ["webgpu"] });
try {
  const [first, second] = [await open(), await open()];
  const device = await ort.env.webgpu.device;
  let reason = "still there";
  device.lost.then((loss) => (reason = loss.reason));
  const later = () => new Promise((resolve) => setTimeout(resolve, 500));
  await first.release();
  await later();
  const afterFirst = reason;
  await second.release();
  await later();
  const afterLast = reason;
  await open();
  const next = (await ort.env.webgpu.device) === device ? "the same" : "another";
  window.answer = "after the first release " + afterFirst + ", after the last " + afterLast + ", then " + next;
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
const tab = await browser.newPage();
await tab.goto(`http://127.0.0.1:${server.address().port}/page/ort.webgpu.bundle.min.mjs`);
await tab.waitForFunction("window.answer !== undefined", undefined, { timeout: 120000 });
const answer = await tab.evaluate("window.answer");
console.log(`the device: ${answer}`);
await browser.close();
server.close();
const recorded = "after the first release still there, after the last destroyed, then another";
const same = answer === recorded;
console.log(same ? "as recorded" : `CHANGED: recorded was "${recorded}"`);
process.exitCode = same ? 0 : 1;
END
node run.mjs "$chromium"
