import { parentPort, workerData } from "node:worker_threads";
import { corrupt } from "./corrupt.js";
import type { CorruptionReply, CorruptionRequest, CorruptionThreadData } from "./pool-node.js";

const { tasks, options } = workerData as CorruptionThreadData;

function answer({ image, index }: CorruptionRequest): CorruptionReply {
  try {
    const images = tasks.map(({ name, severity }) => corrupt(image, name, severity, { ...options, index }));
    return { images };
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    return { error: message, name };
  }
}

parentPort?.on("message", (request: CorruptionRequest) => {
  const reply = answer(request);
  const buffers = "images" in reply ? reply.images.map(({ data }) => data.buffer as ArrayBuffer) : [];
  parentPort?.postMessage(reply, buffers);
});
