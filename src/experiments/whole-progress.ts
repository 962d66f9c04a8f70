import type { ProgressEvent } from "../train/progress.js";
import type { MeasuredCell } from "./estimate.js";
import { estimateOf } from "./estimate.js";

/** The progress of a run as a whole, from that of its cells. */
export interface WholeProgress {
  /** A cell begins. */
  begin(name: string): void;
  /** A cell has told its progress. */
  update(name: string, event: ProgressEvent): void;
  /** A cell is finished. */
  finish(name: string): void;
}

interface State {
  readonly began: number;
  readonly seconds?: number;
  readonly event?: ProgressEvent;
}

/** Milliseconds between two events of the whole. */
const EVERY = 1000;

/**
 * Follows the cells of a run, and tells how far all of them are and how long they will take.
 *
 * @param names of all cells
 * @param before names of the cells that were finished before; how long they took is not known
 * @param tell is called once a second at most, and at the end of each cell
 */
export function followCells(
  names: readonly string[],
  before: ReadonlySet<string>,
  tell: (event: ProgressEvent) => void,
  now: () => number = () => performance.now(),
): WholeProgress {
  const states = new Map<string, State>();
  let told = -Infinity;
  const measured = (name: string): MeasuredCell => {
    const state = states.get(name);
    if (before.has(name)) return { name, state: "finished" };
    if (state === undefined) return { name, state: "open" };
    if (state.seconds !== undefined) return { name, state: "finished", seconds: state.seconds };
    const { secondsLeft, imagesPerSecond } = state.event ?? {};
    return {
      name,
      state: "running",
      seconds: (now() - state.began) / 1000,
      ...(secondsLeft !== undefined && { secondsLeft }),
      ...(imagesPerSecond !== undefined && { imagesPerSecond }),
    };
  };
  const tellNow = (): void => {
    told = now();
    const { finished, all, imagesPerSecond, secondsLeft } = estimateOf(names.map(measured));
    tell({ step: finished, steps: all, unit: "cell", imagesPerSecond, secondsLeft });
  };
  return {
    begin(name) {
      states.set(name, { began: now() });
    },
    update(name, event) {
      const state = states.get(name);
      if (state === undefined) return;
      states.set(name, { ...state, event });
      if (now() - told >= EVERY) tellNow();
    },
    finish(name) {
      const state = states.get(name);
      if (state === undefined) return;
      states.set(name, { ...state, seconds: (now() - state.began) / 1000 });
      tellNow();
    },
  };
}
