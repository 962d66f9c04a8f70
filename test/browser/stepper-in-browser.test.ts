import { describe, expect, it } from "vitest";
import { nodeRuntime } from "striate/node";
import { bundlePage } from "./bundle.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";
import type { WatchedSteps } from "./pages/steps.js";
import { watchedSteps } from "./pages/steps.js";

interface Watched extends WatchedSteps {
  readonly locations: readonly string[][];
}

async function inBrowser(device: "wasm" | "webgpu"): Promise<Watched> {
  const url = await serveFolder(await bundlePage("step.ts"));
  const { result, problems } = await openPage(`${url}?device=${device}`, { webgpu: device === "webgpu" });
  const watched = await result<Watched>("watched");
  expect(problems).toEqual([]);
  return watched;
}

function expectSame(found: WatchedSteps, expected: WatchedSteps, tolerance: number): void {
  for (const name of ["logits", "phases"] as const) {
    expect(found[name]).toHaveLength(6);
    found[name].forEach((values, t) => {
      const gaps = values.map((value, i) => Math.abs(value - expected[name][t]![i]!));
      expect(Math.max(...gaps), `${name} at ${t}`).toBeLessThan(tolerance);
    });
  }
  expect(found.state).toEqual(found.phases[5]);
}

describe("a stepper in a browser", () => {
  it("gives the numbers of Node on WebAssembly", async (context) => {
    needsChromium(context);
    expectSame(await inBrowser("wasm"), await watchedSteps(nodeRuntime), 1e-4);
  });

  it("gives them on WebGPU, where the state stays on the device between steps", async (context) => {
    needsChromium(context);
    const watched = await inBrowser("webgpu");
    expectSame(watched, await watchedSteps(nodeRuntime), 1e-3);
    // The first step is fed the draws; the last run is the one that reads the state.
    const [first, ...later] = watched.locations.slice(0, 6);
    expect(first).toContain("oscillators: cpu");
    expect(later).toHaveLength(5);
    for (const feeds of later) {
      expect(feeds).toContain("oscillators: gpu-buffer");
      expect(feeds).toContain("activity.hidden: gpu-buffer");
      expect(feeds).toContain("images: cpu");
    }
  });
});
