import { parentPort, workerData } from "node:worker_threads";
import { freeBytes } from "./free-bytes-node.js";
import { nodeRuntime } from "./node.js";
import type { Channel } from "./worker-messages.js";
import { BUSY, ENDING } from "./worker-messages.js";
import { serveRuntime } from "./worker-server.js";

const counters = workerData as Int32Array;

function finished(): void {
  Atomics.sub(counters, BUSY, 1);
  Atomics.notify(counters, BUSY);
}

// Each request gets one answer.
const channel: Channel = {
  post: (message, moved = []) => {
    try {
      parentPort?.postMessage(message, moved);
    } finally {
      finished();
    }
  },
  listen: (listener) =>
    parentPort?.on("message", (message) => {
      Atomics.add(counters, BUSY, 1);
      if (Atomics.load(counters, ENDING) === 1) finished();
      else listener(message);
    }),
};

serveRuntime(channel, () => Promise.resolve({ runtime: nodeRuntime, freeModel: freeBytes }));
