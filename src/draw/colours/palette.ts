import { entry } from "./colour.js";
import type { Rgb } from "./colour.js";
import { UNIFORM_CYCLE } from "./cyclic-maps.js";

/**
 * Categorical colours of lines and bars, in the order in which to use them. Each has a contrast of at least
 * 3:1 against the light and the dark backgrounds of Striate's pages, and neighbours in the list can be told
 * apart with the common colour-vision deficiencies.
 */
export const CATEGORICAL = [
  "#1f7fc2",
  "#d35f0a",
  "#0c9469",
  "#b968a4",
  "#7d7f86",
  "#a3861a",
  "#c2485c",
  "#8a63d2",
  "#5f8a1f",
] as const;

/** Colours of labels 1, 2, ... on dark images. */
const LABELS: readonly Rgb[] = [
  [86, 180, 233],
  [240, 168, 48],
  [62, 201, 147],
  [232, 118, 178],
  [236, 226, 92],
  [150, 124, 250],
  [226, 88, 74],
  [128, 150, 42],
];

/** Colour of pixels that several objects share. */
export const SHARED: Rgb = [214, 196, 240];
/** Colour of label 0. */
export const BACKGROUND: Rgb = [44, 49, 60];
/** Colour of negative labels, which mark pixels that metrics ignore. */
export const IGNORED: Rgb = [128, 128, 128];

/**
 * Returns the colour of a label. Label 0 is the background, labels below 0 mark ignored pixels, and labels
 * from 1 are objects, whose colours can be told apart. The first eight colours come from a list; after these,
 * the hue advances in steps of the golden section.
 */
export function labelColour(label: number): Rgb {
  if (label < 0) return IGNORED;
  if (label === 0) return BACKGROUND;
  return LABELS[label - 1] ?? entry(UNIFORM_CYCLE.table, Math.round(label * 256 * 0.381966) % 256);
}
