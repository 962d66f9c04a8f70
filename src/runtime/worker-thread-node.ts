import { parentPort } from "node:worker_threads";
import { freeBytes } from "./free-bytes-node.js";
import { nodeRuntime } from "./node.js";
import type { Channel } from "./worker-messages.js";
import { serveRuntime } from "./worker-server.js";

const channel: Channel = {
  post: (message, moved = []) => parentPort?.postMessage(message, moved),
  listen: (listener) => parentPort?.on("message", listener),
};

serveRuntime(channel, () => Promise.resolve({ runtime: nodeRuntime, freeModel: freeBytes }));
