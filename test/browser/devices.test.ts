import { describe, expect, it } from "vitest";
import { nodeRuntime } from "striate/node";
import { bundlePage } from "./bundle.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";
import { answers, losses } from "./pages/losses.js";

/** The largest difference between two rows of numbers. */
const furthest = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe("in Chromium, on WebGPU", () => {
  it("training and an exported network of 15 timesteps give what they give in Node", async (context) => {
    needsChromium(context);
    const url = await serveFolder(await bundlePage("train.ts"));
    const { result, problems } = await openPage(`${url}?device=webgpu&answers`, { webgpu: true });
    const came = await result<{ losses: number[]; answers: number[] }>("results");
    expect(await result("device")).toBe("webgpu");
    expect(problems).toEqual([]);
    expect(furthest(came.losses, await losses(nodeRuntime))).toBeLessThan(1e-3);
    const expected = await answers(nodeRuntime);
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
    expect(furthest(came.answers, expected)).toBeLessThan(1e-3);
  });
});
