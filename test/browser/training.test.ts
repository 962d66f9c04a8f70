import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { decodeCheckpoint } from "striate";
import { nodeRuntime, train } from "striate/node";
import { bundlePage } from "./bundle.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";
import { answersOf, smallRun } from "./pages/losses.js";
import type { Answer, Asked } from "./pages/training.js";

async function open(
  context: TestContext,
  options: { readonly webgpu?: boolean; readonly pages?: Readonly<Record<string, string>> } = {},
) {
  needsChromium(context);
  const url = await serveFolder(await bundlePage("training.ts"), options.pages);
  const { page, problems, result } = await openPage(url, options);
  await page.waitForFunction("window.training !== undefined");
  return { page, problems, result, url };
}

const ask = (page: Page, asked: Asked): Promise<Answer> =>
  page.evaluate((options) => window.training!.run(options), asked);

/** What the page says if a run fails. */
const failure = (page: Page, asked: Asked): Promise<string> =>
  page.evaluate(
    (options) =>
      window.training!.run(options).then(
        () => "it trained",
        (error: unknown) => String(error),
      ),
    asked,
  );

/** Losses of the same run in Node. */
async function lossesInNode(steps: number): Promise<number[]> {
  const { task, data, recipe } = smallRun();
  const losses: number[] = [];
  await train(task, data, { ...recipe, steps, onProgress: ({ loss }) => losses.push(loss!) });
  return losses;
}

function expectClose(found: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!), `number ${i}`).toBeLessThan(tolerance);
  });
}

