/*
 * What runs in the worker of a page. A worker cannot be handed a loaded module, so it loads onnxruntime-web itself.
 */
import type { WebRuntimeOptions } from "./web.js";
import { createWebRuntime } from "./web.js";
import type { Channel } from "./worker-messages.js";
import { serveRuntime } from "./worker-server.js";
import type { WebFacts } from "./worker-web.js";

/** What is used of a worker's global scope, which TypeScript's types for pages lack. */
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
