import { describe, expect, it } from "vitest";
import { runTypescript } from "../support/child.js";
import { runStep, tasks } from "./recomputed-step.js";

describe("a training step that recomputes timesteps", () => {
  it.each(Object.keys(tasks))("of %s gives the same loss and the same parameters", async (name) => {
    const [kept, recomputed] = [
      await runStep(tasks[name]!(4), 4, false),
      await runStep(tasks[name]!(4), 4, true),
    ];
    expect(Object.keys(recomputed)).toEqual(Object.keys(kept));
    for (const [output, expected] of Object.entries(kept)) {
      const scale = Math.max(...expected.map(Math.abs), 1e-6);
      const error = Math.max(...expected.map((value, i) => Math.abs(value - recomputed[output]![i]!)));
      expect(error / scale, output).toBeLessThan(1e-5);
    }
  });

  it("needs less than half of the memory", async () => {
    const peak = async (mode: "keep" | "recompute") => {
      const child = runTypescript(new URL("./recompute-child.ts", import.meta.url), [mode]);
      const line = await child.nextLine();
      const { status, errors } = await child.ended();
      expect(errors, errors).not.toMatch(/Error/);
      expect(status).toBe(0);
      return Number(line);
    };
    const [kept, recomputed] = [await peak("keep"), await peak("recompute")];
    console.log(`peak memory: ${Math.round(kept)} MiB, with recomputation ${Math.round(recomputed)} MiB`);
    expect(recomputed).toBeLessThan(0.5 * kept);
  });
});
