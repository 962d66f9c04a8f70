import { summarise } from "../metrics/statistics.js";
import { check } from "../util/errors.js";
import type { LinePoint, LineSeries } from "./charts.js";
import type { Html } from "./html.js";
import { markup, percent } from "./html.js";

/** One seed's value of a measure. */
export interface SeedValue {
  readonly seed: number;
  readonly value: number;
}

/** A measure summarised over seeds. */
export interface SeedSummary {
  readonly mean: number;
  /** Sample standard deviation over seeds; `null` for a single seed. */
  readonly std: number | null;
  readonly values: readonly SeedValue[];
}

/** Mean and sample standard deviation of one measure over seeds. */
export function summariseSeeds(values: readonly SeedValue[]): SeedSummary {
  check(values.length > 0, () => "summary over seeds: expected at least one value, got none");
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, { value }) => sum + (value - mean) ** 2, 0);
  return { mean, std: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null, values };
}

const MOST_POINTS = 150;

/** Averages neighbouring points in groups of equal size, so that a curve has at most {@link MOST_POINTS}. */
function thin(points: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const group = points.slice(i * size, (i + 1) * size);
    const y = group.reduce((sum, point) => sum + point.y, 0) / group.length;
    return { x: group.at(-1)!.x, y };
  });
}

/** Averages over seeds at every x, with the range over seeds as band if more than one seed has the point. */
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

/** Mean and sample standard deviation of values over seeds or random draws. A single value has no `spread`. */
export function meanAndSpread(values: readonly number[]): {
  readonly mean: number;
  readonly spread: number | undefined;
} {
  const { count, mean, standardDeviation } = summarise(values);
  return { mean, spread: count > 1 ? standardDeviation : undefined };
}

/** A point at the mean of the values; several values give it a band of one standard deviation, clipped to [0, 1]. */
export function meanPoint(x: number, values: readonly number[]): LinePoint {
  const { mean: y, spread } = meanAndSpread(values);
  if (spread === undefined) return { x, y };
  return { x, y, low: Math.max(0, y - spread), high: Math.min(1, y + spread) };
}

/** Makes one line for each network from its runs over seeds. A network without runs has no line. */
export function seriesOverSeeds<M extends { readonly label: string; readonly style: number }>(
  networks: readonly M[],
  runsOf: (network: M) => readonly (readonly { x: number; y: number }[])[],
): LineSeries[] {
  return networks.flatMap((network) => {
    const points = overSeeds(runsOf(network));
    return points.length > 0 ? [{ name: network.label, style: network.style, points }] : [];
  });
}

/** Describes lines for screen readers: "KomplexNet ends at 69.7 %; real-valued ends at 60.7 %". */
export function ends(
  series: readonly LineSeries[],
  format: (value: number) => string = (value) => `${percent(value)} %`,
): string {
  return series
    .flatMap(({ name, points }) => (points.length > 0 ? [`${name} ends at ${format(points.at(-1)!.y)}`] : []))
    .join("; ");
}

/** Mean and standard deviation in percent as plain text, such as "69.7 ± 1.2"; empty without values. */
export function spreadPlain(values: readonly number[]): string {
  if (values.length === 0) return "";
  const { mean, spread } = meanAndSpread(values);
  return spread === undefined ? percent(mean) : `${percent(mean)} ± ${percent(spread)}`;
}

/** Mean and standard deviation in percent for a table; "–" without values. */
export function spreadText(values: readonly number[]): Html | string {
  if (values.length === 0) return "–";
  const { mean, spread } = meanAndSpread(values);
  return markup`<b>${percent(mean)}</b>${spread === undefined ? null : markup`<span class="spread"> ± ${percent(spread)}</span>`}`;
}

/** A table cell with `mean ± standard deviation` that shows the value of each seed when it is clicked or pointed at. */
export function spreadCell({ mean, std, values }: SeedSummary, format: (value: number) => string): Html {
  const seeds = values.map(({ seed, value }) => `seed ${seed}: ${format(value)}`);
  const text = markup`<b>${format(mean)}</b>${
    std === null ? null : markup`<span class="spread"> ± ${format(std)}</span>`
  }`;
  if (values.length === 0) return text;
  return markup`<details class="seeds">
    <summary title="${seeds.join("\n")}">${text}</summary>
    <ul>
      ${seeds.map((seed) => markup`<li>${seed}</li>`)}
    </ul>
  </details>`;
}
