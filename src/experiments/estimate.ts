/** What is known about a cell when the time is estimated that all cells need. */
export interface MeasuredCell {
  readonly name: string;
  /** Whether the cell is finished, is being computed, or is still to be computed. A failed cell is out. */
  readonly state: "finished" | "running" | "open" | "out";
  /** Seconds of computing so far; undefined if they were not measured. */
  readonly seconds?: number;
  /** Expected seconds to the end of what a running cell does now. */
  readonly secondsLeft?: number;
  readonly imagesPerSecond?: number;
}

/** What the cells of a run say about the rest of it. */
export interface Estimate {
  readonly finished: number;
  readonly all: number;
  /** Sum over the cells that run. */
  readonly imagesPerSecond: number;
  /** Seconds of computing so far, over all machines. */
  readonly secondsDone: number;
  /** Expected seconds of computing that are left, over all machines; undefined before anything was measured. */
  readonly secondsOfWork?: number;
  /**
   * Expected seconds until the last cell is finished, if as many cells keep running at the same time as now; undefined if none
   * runs, or before anything was measured.
   */
  readonly secondsLeft?: number;
}

/** Cells that differ in their random seed only take equally long. */
const kindOf = (name: string): string => name.replace(/\bseed\d+\b/, "seed");

/**
 * Estimates how long a run takes by what was measured: an unfinished cell will take as long as the finished cells that
 * differ from it in the seed only or, if there are none, as long as the average cell so far.
 */
export function estimateOf(cells: readonly MeasuredCell[]): Estimate {
  const measured = new Map<string, number[]>();
  const note = (name: string, seconds: number): void => {
    measured.set(kindOf(name), [...(measured.get(kindOf(name)) ?? []), seconds]);
  };
  for (const { name, state, seconds } of cells)
    if (state === "finished" && seconds !== undefined) note(name, seconds);
  for (const { name, state, seconds = 0, secondsLeft } of cells)
    if (state === "running" && secondsLeft !== undefined && !measured.has(kindOf(name)))
      note(name, seconds + secondsLeft);
  const average = mean([...measured.values()].map(mean));
  const left = ({ name, seconds = 0, secondsLeft = 0 }: MeasuredCell): number =>
    Math.max(mean(measured.get(kindOf(name)) ?? [average]) - seconds, secondsLeft, 0);
  const running = cells.filter(({ state }) => state === "running");
  const unfinished = [...running, ...cells.filter(({ state }) => state === "open")];
  const work = unfinished.reduce((sum, cell) => sum + left(cell), 0);
  const known = measured.size > 0;
  return {
    finished: cells.filter(({ state }) => state === "finished").length,
    all: cells.length,
    imagesPerSecond: running.reduce((sum, { imagesPerSecond = 0 }) => sum + imagesPerSecond, 0),
    secondsDone: cells.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
    ...(known && { secondsOfWork: work }),
    ...(known &&
      running.length > 0 && { secondsLeft: Math.max(work / running.length, ...running.map(left)) }),
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
}
