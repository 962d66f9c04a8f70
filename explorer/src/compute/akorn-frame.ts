import type { PlacedTetromino } from "striate";

/** Side of the picture in pixels. */
export const PICTURE = 32;
/** Up-tiling: copies of the picture, shifted by half a patch along each axis, double the side of the maps. */
export const TILING = { size: PICTURE, patch: 4, factor: 2 } as const;
/** Side of the map of positions, each with one vector of oscillators. */
export const SIDE = (PICTURE / TILING.patch) * TILING.factor;
export const CHANNELS = 64;
/** n, the components of one oscillator. */
export const COMPONENTS = 4;
/** Number of segments: three pieces and the background. */
export const SEGMENTS = 4;

/** What decides a run. */
export interface ObjectRequest {
  readonly pieces: readonly PlacedTetromino[];
  /** A picture of the user's in place of the pieces, [3, PICTURE, PICTURE], 0 to 1; nobody knows its objects. */
  readonly own: Float32Array | undefined;
  /** Random seed of the initial oscillators. */
  readonly seed: number;
  /** gamma, the step size of the oscillators. */
  readonly rate: number;
  readonly timesteps: number;
  /** The timestep after which the oscillators near a position start again at random; undefined for none. */
  readonly scramble: { readonly timestep: number; readonly column: number; readonly row: number } | undefined;
}

/** The oscillators at one time. */
export interface ObjectFrame {
  /** Timesteps done. */
  readonly timestep: number;
  /** Whether a part of the oscillators has just been scrambled. */
  readonly isScrambled: boolean;
  /** [SIDE, SIDE, CHANNELS]: the oscillators of each position, all of length 1. */
  readonly oscillators: Float32Array;
  /** [SIDE, SIDE, 3]: the first three principal components of the oscillators of the whole run, as red, green and blue. */
  readonly colours: Uint8Array;
  /** [PICTURE, PICTURE]: segments from 1, found by clustering the features. */
  readonly segments: Int32Array;
  /** Adjusted Rand index of the segments over the pixels of the pieces (FG-ARI); undefined for a picture of the user's. */
  readonly agreement: number | undefined;
  /** Energy, the mean over the shifted copies. */
  readonly energy: number;
}

/** Half the side of the square that is scrambled, in positions. */
export const SCRAMBLED = 3;
