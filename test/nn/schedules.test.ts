import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { constantRate, scheduleOf, withWarmUp } from "../../src/nn/schedules.js";
import { decodeSafetensors } from "../../src/util/safetensors.js";
import { distance } from "./support.js";

const rates = (config: Parameters<typeof scheduleOf>[0], steps: number) => {
  const schedule = scheduleOf(config);
  return Array.from({ length: steps }, (_, step) => schedule(step));
};

/** Expected values: torch.optim.lr_scheduler of PyTorch 1.13 from a rate of 0.5. */
describe("schedules", () => {
  it("cosine", () => {
    const expected = [0.5, 0.490211303, 0.461803399, 0.41755705, 0.361803399, 0.3, 0.238196601, 0.18244295];
    const got = rates({ type: "cosine", rate: 0.5, steps: 10, minimum: 0.1 }, 14);
    expect(distance(got.slice(0, 8), expected)).toBeLessThan(1e-8);
    expect(got.slice(10)).toEqual([0.1, 0.1, 0.1, 0.1]);
  });

  it("cosine with restarts", () => {
    const doubled = [0.5, 0.4, 0.2, 0.5, 0.473205081, 0.4, 0.3, 0.2, 0.126794919, 0.5, 0.493185165];
    expect(
      distance(
        rates({ type: "cosineWithRestarts", rate: 0.5, steps: 3, growth: 2, minimum: 0.1 }, 11),
        doubled,
      ),
    ).toBeLessThan(1e-8);
    const same = rates({ type: "cosineWithRestarts", rate: 0.5, steps: 3, minimum: 0.1 }, 7);
    expect(distance(same, [0.5, 0.4, 0.2, 0.5, 0.4, 0.2, 0.5])).toBeLessThan(1e-8);
  });

  it("steps and milestones", () => {
    const stepped = [0.5, 0.5, 0.5, 0.5, 0.15, 0.15, 0.15, 0.15, 0.045];
    expect(distance(rates({ type: "step", rate: 0.5, every: 4, factor: 0.3 }, 9), stepped)).toBeLessThan(
      1e-12,
    );
    const marked = [0.5, 0.5, 0.15, 0.15, 0.15, 0.15, 0.15, 0.045];
    const config = { type: "milestones", rate: 0.5, milestones: [2, 7], factor: 0.3 } as const;
    expect(distance(rates(config, 8), marked)).toBeLessThan(1e-12);
  });

  it("warm-up", () => {
    expect(rates({ type: "constant", rate: 1, warmUp: 4 }, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect(rates({ type: "constant", rate: 1 }, 2)).toEqual([1, 1]);
  });

  it("follows AKOrN's warm-up", (context) => {
    const file = new URL("../../../shared/goldens/akorn/lr_warmup.safetensors", import.meta.url);
    if (!existsSync(file)) return context.skip("the golden file lr_warmup is absent");
    const golden = decodeSafetensors(readFileSync(file)).tensors.get("output.lr")!;
    const schedule = withWarmUp(constantRate(0.01), 5, 2);
    const got = Array.from(golden.data as Float64Array, (_, step) => schedule(step));
    expect(distance(got, [...(golden.data as Float64Array)])).toBeLessThan(1e-12);
  });

  it("refuses values that make no sense", () => {
    expect(() => scheduleOf({ type: "cosine", rate: 1, steps: 0 })).toThrow(/at least 1, got 0/);
    expect(() => constantRate(NaN)).toThrow("learning rate: expected a number of at least 0, got NaN");
    expect(() => scheduleOf({ type: "exponential" } as never)).toThrow(/unknown schedule "exponential"/);
  });
});
