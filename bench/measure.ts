import type { Peer, PeerName } from "./peer.js";

/** Something to time, ours and the peer's. */
export interface BenchCase {
  readonly name: string;
  /**
   * The amount that one run handles, such as a number of images or of floating-point operations. The rate is
   * this amount per second.
   */
  readonly amount: number;
  readonly unit: "images/s" | "filters/s" | "steps/s" | "boards/s" | "graphs/s" | "GFLOP/s";
  /** The ratio of our speed to the peer's that should be reached. */
  readonly bar?: number;
  readonly peer?: {
    /** Default "torch". */
    readonly of?: PeerName;
    readonly name: string;
    readonly options: Readonly<Record<string, unknown>>;
  };
  /** Number of rounds; fewer than the default if one run takes half a minute. Default {@link ROUNDS}. */
  readonly rounds?: number;
  /** Prepares the case: `run` runs it once, and `close` frees it. */
  open(): Promise<{ run(): Promise<unknown>; close(): Promise<void> }>;
}

export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer?: number;
  /** The peer's time divided by ours, median of the rounds; above 1, we are faster. */
  readonly ratio?: number;
  readonly ratios?: readonly number[];
  readonly bar?: number;
  /** The rate divided by that of a matrix product in the same run, if the unit is GFLOP/s. */
  readonly ceiling?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const ROUNDS = 9;

/**
 * Times our code and the peer's alternately, so that a drift of the machine's speed affects both. The ratio
 * is taken round by round.
 */
export async function measure(test: BenchCase, peer: Peer | undefined): Promise<BenchResult> {
  const opened = await test.open();
  // The first run claims its memory from the system, which takes longer than the run itself.
  await opened.run();
  const started = performance.now();
  await opened.run();
  const once = (performance.now() - started) / 1000;
  const runs = Math.max(3, Math.min(20, Math.round(0.4 / once)));
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < (test.rounds ?? ROUNDS); round++) {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      await opened.run();
      times.push((performance.now() - start) / 1000);
    }
    mine.push(median(times));
    if (peer && test.peer) theirs.push(median(await peer.time(test.peer.name, test.peer.options, runs)));
  }
  await opened.close();
  const scale = test.unit === "GFLOP/s" ? 1e-9 : 1;
  const ratios = theirs.map((seconds, i) => seconds / mine[i]!);
  return {
    name: test.name,
    unit: test.unit,
    ours: (test.amount * scale) / median(mine),
    ...(test.bar !== undefined && { bar: test.bar }),
    ...(theirs.length > 0 && { peer: (test.amount * scale) / median(theirs), ratio: median(ratios), ratios }),
  };
}
