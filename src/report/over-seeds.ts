import { summarise } from "../metrics/statistics.js";
import type { LinePoint } from "./charts.js";

const MOST_POINTS = 150;

/** Neighbouring points averaged in equal groups, so that no curve has more than {@link MOST_POINTS}. */
function thin(points: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const group = points.slice(i * size, (i + 1) * size);
    const y = group.reduce((sum, point) => sum + point.y, 0) / group.length;
    return { x: group.at(-1)!.x, y };
  });
}

/** Mean over seeds at every x, with the range over seeds as band where more than one seed has the point. */
export function overSeeds(runs: readonly (readonly { x: number; y: number }[])[]): LinePoint[] {
  const at = new Map<number, number[]>();
  for (const run of runs) {
    for (const { x, y } of thin(run)) at.set(x, [...(at.get(x) ?? []), y]);
  }
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(([x, ys]) => {
      const y = ys.reduce((sum, one) => sum + one, 0) / ys.length;
      return ys.length > 1 ? { x, y, low: Math.min(...ys), high: Math.max(...ys) } : { x, y };
    });
}

/** Mean and sample standard deviation of values over seeds or draws; no spread of a single value. */
export function meanAndSpread(values: readonly number[]): {
  readonly mean: number;
  readonly spread: number | undefined;
} {
  const { count, mean, standardDeviation } = summarise(values);
  return { mean, spread: count > 1 ? standardDeviation : undefined };
}
