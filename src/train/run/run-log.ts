import type { MetricsRow } from "../metrics.js";
import type { MetricSums } from "./checkpoint-format.js";
import type { LogRow, LogTarget, RunStore } from "./run-store.js";
import type { StepMetrics } from "../trainer.js";

/** The log of a run: metrics as means over some steps, and evaluations. */
export class RunLog {
  #sums: Record<string, number>;
  #count: number;

  private constructor(
    private readonly target: LogTarget | undefined,
    readonly evaluations: LogRow[],
    { count, sums }: MetricSums,
  ) {
    this.#count = count;
    this.#sums = { ...sums };
  }

  /** Continues a log. `unlogged` are the metrics of the steps after the last line of the log. */
  static async open(store: RunStore | undefined, unlogged: MetricSums = NO_METRICS): Promise<RunLog> {
    const target = await store?.openLog();
    return new RunLog(target, target?.rows.flatMap(evaluationOf) ?? [], unlogged);
  }

  /** The metrics since the last call of `write`; undefined if there are none. */
  get unlogged(): MetricSums | undefined {
    return this.#count === 0 ? undefined : { count: this.#count, sums: { ...this.#sums } };
  }

  step(metrics: StepMetrics): void {
    this.#count += 1;
    for (const [name, value] of Object.entries(metrics)) this.#sums[name] = (this.#sums[name] ?? 0) + value;
  }

  /** Writes the means since the last call. */
  write(step: number, extra: Readonly<Record<string, number>>): void {
    const means = Object.entries(this.#sums).map(([name, sum]) => [name, sum / this.#count] as const);
    this.#sums = {};
    this.#count = 0;
    this.#append({ step, ...extra, ...Object.fromEntries(means) });
  }

  evaluation(step: number, scores: Readonly<Record<string, number>>): void {
    this.evaluations.push({ ...scores, step });
    this.#append({
      step,
      ...Object.fromEntries(Object.entries(scores).map(([n, v]) => [EVALUATION + n, v])),
    });
  }

  #append(row: LogRow): void {
    this.target?.append(row);
  }

  close(): void {
    this.target?.close();
  }
}

const EVALUATION = "evaluation.";
const NO_METRICS: MetricSums = { count: 0, sums: {} };

function evaluationOf(row: MetricsRow): LogRow[] {
  const scores = Object.entries(row).filter(
    ([name, v]) => name.startsWith(EVALUATION) && typeof v === "number",
  );
  if (scores.length === 0) return [];
  return [
    {
      ...Object.fromEntries(scores.map(([n, v]) => [n.slice(EVALUATION.length), v as number])),
      step: row.step,
    },
  ];
}
