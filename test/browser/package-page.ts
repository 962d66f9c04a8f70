import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { chromium } from "playwright-core";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Chromium on this machine, if there is one. */
export const chromiumPath = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
].find((path) => path !== undefined && existsSync(path));

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
};

/** Serves the built package and its dependencies to this machine alone, with one page that runs a module. */
async function serve(module: string): Promise<string> {
  const page = `<!doctype html><title>Striate</title>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">${module}</script>`;
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

/** A page of Chromium that runs a module. Its errors, and requests that failed, come with it. */
export async function openPage(
  module: string,
  flags: readonly string[],
): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  const url = await serve(module);
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: ["--no-sandbox", "--disable-background-networking", ...flags],
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
  return { page, problems };
}
