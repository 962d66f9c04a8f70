import { createWebRuntime } from "striate";
import { answers, losses } from "./losses.js";

declare global {
  interface Window {
    results?: { readonly losses: number[]; readonly answers: number[] };
    device?: string;
    failed?: string;
  }
}

async function main(): Promise<void> {
  const asked = new URLSearchParams(location.search).get("device");
  const runtime = await createWebRuntime({ device: asked === "webgpu" || asked === "auto" ? asked : "wasm" });
  window.device = runtime.device;
  window.results = { losses: await losses(runtime), answers: await answers(runtime) };
}

main().catch((error: unknown) => {
  window.failed = String(error);
});
