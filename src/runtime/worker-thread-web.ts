/*
 * The script of a page's worker. A page cannot pass a loaded module to a worker, so the worker loads onnxruntime-web
 * itself.
 */
import type { WebRuntimeOptions } from "./web.js";
import { createWebRuntime } from "./web.js";
import type { Channel } from "./worker-messages.js";
import { serveRuntime } from "./worker-server.js";
import type { WebFacts } from "./worker-web.js";

/** The part of a worker's global scope that is used here; TypeScript's types for pages lack it. */
interface WorkerScope {
  postMessage(message: unknown, moved: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

const channel: Channel = {
  post: (message, moved = []) => {
    scope.postMessage(message, moved);
  },
  listen: (listener) => {
    scope.addEventListener("message", ({ data }) => {
      listener(data);
    });
  },
};

serveRuntime(channel, async (setup) => {
  const runtime = await createWebRuntime(setup as WebRuntimeOptions);
  const { device, measured } = runtime;
  return { runtime, facts: { device, ...(measured && { measured }) } satisfies WebFacts };
});
