import { createWebRuntime } from "striate";
import { losses } from "./losses.js";

declare global {
  interface Window {
    losses?: number[];
    device?: string;
    failed?: string;
  }
}

async function main(): Promise<void> {
  const asked = new URLSearchParams(location.search).get("device");
  const runtime = await createWebRuntime({ device: asked === "webgpu" || asked === "auto" ? asked : "wasm" });
  window.device = runtime.device;
  window.losses = await losses(runtime);
}

main().catch((error: unknown) => {
  window.failed = String(error);
});
