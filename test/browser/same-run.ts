import { expect } from "vitest";
import type { SystemRun } from "./pages/systems.js";

/** The largest difference, as a share of the largest number (at least 1). */
function gap(found: readonly number[], expected: readonly number[]): number {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) / largest;
}

/** Steps and answers of a system agree within a tolerance, relative where numbers are above 1. */
export function expectSame(found: SystemRun, expected: SystemRun, tolerance: number): void {
  expect(gap(found.steps, expected.steps), "losses and norms of gradients").toBeLessThan(tolerance);
  expect(Object.keys(found.answers)).toEqual(Object.keys(expected.answers));
  for (const [name, values] of Object.entries(expected.answers)) {
    expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(0.01);
    expect(gap(found.answers[name]!, values), name).toBeLessThan(tolerance);
  }
}
