import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A folder that serves one page of `pages/`, bundled by esbuild from the built package. Removed with the test. */
export async function bundlePage(name: string): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "striate-page-"));
  onTestFinished(() => rm(out, { recursive: true, force: true }));
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
