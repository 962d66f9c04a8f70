import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { project } from "../support/packed.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

const TRAIN = `
import { KomplexNet, KomplexNetTask, MultiMnist, sceneData } from "striate";
import { train } from "striate/node";
const images = Uint8Array.from({ length: 20 * 784 }, (_, i) => (i % 28 > 11 && i % 28 < 16 && Math.abs((i % 784) - 392) < 140 ? 200 : 0));
const digits = { count: 20, width: 28, height: 28, images, labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10) };
const model = new KomplexNet({ timesteps: 2, hidden: 8, coupling: { size: 3 } });
const scenes = sceneData(new MultiMnist(digits, { count: 8, seed: 1 }));
try {
  const run = await train(new KomplexNetTask(model), scenes, { epochs: 1, batchSize: 4, seed: 1, device: process.argv[2] });
  console.log("trained", run.values.size > 0 && run.step);
} catch (error) {
  console.log(error.name + ": " + error.message);
}
process.exit(0);
`;
const LOAD = `
import { loadMnist, nodeDevices, readImage } from "striate/node";
const told = (work) => Promise.resolve().then(work).then((value) => console.log("fine"), (error) => console.log(error.name + ": " + error.message));
await told(() => nodeDevices());
await told(() => readImage(process.argv[2]));
await told(() => loadMnist("test", { fetch: "never" }));
`;

const absent = (what: string, name: string, install = name): string =>
  `${what}: expected the package ${name}, found none; install it: npm install ${install}`;
const NODE = absent("ONNX Runtime for Node", "onnxruntime-node");
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

describe("the packed library without optional peers", () => {
  it("names the package to install at its first use, in a thread, too", async () => {
    const { node, write, folder } = await project();
    const picture = await write("dot.png", "");
    await writeFile(picture, Buffer.from(PNG, "base64"));
    const train = await write("train.js", TRAIN);
    expect((await node([train, "cpu"])).out).toBe(`StriateError: ${NODE}\n`);
    expect((await node([train, "wasm"])).out).toBe(
      `StriateError: ${absent("ONNX Runtime for pages and the device wasm", "onnxruntime-web")}\n`,
    );
    const load = await write("load.js", LOAD);
    const lines = (await node([load, picture], { STRIATE_DATA: folder })).out.trimEnd().split("\n");
    expect(lines[0]).toBe(`StriateError: ${NODE}`);
    expect(lines[1]).toBe(`StriateError: ${absent("image files", "sharp")}`);
    expect(lines[2]).toMatch(
      /^StriateError: MNIST: expected t10k-images-idx3-ubyte .* in the folder .*mnist/,
    );
  });

  it("names it before a run begins, and prints help without it", async () => {
    const { node } = await project(["onnxruntime-node"]);
    const main = "node_modules/striate/dist/cli/main.js";
    const run = await node([main, "run", "sudoku", "--scale", "smoke"]);
    expect(run).toEqual({
      status: 1,
      out: "",
      err: `error: ${absent("charts of reports", "vega", "vega vega-lite")}\n`,
    });
    const help = await node([main, "--help"]);
    expect(help).toMatchObject({ status: 0, err: "" });
    expect((await (await project()).node([main, "explore", "--port", "0"])).err).toMatch(
      /^error: (?:the explorer: expected its page|ONNX Runtime for pages .* npm install onnxruntime-web)/,
    );
  });

  it("trains once the one package is there", async () => {
    const { node, write } = await project(["onnxruntime-node"]);
    expect(await node([await write("train.js", TRAIN), "cpu"])).toMatchObject({
      status: 0,
      out: "trained 2\n",
    });
  });

  it("refuses a version that does not fit, and two versions at once", async () => {
    const { node, write } = await project();
    const fake = (common: string, own: string) =>
      write(
        "node_modules/onnxruntime-node/index.js",
        `exports.env = { versions: { common: "${common}", node: "${own}" } };`,
      );
    const load = await write("load.js", LOAD);
    await write("node_modules/onnxruntime-node/package.json", '{ "version": "1.17.0", "main": "index.js" }');
    await fake("1.17.0", "1.17.0");
    expect((await node([load, "x.png"])).out).toMatch(
      /^StriateError: ONNX Runtime for Node: expected onnxruntime-node \^1\.30\.0, got 1\.17\.0; install it: npm install "onnxruntime-node@\^1\.30\.0"\n/,
    );
    await fake("1.31.0", "1.30.0");
    expect((await node([load, "x.png"])).out).toMatch(
      /^StriateError: ONNX Runtime for Node: expected onnxruntime-common 1\.30\.0, .* got 1\.31\.0; install one version of both/,
    );
  });

  it.each([
    ["in a page", "bundler", "esnext", []],
    ["in Node", "node16", "node16", ["--types", "node"]],
  ])(
    "type-checks strictly %s, declarations of packages included (%s)",
    async (where, resolution, module, types) => {
      const { node, write } = await project(["@types/node", "undici-types"]);
      const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
      const entries = Object.keys(exports).filter(
        (entry) => !entry.endsWith(".json") && (where === "in Node" || entry !== "./node"),
      );
      const imports = entries.map((entry, i) => `import * as e${i} from "striate${entry.slice(1)}";`);
      const used = `export const all = [${entries.map((_, i) => `e${i}`).join(", ")}];`;
      const file = await write("entries.mts", `${imports.join("\n")}\n${used}\n`);
      const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
      const strict = ["--strict", "--noEmit", "--skipLibCheck", "false", "--target", "es2022"];
      const lib = ["--lib", "es2023,dom,dom.iterable"];
      const way = ["--module", module, "--moduleResolution", resolution];
      // A page has no types of Node: without "types", TypeScript 6 reads none.
      const checked = await node([tsc, ...strict, ...lib, ...way, ...types, file]);
      expect(checked).toMatchObject({ status: 0, out: "" });
    },
  );

  it("is loaded by require", async () => {
    const { node } = await project();
    const { out } = await node(["-e", 'console.log(typeof require("striate").KomplexNet)']);
    expect(out).toBe("function\n");
  });
});
