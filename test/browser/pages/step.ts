import * as wasm from "onnxruntime-web/wasm";
import * as webgpu from "onnxruntime-web/webgpu";
import { createWebRuntime } from "striate";
import type { WatchedSteps } from "./steps.js";
import { watchLocations, watchedSteps } from "./steps.js";

declare global {
  interface Window {
    watched?: WatchedSteps & { readonly locations: readonly string[][] };
    failed?: string;
  }
}

async function main(): Promise<void> {
  const device = location.search === "?device=webgpu" ? "webgpu" : "wasm";
  const ort = device === "webgpu" ? webgpu : wasm;
  const locations = watchLocations(ort.InferenceSession);
  const runtime = await createWebRuntime({ device, ort });
  window.watched = { ...(await watchedSteps(runtime)), locations };
}

main().catch((error: unknown) => {
  window.failed = String(error);
});
