import type { DigitsReport } from "./digits-data.js";

/** Everything that the report of the synchrony experiment shows, as plain data. */
export interface SynchronyReport {
  readonly title: string;
  readonly subtitle: string;
  /** One report for each set of scenes; all with an `id`. */
  readonly sets: readonly DigitsReport[];
  readonly ablation: readonly AblationRow[];
  readonly kernels: readonly KernelTraining[];
  /** A contact sheet of every condition as PNG data URIs. */
  readonly sheets: readonly { readonly title: string; readonly uri: string }[];
}

/** The trained feed-forward network under other dynamics, over seeds. */
export interface AblationRow {
  /** "timesteps 6". */
  readonly label: string;
  /** Whether these are the dynamics of training. */
  readonly trained: boolean;
  readonly runs: readonly { readonly seed: number; readonly setAccuracy: number; readonly ari: number }[];
}

/** A coupling kernel trained on the synchrony loss. */
export interface KernelTraining {
  readonly set: string;
  readonly seed: number;
  /** Synchrony loss on validation scenes after each timestep. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** One point: a network under one condition, mean over seeds. */
export interface SynchronyPoint {
  readonly set: string;
  readonly model: string;
  readonly condition: string;
  readonly ari: number;
  readonly setAccuracy: number;
}

/** All networks with phases under all conditions. */
export function synchronyPoints(report: SynchronyReport): SynchronyPoint[] {
  return report.sets.flatMap(({ title, rows, models, conditions }) =>
    rows.flatMap(({ model, condition, metrics }) => {
      const { ari, setAccuracy } = metrics;
      if (ari === undefined || setAccuracy === undefined) return [];
      const name = models.find(({ id }) => id === model)!.label;
      const under = conditions.find(({ id }) => id === condition)!.label;
      return [{ set: title, model: name, condition: under, ari: ari.mean, setAccuracy: setAccuracy.mean }];
    }),
  );
}

/** Spearman's rank correlation; `undefined` for fewer than three pairs or where one side never changes. */
export function rankCorrelation(one: readonly number[], other: readonly number[]): number | undefined {
  if (one.length < 3) return undefined;
  const [a, b] = [ranks(one), ranks(other)];
  const mean = (one.length + 1) / 2;
  const product = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + (value - mean) * (y[i]! - mean), 0);
  const size = Math.sqrt(product(a, a) * product(b, b));
  return size === 0 ? undefined : product(a, b) / size;
}

/** Equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}
