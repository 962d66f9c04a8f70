import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

const bundles = new Map<string, Promise<string>>();
afterAll(async () => {
  for (const folder of bundles.values()) await rm(await folder, { recursive: true, force: true });
});

/**
 * A folder that serves one page of `pages/`, bundled by esbuild from the built package, once for a test file, whose
 * tests must not change it.
 */
export function bundlePage(name: string): Promise<string> {
  let bundle = bundles.get(name);
  if (bundle === undefined) {
    bundle = bundleInto(name);
    bundles.set(name, bundle);
  }
  return bundle;
}

async function bundleInto(name: string): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "striate-page-"));
  await build({
    // The worker's script belongs beside the page's, under this name.
    entryPoints: { page: join(root, "test/browser/pages", name), "worker-thread-web": "striate/worker" },
    absWorkingDir: root,
    outdir: out,
    bundle: true,
    format: "esm",
    splitting: true,
    logLevel: "error",
  });
  // esbuild leaves files that scripts name by their address to whoever serves the page.
  const dist = join(root, "node_modules/onnxruntime-web/dist");
  const wasm = (await readdir(dist)).filter((file) => file.endsWith(".wasm"));
  await Promise.all(wasm.map((file) => symlink(join(dist, file), join(out, file))));
  const html =
    '<!doctype html><meta charset="utf-8"><title>Striate</title><script type="module" src="./page.js"></script>';
  await writeFile(join(out, "index.html"), html);
  return out;
}