describe("train in a page", () => {
  it("has the losses of Node, and exports a file that answers the same in Node", async (context) => {
    const { page, problems } = await open(context);
    const answer = await ask(page, { steps: 6, device: "wasm", answer: true });
    expect(problems).toEqual([]);
    expect(answer).toMatchObject({ step: 6, finished: true, device: "wasm", warnings: [] });
    expectClose(answer.losses, await lossesInNode(6), 1e-4);
    expectClose(answer.logits, await answersOf(nodeRuntime, Uint8Array.from(answer.model)), 1e-4);
  });

  it("goes on bit for bit after a reload in the middle of a step", async (context) => {
    const { page, problems } = await open(context);
    const whole = await ask(page, { steps: 12 });
    // A page that is left in the middle of a step.
    const left = page.evaluate((asked: Asked) => window.training!.run(asked), {
      steps: 12,
      folder: "runs/digits",
      checkpointEvery: 3,
    });
    left.catch(() => undefined);
    await page.waitForFunction("window.step >= 4");
    await page.reload();
    await page.waitForFunction("window.training !== undefined");
    const resumed = await ask(page, { steps: 12, folder: "runs/digits", resume: true, checkpointEvery: 3 });
    expect(resumed.losses.length).toBeLessThan(12);
    expect(resumed.losses).toEqual(whole.losses.slice(12 - resumed.losses.length));
    expect(resumed.checkpoint).toEqual(whole.checkpoint);
    // The files are those of Node's train: three checkpoints stay.
    const files = await page.evaluate(() => window.training!.files());
    expect(Object.keys(files).sort()).toEqual([
      "runs/digits/checkpoints/step-00000006.safetensors",
      "runs/digits/checkpoints/step-00000009.safetensors",
      "runs/digits/checkpoints/step-00000012.safetensors",
      "runs/digits/config.json",
      "runs/digits/metrics.jsonl",
    ]);
    const stored = decodeCheckpoint(Uint8Array.from(resumed.checkpoint));
    expect(stored).toMatchObject({ step: 12, seed: 5, config: { steps: 12, batchSize: 4, seed: 5 } });
    expect(files["runs/digits/checkpoints/step-00000012.safetensors"]).toBe(resumed.checkpoint.length);
    expect(problems).toEqual([]);
  });

  it("goes on bit for bit after an abort, from bytes, and after a pause", async (context) => {
    const { page, problems } = await open(context);
    const whole = await ask(page, { steps: 12 });
    const stopped = await ask(page, { steps: 12, abortAt: 5 });
    expect(stopped).toMatchObject({ step: 5, finished: false });
    const from = await ask(page, { steps: 12, from: stopped.checkpoint });
    expect(from.losses).toEqual(whole.losses.slice(5));
    expect(from.checkpoint).toEqual(whole.checkpoint);

    const paused = await ask(page, { steps: 12, pauseAt: 4 });
    expect(paused.pausedSteps).toBe(0);
    expect(paused.losses).toEqual(whole.losses);
    expect(problems).toEqual([]);
  });

  it("says in one sentence what a run cannot do, and what to do", async (context) => {
    const { page, url } = await open(context);
    const kept = { steps: 4, folder: "kept", checkpointEvery: 2 };
    const { checkpoint } = await ask(page, kept);
    expect(await failure(page, kept)).toMatch(/"kept" already holds a run\. Resume it, or choose another/);
    expect(await failure(page, { ...kept, resume: true, seed: 6 })).toMatch(
      /config\.json has seed = 5, this run 6/,
    );
    expect(await failure(page, { steps: 4, from: checkpoint, seed: 6 })).toMatch(/has seed = 5, this one 6/);
    expect(await failure(page, { steps: 4, from: checkpoint.slice(0, 50) })).toMatch(/checkpoint `from`/);
    expect(await failure(page, { ...kept, folder: "a/../b" })).toMatch(/expected names separated by "\/"/);

    // A damaged checkpoint is set aside.
    await page.evaluate(() => window.training!.damage("kept/checkpoints/step-00000004.safetensors"));
    const again = await ask(page, { ...kept, resume: true });
    expect(again.losses).toHaveLength(2);
    expect(again.checkpoint).toEqual(checkpoint);
    expect(again.warnings.join()).toMatch(/Skipped a damaged checkpoint/);

    // A second tab.
    const first = page.evaluate((asked: Asked) => window.training!.run(asked), {
      steps: 100_000,
      folder: "busy",
    });
    first.catch(() => undefined);
    await page.waitForFunction("window.step >= 1");
    const second = await page.context().newPage();
    await second.goto(url);
    await second.waitForFunction("window.training !== undefined");
    const busy = { steps: 100_000, folder: "busy", resume: true, abortAt: 1 };
    expect(await failure(second, busy)).toMatch(/"busy" is open in another tab of this site: close that tab/);
    // Another spelling of the folder is the same run.
    await expect(second.evaluate(() => window.training!.deleteRun("/busy/"))).rejects.toThrow(
      /open in another tab/,
    );
    await page.close();
    // No checkpoint had been written, so it begins again.
    expect(await ask(second, busy)).toMatchObject({ step: 1, finished: false });
    await second.evaluate(() => window.training!.deleteRun("busy"));
    expect(Object.keys(await second.evaluate(() => window.training!.files())).join()).not.toMatch(/busy/);
  });

  it("says so if the storage is full, or files of ONNX Runtime cannot be loaded", async (context) => {
    const { page, url } = await open(context, {
      pages: { "/html/ort.wasm": "<p>here", "/html/ort-wasm-simd-threaded.mjs": "<p>here" },
    });
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Storage.overrideQuotaForOrigin", { origin: new URL(url).origin, quotaSize: 10_000 });
    expect(await failure(page, { steps: 4, folder: "large" })).toMatch(
      /storage in the browser is full .*; remove old runs \(deleteRun\) or free space/,
    );
    await cdp.send("Storage.overrideQuotaForOrigin", { origin: new URL(url).origin });
    const serving = /: serve ort-wasm-simd-threaded\*\.wasm .* and give their address as wasmPaths/;
    for (const [wasmPaths, what] of [
      [{ wasm: "/nowhere/ort.wasm" }, /the server does not have the WebAssembly file/],
      [{ wasm: "/html/ort.wasm" }, /something else, such as an HTML page/],
      ["/nowhere/", /\/nowhere\/ort-wasm-simd-threaded\.mjs cannot be loaded/],
      ["/html/", /\/html\/ort-wasm-simd-threaded\.mjs cannot be loaded/],
    ] as const) {
      const said = await failure(page, { steps: 4, wasmPaths });
      expect(said).toMatch(what);
      expect(said).toMatch(serving);
    }
    expect(await failure(page, { steps: 4, threads: 2 })).toMatch(
      /threads: 2 threads need SharedArrayBuffer/,
    );
    expect(await failure(page, { steps: 4, device: "webgpu" })).toMatch(/WebGPU.*; use wasm/);
  });

  it("says so if the worker's script is not there", async (context) => {
    needsChromium(context);
    const { page } = await openPage("about:blank");
    await page.route("**/worker-thread-web.js", (route) => route.fulfill({ status: 404 }));
    await page.goto(await serveFolder(await bundlePage("training.ts")));
    await page.waitForFunction("window.training !== undefined");
    expect(await failure(page, { steps: 4 })).toMatch(
      /the worker cannot be loaded: serve worker-thread-web\.js beside/,
    );
  });

  it("leaves the page its frames, which training in the page itself does not", async (context) => {
    const { page } = await open(context);
    const [inPage, inWorker] = [
      await page.evaluate(() => window.training!.frames(2, false)),
      await page.evaluate(() => window.training!.frames(4, true)),
    ];
    const show = (milliseconds: number | undefined) => `${(milliseconds ?? 0).toFixed(0)} ms`;
    const { gaps, longTasks, longTasksBefore, steps, seconds } = inWorker;
    const frozen = Math.max(...inPage.longTasksBefore, ...inPage.longTasks);
    console.log(
      `${steps} steps in ${seconds.toFixed(1)} s; gaps between frames: median ${show(gaps[gaps.length >> 1])}, ` +
        `95 % below ${show(gaps[Math.floor(gaps.length * 0.95)])}, longest ${show(gaps.at(-1))}; ` +
        `tasks above 50 ms: ${longTasks.map(show).join(", ") || "none"}, before the first step ` +
        `${longTasksBefore.map(show).join(", ") || "none"}; longest without a worker ${show(frozen)}`,
    );
    // Other programs on the machine delay single frames too, so the bounds are on what is usual.
    expect(gaps[gaps.length >> 1]).toBeLessThan(50);
    expect(gaps[Math.floor(gaps.length * 0.95)]).toBeLessThan(150);
    const busy = longTasks.reduce((sum, length) => sum + length, 0) / 1000;
    expect(busy / seconds).toBeLessThan(0.25);
    expect(frozen).toBeGreaterThan(Math.max(0, ...longTasks));
  });

  it("is prepared in slices, between which the page draws", async (context) => {
    let [longest, whole] = [Infinity, Infinity];
    // Other programs only ever lengthen a task. A page for each: code that has run before is faster.
    for (let round = 0; round < 3 && longest >= whole / 3; round++) {
      const [control, { page }] = [await open(context), await open(context)];
      whole = Math.min(whole, await control.page.evaluate(() => window.training!.prepared()));
      const { longTasksBefore } = await page.evaluate(() => window.training!.frames(1, true));
      longest = Math.min(longest, Math.max(0, ...longTasksBefore));
    }
    console.log(
      `longest task before the first step ${longest.toFixed(0)} ms, all at once ${whole.toFixed(0)} ms`,
    );
    // Tracing, which is the user's own code, is one of the tasks.
    expect(longest).toBeLessThan(whole / 2);
  });

  it("trains on WebGPU as well", async (context) => {
    const { page } = await open(context, { webgpu: true });
    const answer = await ask(page, { steps: 2, device: "webgpu" });
    expect(answer).toMatchObject({ step: 2, finished: true, device: "webgpu" });
    expectClose(answer.losses, await lossesInNode(2), 1e-3);
  });
});
