import { checkFinite } from "../../util/check.js";
import { commonChroma, degrees, entry, oklch, tableOf } from "./colour.js";
import type { Oklab, Rgb } from "./colour.js";

/**
 * A map of 256 colours for scalars, from the low end (entry 0) to the high end (entry 255). It must not be
 * used for phases.
 */
export interface ScalarMap {
  readonly id: "sequential" | "diverging" | "grey";
  /** The colours as 256 x RGB bytes. */
  readonly table: Uint8Array;
  /** Whether the middle of the map means 0. If so, ranges are made symmetric around 0. */
  readonly diverging: boolean;
}

const ENTRIES = 256;

function scalarMap(id: ScalarMap["id"], colourAt: (part: number) => Oklab): ScalarMap {
  const colours = Array.from({ length: ENTRIES }, (_, k) => colourAt(k / (ENTRIES - 1)));
  return { id, table: tableOf(colours), diverging: id === "diverging" };
}

/** Dark blue to pale yellow, with evenly rising lightness. */
export const SEQUENTIAL: ScalarMap = scalarMap("sequential", (part) => {
  const hue = degrees(280 - 185 * part);
  const lightness = 0.22 + 0.73 * part;
  return oklch(lightness, Math.min(0.11, commonChroma(lightness, [hue])), hue);
});

const [BLUE, RED] = [degrees(254), degrees(40)];
const END_LIGHTNESS = 0.42;
const END_CHROMA = commonChroma(END_LIGHTNESS, [BLUE, RED]);

/**
 * Blue through near-white to red-orange. Both halves are straight lines in OKLab with equal slopes, so that a
 * value and its negative look equally strong. The two hues can be told apart with every common colour-vision
 * deficiency.
 */
export const DIVERGING: ScalarMap = scalarMap("diverging", (part) => {
  const strength = Math.abs(2 * part - 1);
  return oklch(0.97 - (0.97 - END_LIGHTNESS) * strength, END_CHROMA * strength, part < 0.5 ? BLUE : RED);
});

/** Black to white; entry k is (k, k, k), so that a grey image keeps its values. */
export const GREY: ScalarMap = {
  id: "grey",
  table: Uint8Array.from({ length: 3 * ENTRIES }, (_, i) => Math.floor(i / 3)),
  diverging: false,
};

/** Returns the colour of a scalar, which is clipped to 0..1. Throws `StriateError` if it is not finite. */
export function scalarColour(map: ScalarMap, value: number): Rgb {
  checkFinite("scalar colour: value", value);
  return entry(map.table, Math.round(Math.min(1, Math.max(0, value)) * (ENTRIES - 1)));
}
