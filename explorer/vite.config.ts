import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

/**
 * Writes the service worker, which caches every file of the site, so that it works without a network after the first
 * visit.
 */
function offline(): Plugin {
  let out = "";
  return {
    name: "offline",
    apply: "build",
    configResolved(config) {
      out = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(out, { recursive: true, withFileTypes: true });
      const files = entries
        .filter(
          (entry) =>
            entry.isFile() && entry.name !== "offline.js" && !/jspi|asyncify|webgpu/.test(entry.name),
        )
        .map((entry) => relative(out, join(entry.parentPath, entry.name)))
        // The page itself is kept under its folder's address.
        .map((path) => (path === "index.html" ? "./" : `./${path}`))
        .sort();
      const digest = createHash("sha256");
      for (const file of files) digest.update(await readFile(join(out, file === "./" ? "index.html" : file)));
      await writeFile(join(out, "offline.js"), serviceWorker(files, digest.digest("hex").slice(0, 16)));
    },
  };
}

/**
 * @param version hash of the content of all files; if it changes, the site is cached again and the old cache is removed
 */
const serviceWorker = (
  files: readonly string[],
  version: string,
): string => `const FILES = ${JSON.stringify(files)};
const VERSION = "striate-explorer-${version}";
addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("striate-explorer-") && name !== VERSION);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => clients.claim()));
});
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request)));
});
`;

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [offline()],
  worker: { format: "es" },
  build: {
    outDir: "../explorer-site",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
