import { describe, expect, it } from "vitest";
import { nodeRuntime } from "striate/node";
import { bundlePage } from "./bundle.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";
import type { RunOnDevice } from "./pages/system.js";
import { SYSTEMS, runSystem } from "./pages/systems.js";
import { expectSame } from "./same-run.js";

describe("every system trains and answers in Chromium as in Node", () => {
  it("on WebAssembly", async (context) => {
    needsChromium(context);
    const { result, problems } = await openPage(await serveFolder(await bundlePage("system.ts")));
    const systems = await result<Record<string, RunOnDevice>>("systems");
    expect(problems).toEqual([]);
    for (const name of Object.keys(SYSTEMS)) {
      const { run, failed } = systems[name]!;
      expect(failed, name).toBeUndefined();
      expectSame(run!, await runSystem(nodeRuntime, name), 1e-3);
    }
  });

  // One for all: each takes up to a minute and a half on a software driver if the machine is busy.
  it("on WebGPU: Predify", async (context) => {
    needsChromium(context);
    const url = await serveFolder(await bundlePage("system.ts"));
    const { result, problems } = await openPage(`${url}?device=webgpu&system=Predify`, { webgpu: true });
    const { run, failed } = (await result<Record<string, RunOnDevice>>("systems")).Predify!;
    expect(problems).toEqual([]);
    expect(failed).toBeUndefined();
    expectSame(run!, await runSystem(nodeRuntime, "Predify"), 1e-2);
  });
});
