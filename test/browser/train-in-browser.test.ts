import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { KomplexNet, KomplexNetTask, Trainer } from "../../src/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { pageTask } from "./page-task.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);

/** Bare names as a browser needs them; a bundler does the same. Nothing of Node is among them. */
const IMPORTS = {
  "@bufbuild/protobuf": "/node_modules/@bufbuild/protobuf/dist/esm/index.js",
  "@bufbuild/protobuf/codegenv2": "/node_modules/@bufbuild/protobuf/dist/esm/codegenv2/index.js",
  "is-any-array": "/node_modules/is-any-array/lib/index.js",
  "ml-array-max": "/node_modules/ml-array-max/lib/index.js",
  "ml-array-min": "/node_modules/ml-array-min/lib/index.js",
  "ml-array-rescale": "/node_modules/ml-array-rescale/lib/index.js",
  "ml-matrix": "/node_modules/ml-matrix/src/index.js",
  "onnxruntime-common": "/node_modules/onnxruntime-common/dist/esm/index.js",
  "onnxruntime-web": "/node_modules/onnxruntime-web/dist/ort.bundle.min.mjs",
  "pure-rand/": "/node_modules/pure-rand/lib/esm/",
  "smol-toml": "/node_modules/smol-toml/dist/index.js",
};

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html",
};

/** Serves the built package and its dependencies to this machine alone. */
async function serve(): Promise<string> {
  const page = `<!doctype html><title>Striate</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">
import * as striate from "/dist/index.js";
window.losses = (${pageTask.toString()})(striate);
</script>`;
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? "/").split("?")[0]!));
    const file = `${root}${path.endsWith("/") || extname(path) !== "" ? path : `${path}.js`}`;
    if (path === "/") response.writeHead(200, { "content-type": "text/html" }).end(page);
    else if (/^\/(dist|node_modules)\//.test(path) && existsSync(file)) {
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(response);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe("the package in a browser", () => {
  it("trains the same network to the same losses as in Node", async (context) => {
    if (executablePath === undefined) {
      console.log("skipped: no Chromium found (set CHROMIUM_PATH) to train in");
      context.skip();
      return;
    }
    const url = await serve();
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
    page.on("response", (response) => {
      if (response.status() >= 400 && !response.url().endsWith("favicon.ico"))
        problems.push(`${response.url()}: ${response.status()}`);
    });
    await page.goto(url);
    await page.waitForFunction("window.losses", undefined, { timeout: 90_000 });
    const losses = await page.evaluate<number[]>("window.losses");
    expect(problems).toEqual([]);
    const expected = await pageTask({ KomplexNet, KomplexNetTask, Trainer, runtime: nodeRuntime });
    expect(losses).toHaveLength(4);
    losses.forEach((loss, step) => {
      expect(loss).toBeCloseTo(expected[step]!, 3);
    });
  });
});
