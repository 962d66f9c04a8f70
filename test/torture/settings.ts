import { appendFileSync } from "node:fs";

/** What `npm run torture` asks for; `npm test` asks for little of everything. */
export const settings = {
  /** Whether to do everything. */
  all: process.env.STRIATE_TORTURE === "all",
  /** The random seed of damages. */
  seed: Number(process.env.STRIATE_TORTURE_SEED ?? 1),
  /** The number of the only mutation to make. */
  at: process.env.STRIATE_TORTURE_AT === undefined ? undefined : Number(process.env.STRIATE_TORTURE_AT),
} as const;

/** A row of the table that `npm run torture` prints. */
export interface TortureRow {
  readonly kind: string;
  readonly cases: number;
  /** Cases that ended otherwise than promised. */
  readonly faults: number;
  readonly seconds: number;
  readonly note: string;
}

/** Prints a row, and hands it to `npm run torture` for its table. */
export function report(row: TortureRow): void {
  console.log(
    `${row.kind}: ${row.cases} cases, ${row.faults} faults, ${row.seconds.toFixed(0)} s (${row.note})`,
  );
  const file = process.env.STRIATE_TORTURE_TABLE;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** Works on all items, a few at a time, and fails with the first error. */
export async function inParallel<T>(
  workers: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const worker = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}
