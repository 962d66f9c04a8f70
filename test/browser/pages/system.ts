import { createWebRuntime } from "striate";
import type { SystemRun } from "./systems.js";
import { SYSTEMS, runSystem } from "./systems.js";

export interface RunOnDevice {
  readonly run?: SystemRun;
  readonly failed?: string;
  readonly seconds: number;
}

declare global {
  interface Window {
    systems?: Readonly<Record<string, RunOnDevice>>;
    failed?: string;
  }
}

async function main(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const device = query.get("device") === "webgpu" ? "webgpu" : "wasm";
  const runtime = await createWebRuntime({ device });
  const found: Record<string, RunOnDevice> = {};
  for (const name of query.get("system")?.split(",") ?? Object.keys(SYSTEMS)) {
    const began = performance.now();
    const done = await runSystem(runtime, name).then(
      (run) => ({ run }),
      (error: unknown) => ({ failed: String(error) }),
    );
    found[name] = { ...done, seconds: (performance.now() - began) / 1000 };
  }
  window.systems = found;
}

main().catch((error: unknown) => {
  window.failed = String(error);
});
