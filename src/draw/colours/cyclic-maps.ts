import { StriateError } from "../../util/errors.js";
import { commonChroma, degrees, distance, entry, hex, oklabToRgb, oklch, tableOf } from "./colour.js";
import type { Oklab, Rgb } from "./colour.js";

/**
 * A closed loop of 256 colours for phases; it must not be used for scalars. Entry k is the colour of phases
 * from -π + 2πk / 256 up to -π + 2π(k + 1) / 256.
 */
export interface CyclicMap {
  readonly id: "uniform" | "two-hue";
  readonly label: string;
  /** The colours as 256 x RGB bytes. */
  readonly table: Uint8Array;
  /**
   * The same colours before they are rounded to bytes. Any two neighbouring colours, including the last and
   * the first, are equally far apart in OKLab.
   */
  readonly oklab: readonly Oklab[];
  /** Colour behind transparent (silent) pixels. */
  readonly silent: Rgb;
}

const ENTRIES = 256;
const TURN = 2 * Math.PI;

/**
 * A loop of constant lightness and chroma whose hue changes at constant speed, so that no phase looks
 * brighter than another. Of all lightnesses, it has the one that allows the largest chroma for all hues.
 * Phase 0 is a warm colour, and ±π is its complement.
 */
function uniformLoop(): Oklab[] {
  const hues = Array.from({ length: ENTRIES }, (_, k) => degrees(30) + (TURN * k) / ENTRIES - Math.PI);
  let best = { lightness: 0, chroma: 0 };
  for (let lightness = 0.6; lightness <= 0.86; lightness += 0.005) {
    const chroma = commonChroma(lightness, hues);
    if (chroma > best.chroma) best = { lightness, chroma };
  }
  return hues.map((hue) => oklch(best.lightness, best.chroma, hue));
}

/**
 * Returns a point on a loop in OKLab that runs dark - blue - light - orange - dark. `turn` is from -π to π; 0
 * is the light point.
 */
function twoHuePoint(turn: number): Oklab {
  const lightness = 0.575 + 0.335 * Math.cos(turn);
  const side = Math.sin(turn);
  const hue = side < 0 ? degrees(254) : degrees(60);
  return oklch(lightness, 0.118 * Math.abs(side), hue);
}

/**
 * Resamples the loop of `twoHuePoint` at equal distances in OKLab, so that equal phase differences look
 * equally large.
 */
function twoHueLoop(): Oklab[] {
  const fine = 8192;
  const points = Array.from({ length: fine + 1 }, (_, i) => twoHuePoint(-Math.PI + (TURN * i) / fine));
  const travelled = [0];
  for (let i = 1; i <= fine; i++) travelled.push(travelled[i - 1]! + distance(points[i]!, points[i - 1]!));
  const total = travelled[fine]!;
  const colours: Oklab[] = [];
  for (let k = 0, i = 0; k < ENTRIES; k++) {
    const wanted = (total * k) / ENTRIES;
    while (travelled[i + 1]! < wanted) i++;
    const part = (wanted - travelled[i]!) / (travelled[i + 1]! - travelled[i]!);
    const [from, to] = [points[i]!, points[i + 1]!];
    const between = (c: 0 | 1 | 2) => from[c] + part * (to[c] - from[c]);
    colours.push([between(0), between(1), between(2)]);
  }
  return colours;
}

const uniform = uniformLoop();
const twoHue = twoHueLoop();

/** A circle of all hues with constant lightness, for readers without a colour-vision deficiency. */
export const UNIFORM_CYCLE: CyclicMap = {
  id: "uniform",
  label: "all hues",
  table: tableOf(uniform),
  oklab: uniform,
  silent: [13, 15, 19],
};

/**
 * A loop through dark, blue, light and orange. These can be told apart with every common colour-vision
 * deficiency, but the lightness changes with the phase.
 */
export const TWO_HUE_CYCLE: CyclicMap = {
  id: "two-hue",
  label: "colour-blind safe",
  table: tableOf(twoHue),
  oklab: twoHue,
  silent: oklabToRgb([0.575, 0, 0]),
};

/**
 * Returns the index, 0..255, of a phase's colour in a map. The phase is in radians and need not be wrapped.
 *
 * @throws StriateError if the phase is not finite
 */
export function phaseIndex(phase: number): number {
  const turns = (phase + Math.PI) / TURN;
  const index = Math.floor((turns - Math.floor(turns)) * ENTRIES) % ENTRIES;
  // If the phase is NaN or infinite, the index is NaN, so one comparison per pixel is enough.
  if (!(index >= 0)) throw new StriateError(`phase: expected a finite angle in radians, got ${phase}`);
  return index;
}

/** Returns the colour of a phase in radians. Throws {@link StriateError} if it is not finite. */
export function phaseColour(map: CyclicMap, phase: number): Rgb {
  return entry(map.table, phaseIndex(phase));
}

/** Writes a CSS gradient that goes once around the map, from left to right. */
export function cssGradient(map: CyclicMap, stops = 24): string {
  const colours = Array.from({ length: stops + 1 }, (_, i) =>
    hex(entry(map.table, Math.round((ENTRIES * i) / stops) % ENTRIES)),
  );
  return `linear-gradient(90deg, ${colours.join(", ")})`;
}
