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

  it("needs less than half of the memory, and no more memory for the second step", async () => {
    const peak = async (mode: "keep" | "recompute", steps: number) => {
      const child = runTypescript(new URL("./recompute-child.ts", import.meta.url), [mode, String(steps)]);
      const line = await child.nextLine();
      const { status, errors } = await child.ended();
      expect(errors, errors).not.toMatch(/Error/);
      expect(status).toBe(0);
      return Number(line);
    };
    const [one, two, recomputed] = [await peak("keep", 1), await peak("keep", 2), await peak("recompute", 2)];
    console.log(
      `peak memory: ${Math.round(one)} MiB in one step, ${Math.round(two)} in two, recomputed ${Math.round(recomputed)}`,
    );
    expect(two).toBeLessThan(1.15 * one);
    expect(recomputed).toBeLessThan(0.5 * two);
  });
});
