import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KomplexNet, KomplexNetTask, Random, initialState, openStepper } from "../../src/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { chromiumPath, openPage } from "./package-page.js";
import type { WatchedSteps } from "./page-steps.js";
import { watchLocations, watchedSteps } from "./page-steps.js";

interface Watched extends WatchedSteps {
  readonly locations: readonly string[][];
}

/** SwiftShader, a WebGPU that needs no graphics card. */
const SOFTWARE_GPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--ignore-gpu-blocklist",
];

const module = (device: string) => `
import * as striate from "/dist/index.js";
import * as ort from "onnxruntime-web";
const locations = (${watchLocations.toString()})(ort.InferenceSession);
const watched = await (${watchedSteps.toString()})(striate, striate.webRuntime, "${device}");
window.watched = { ...watched, locations };`;

async function inBrowser(device: "wasm" | "webgpu"): Promise<Watched> {
  const { page, problems } = await openPage(
    module(device),
    device === "webgpu" ? SOFTWARE_GPU : ["--disable-gpu"],
  );
  await page.waitForFunction("window.watched", undefined, { timeout: 120_000 });
  expect(problems).toEqual([]);
  return page.evaluate<Watched>("window.watched");
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

const parts = { KomplexNet, KomplexNetTask, Random, initialState, openStepper };

describe("a stepper in a browser", () => {
  it("gives the numbers of Node on WebAssembly", async (context) => {
    if (chromiumPath === undefined) {
      console.log("skipped: no Chromium found (set CHROMIUM_PATH) to step in");
      context.skip();
    }
    expectSame(await inBrowser("wasm"), await watchedSteps(parts, nodeRuntime, "cpu"), 1e-4);
  });

  it("gives them on WebGPU, where the state stays on the device between steps", async (context) => {
    if (chromiumPath === undefined || !existsSync("/usr/lib/chromium/vk_swiftshader_icd.json")) {
      console.log("skipped: no Chromium with a software WebGPU found to step in");
      context.skip();
    }
    const watched = await inBrowser("webgpu");
    expectSame(watched, await watchedSteps(parts, nodeRuntime, "cpu"), 1e-3);
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
