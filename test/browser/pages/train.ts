import { createWebRuntime, train } from "striate";
import type { WebDevice } from "striate";
import { answers, losses, smallRun } from "./losses.js";

declare global {
  interface Window {
    results?: {
      readonly losses: number[];
      /** Answers of an exported network, if the address asks for them ("?answers"). */
      readonly answers: number[];
      /** Losses of `train` in a worker, if the address asks for them ("?worker"). */
      readonly inWorker: number[];
    };
    device?: string;
    failed?: string;
  }
}

async function inWorker(device: WebDevice): Promise<number[]> {
  const { task, data, recipe } = smallRun();
  const found: number[] = [];
  await train(task, data, { ...recipe, device, steps: 4, onProgress: ({ loss }) => found.push(loss!) });
  return found;
}

async function main(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const asked = query.get("device");
  const runtime = await createWebRuntime({ device: asked === "webgpu" || asked === "auto" ? asked : "wasm" });
  window.device = runtime.device;
  window.results = {
    losses: await losses(runtime),
    answers: query.has("answers") ? await answers(runtime) : [],
    inWorker: query.has("worker") ? await inWorker(runtime.device) : [],
  };
}

main().catch((error: unknown) => {
  window.failed = String(error);
});
