import { workerData } from "node:worker_threads";
import { answerRequests } from "../../runtime/request-thread-node.js";
import { corrupt } from "./corrupt.js";
import type { CorruptionAnswer, CorruptionRequest, CorruptionThreadData } from "./pool-node.js";

const { tasks, options } = workerData as CorruptionThreadData;

answerRequests<CorruptionAnswer>(
  ({ image, index }: CorruptionRequest) =>
    tasks.map(({ name, severity }) => corrupt(image, name, severity, { ...options, index })),
  (images) => images.map(({ data }) => data.buffer as ArrayBuffer),
);
