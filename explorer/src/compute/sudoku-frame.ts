export const CELLS = 81;
export const DIGITS = 9;
export const CHANNELS = 64;
/** Number of random starts that are computed side by side. */
export const STARTS = 8;

/** What decides a run. */
export interface SudokuRequest {
  /** 81 digits, 0 for a blank cell. */
  readonly puzzle: Uint8Array;
  /** Random seed of the oscillators of all starts. */
  readonly seed: number;
  readonly timesteps: number;
}

/** The answers of one start after one timestep. */
export interface StartAnswer {
  /** The most probable digit of each cell, 1 to 9. */
  readonly digits: Uint8Array;
  /** Probability of each digit in each cell, [81, 9]. */
  readonly probabilities: Float32Array;
  /** Energy of the oscillators before the timestep. */
  readonly energy: number;
  /** [81, 3]: the first three principal components of the oscillators of the whole run, as red, green and blue. */
  readonly colours: Uint8Array;
}

/** All starts after one timestep. */
export interface SudokuFrame {
  readonly timestep: number;
  readonly starts: readonly StartAnswer[];
}

export type SudokuFacts = readonly { readonly name: string; readonly value: number }[];
