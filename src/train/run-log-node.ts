import type { MetricsRow } from "./metrics-file-node.js";
import { readMetrics } from "./metrics-file-node.js";
import type { RunFolder } from "./run-folder-node.js";
import type { TensorboardWriter } from "./tensorboard-node.js";
import { openTensorboardWriter } from "./tensorboard-node.js";
import type { StepMetrics } from "./trainer.js";

/** Numbers of one step, by name. */
export interface LogRow {
  readonly step: number;
  readonly [name: string]: number;
}

/** Metrics of a run: means over some steps and evaluations, to `metrics.jsonl` and TensorBoard. */
export class RunLog {
  #sums: Record<string, number> = {};
  #count = 0;

  private constructor(
    private readonly folder: RunFolder | undefined,
    private readonly board: TensorboardWriter | undefined,
    readonly evaluations: LogRow[],
  ) {}

  static async open(folder: RunFolder | undefined, resumeStep: number | undefined): Promise<RunLog> {
    if (folder === undefined) return new RunLog(undefined, undefined, []);
    const board = await openTensorboardWriter(folder.path, resumeStep === undefined ? {} : { resumeStep });
    const rows = await readMetrics(folder.file("metrics.jsonl"));
    return new RunLog(folder, board, rows.flatMap(evaluationOf));
  }

  step(metrics: StepMetrics): void {
    this.#count += 1;
    for (const [name, value] of Object.entries(metrics)) this.#sums[name] = (this.#sums[name] ?? 0) + value;
  }

  /** Writes the means since the last time. */
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

  #append({ step, ...scalars }: LogRow): void {
    this.folder?.appendMetrics({ step, ...scalars });
    this.board?.scalars(step, scalars);
  }

  close(): void {
    this.board?.close();
  }
}

const EVALUATION = "evaluation.";

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
