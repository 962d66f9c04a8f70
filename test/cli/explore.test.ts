import { mkdir, readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createRequire } from "node:module";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { VIEWS } from "../../explorer/src/address.js";
import { exploreCommandLine } from "../../src/cli/explorer-site.js";
import { EXPLORER_VIEWS } from "../../src/experiments/explorer-views.js";
import { explore, serveSite } from "../../src/cli/explore.js";
import { captured } from "./streams.js";
import { temporaryFolder } from "../support/folders.js";

async function servedSite(): Promise<string> {
  const site = await temporaryFolder();
  await mkdir(join(site, "assets"));
  await writeFile(join(site, "index.html"), "<title>a page</title>");
  await writeFile(join(site, "assets", "view-1a2B_3c4.js"), "export {};");
  const server = await serveSite(site, 0);
  onTestFinished(() => server.close());
  return server.url;
}

it("serves the files of the site, and ONNX Runtime's from its own package", async () => {
  const url = await servedSite();
  expect(await (await fetch(url)).text()).toBe("<title>a page</title>");
  expect(await (await fetch(`${url}?view=v1`)).text()).toBe("<title>a page</title>");
  const script = await fetch(`${url}assets/view-1a2B_3c4.js`);
  expect(script.headers.get("content-type")).toMatch(/javascript/);
  const program = await fetch(`${url}assets/ort-wasm-simd-threaded-DcHr_rb-.wasm`);
  expect(program.headers.get("content-type")).toBe("application/wasm");
  const runtime = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  const own = await readFile(join(runtime, "ort-wasm-simd-threaded.wasm"));
  expect(Buffer.from(await program.arrayBuffer()).equals(own)).toBe(true);
});

it("serves the weights of trained networks from the folder that the package has anyway", async () => {
  const weights = await fetch(`${await servedSite()}assets/komplexnet-digits2-Bkgdg2Az.safetensors`);
  const own = await readFile(new URL("../../pretrained/komplexnet-digits2.safetensors", import.meta.url));
  expect(Buffer.from(await weights.arrayBuffer()).equals(own)).toBe(true);
});

it("serves nothing else", async () => {
  const url = await servedSite();
  for (const path of [
    "package.json",
    "assets/ort.min.js",
    "assets/ort-wasm-none-12345678.wasm",
    "assets/none-12345678.safetensors",
    "assets/package-12345678.json",
    "%2e%2e/package.json",
  ])
    expect((await fetch(url + path)).status, path).toBe(404);
});

it("serves one network beside the page, to pages of this machine alone", async () => {
  const site = await temporaryFolder();
  await writeFile(join(site, "index.html"), "<title>a page</title>");
  const folder = await temporaryFolder();
  const model = join(folder, "my net & co.onnx");
  await writeFile(model, "a network");
  await writeFile(join(folder, "other.onnx"), "another");
  const server = await serveSite(site, 0, model);
  onTestFinished(() => server.close());
  expect(await (await fetch(`${server.url}network/my%20net%20%26%20co.onnx`)).text()).toBe("a network");
  expect((await fetch(`${server.url}network/other.onnx`)).status).toBe(404);
  // A page of another site can lead its own name to this machine, and would otherwise read the network.
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const path = "/network/my%20net%20%26%20co.onnx";
    request(server.url, { path, headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(403);
});

it("says what is wrong with a network before it serves anything", async () => {
  const { streams } = captured();
  const open = (options: Parameters<typeof explore>[0]) => explore(options, streams);
  await expect(open({ port: 0, model: "net.pt" })).rejects.toThrow(
    'the network: expected a name that ends in .onnx, got "net.pt"',
  );
  await expect(open({ port: 0, model: "none.onnx" })).rejects.toThrow(
    '"none.onnx": expected a file that can be read, got ENOENT',
  );
  await expect(open({ port: 0, model: "none.onnx", view: "v1" })).rejects.toThrow(
    "--view: only the view predify opens a network, got v1",
  );
});

it("cannot be reached from other machines", async (context) => {
  const { port } = new URL(await servedSite());
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === "IPv4" && !address.internal);
  if (outside === undefined) return context.skip("this machine has no address but its own");
  await expect(fetch(`http://${outside.address}:${port}/`)).rejects.toThrow("fetch failed");
});

it("says what is wrong: no page, or a port that is taken", async () => {
  const empty = await temporaryFolder();
  await expect(serveSite(empty, 0)).rejects.toThrow(
    /the explorer: expected its page in .*, found none; in a clone of Striate, npm run explorer builds it/,
  );
  const { port } = new URL(await servedSite());
  await writeFile(join(empty, "index.html"), "");
  await expect(serveSite(empty, Number(port))).rejects.toThrow(
    `port ${port}: another program uses it; choose another port with --port`,
  );
});

it("knows the views of the page, and how to show one from a package or a clone", () => {
  expect(EXPLORER_VIEWS).toEqual(VIEWS);
  expect(exploreCommandLine("akorn", true)).toBe("striate explore --view akorn");
  expect(exploreCommandLine("akorn", false)).toBe("npm run explorer:show -- --view akorn");
});
