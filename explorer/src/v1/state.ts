import { VARIANTS } from "striate/vonenet";
import type { Variant } from "striate/vonenet";
import type { AddressFormat, ViewState } from "../address.js";
import { oneOf, readLanguage, within } from "../address.js";
import { CELLS_PER_KIND, POSITIONS, SIGHT } from "../compute/v1-frame.js";

export const STIMULI = ["grating", "bar", "digit", "own"] as const;

/** Whether a stimulus has an orientation, by which it can be turned. */
export const hasAngle = (stimulus: V1State["stimulus"]): boolean =>
  stimulus === "grating" || stimulus === "bar";

/** The complete state of the view. The address stores it, so that a link restores the same state. */
export interface V1State extends ViewState {
  /** "own" is the picture of the user; the picture itself is in no address. */
  readonly stimulus: (typeof STIMULI)[number];
  /** Angle of the grating's stripes or of the bar in degrees, anticlockwise from horizontal. */
  readonly orientation: number;
  /** Spatial frequency of the grating in cycles per degree. */
  readonly frequency: number;
  readonly contrast: number;
  /** Phase in degrees at which the grating stands still or begins to drift. */
  readonly phase: number;
  /** Drift of the grating in cycles per second; 0 if it stands still. */
  readonly drift: number;
  /** Centre of the bar or the digit in pixels. */
  readonly x: number;
  readonly y: number;
  /** Width of the bar in degrees of visual angle. */
  readonly width: number;
  /** Index of the digit among the 100 that come with the page. */
  readonly sample: number;
  readonly variant: Variant;
  readonly seed: number;
  readonly noise: "on" | "off";
  /** The chosen cell. */
  readonly cell: number;
  /** The position at which responses are read: column and row of the response map. */
  readonly column: number;
  readonly row: number;
}

export const LIMITS = {
  orientation: [0, 180],
  frequency: [0.5, 11],
  contrast: [0, 1],
  phase: [0, 360],
  drift: [0, 4],
  x: [0, SIGHT.imageSize],
  y: [0, SIGHT.imageSize],
  width: [0.05, 0.5],
  sample: [0, 99],
  seed: [0, 999],
  cell: [0, 2 * CELLS_PER_KIND - 1],
  column: [0, POSITIONS - 1],
  row: [0, POSITIONS - 1],
} as const;

export const START: V1State = {
  stimulus: "grating",
  orientation: 45,
  frequency: 2,
  contrast: 1,
  phase: 0,
  drift: 0.5,
  x: SIGHT.imageSize / 2,
  y: SIGHT.imageSize / 2,
  width: 0.15,
  sample: 32,
  variant: "biol",
  seed: 0,
  noise: "off",
  cell: 60,
  column: POSITIONS / 2,
  row: POSITIONS / 2,
  language: "en",
};

export const V1_ADDRESS: AddressFormat<V1State> = {
  start: START,
  readers: {
    stimulus: oneOf(STIMULI),
    orientation: within(LIMITS.orientation),
    frequency: within(LIMITS.frequency),
    contrast: within(LIMITS.contrast),
    phase: within(LIMITS.phase),
    drift: within(LIMITS.drift),
    x: within(LIMITS.x),
    y: within(LIMITS.y),
    width: within(LIMITS.width),
    sample: within(LIMITS.sample, true),
    variant: oneOf(VARIANTS),
    seed: within(LIMITS.seed, true),
    noise: oneOf(["on", "off"]),
    cell: within(LIMITS.cell, true),
    column: within(LIMITS.column, true),
    row: within(LIMITS.row, true),
    language: readLanguage,
  },
  textOf: (state, key) => {
    const value = state[key];
    return typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
  },
};
