import { readdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

/** Writes the service worker, which keeps every file of the site: after the first visit it works without a network. */
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
      await writeFile(join(out, "offline.js"), serviceWorker(files));
    },
  };
}

/** File names carry the digest of their content, so that their list names the version. */
const serviceWorker = (files: readonly string[]): string => `const FILES = ${JSON.stringify(files)};
const VERSION = "striate-explorer-" + FILES.join().split("").reduce((h, c) => (h * 31 + c.charCodeAt(0)) | 0, 7);
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
  build: { outDir: "../explorer-site", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
});
