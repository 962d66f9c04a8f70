import { check } from "../util/errors.js";

/**
 * Colour tables for phases and scalars, computed here in OKLab (Ottosson 2020, "A perceptual color space for
 * image processing"), where equal distances look about equally different.
 */

/** Red, green and blue, each 0..255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** OKLab coordinates: lightness 0..1 and the two opponent axes (green-red, blue-yellow). */
export type Oklab = readonly [lightness: number, a: number, b: number];

/** A closed loop of 256 colours; entry k stands for the phase -π + 2πk / 256. */
export interface CyclicMap {
  readonly id: "uniform" | "two-hue";
  readonly label: string;
  /** 256 x RGB bytes. */
  readonly table: Uint8Array;
  /** What lies behind a transparent (silent) pixel. */
  readonly silent: Rgb;
}

const ENTRIES = 256;
const TURN = 2 * Math.PI;

function encodeGamma(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

function decodeGamma(encoded: number): number {
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

/** Linear-light sRGB of an OKLab colour; components leave 0..1 when the colour is out of gamut. */
export function oklabToLinearRgb([lightness, a, b]: Oklab): Rgb {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

/** sRGB bytes of an OKLab colour, clipped to the gamut. */
export function oklabToRgb(colour: Oklab): Rgb {
  const [red, green, blue] = oklabToLinearRgb(colour);
  return [toByte(red), toByte(green), toByte(blue)];
}

function toByte(linear: number): number {
  return Math.round(255 * encodeGamma(Math.min(1, Math.max(0, linear))));
}

/** OKLab coordinates of sRGB bytes. */
export function rgbToOklab([red, green, blue]: Rgb): Oklab {
  const r = decodeGamma(red / 255);
  const g = decodeGamma(green / 255);
  const b = decodeGamma(blue / 255);
  const long = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const medium = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const short = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function oklch(lightness: number, chroma: number, hue: number): Oklab {
  return [lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)];
}

function inGamut(colour: Oklab): boolean {
  return oklabToLinearRgb(colour).every((component) => component >= 0 && component <= 1);
}

/** The largest chroma that sRGB can show at this lightness for every one of the hues. */
function commonChroma(lightness: number, hues: readonly number[]): number {
  let low = 0;
  let high = 0.4;
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (hues.every((hue) => inGamut(oklch(lightness, middle, hue)))) low = middle;
    else high = middle;
  }
  return low;
}

const degrees = (angle: number): number => (angle * Math.PI) / 180;

function tableOf(colours: readonly Oklab[]): Uint8Array {
  return Uint8Array.from(colours.flatMap((colour) => oklabToRgb(colour)));
}

/**
 * Constant lightness and chroma, hue turning at constant speed: no phase looks brighter than another. Lightness
 * is the one that leaves most chroma to all hues. Phase 0 is warm, ±π its complement.
 */
function uniformTable(): Uint8Array {
  const hues = Array.from({ length: ENTRIES }, (_, k) => degrees(30) + (TURN * k) / ENTRIES - Math.PI);
  let best = { lightness: 0, chroma: 0 };
  for (let lightness = 0.6; lightness <= 0.86; lightness += 0.005) {
    const chroma = commonChroma(lightness, hues);
    if (chroma > best.chroma) best = { lightness, chroma };
  }
  return tableOf(hues.map((hue) => oklch(best.lightness, best.chroma, hue)));
}

/** A loop dark - blue - light - orange - dark in OKLab; `turn` in -π..π, light at 0. */
function twoHuePoint(turn: number): Oklab {
  const lightness = 0.575 + 0.335 * Math.cos(turn);
  const side = Math.sin(turn);
  const hue = side < 0 ? degrees(254) : degrees(60);
  return oklch(lightness, 0.118 * Math.abs(side), hue);
}

/** The loop walked at constant OKLab speed, so that equal phase differences look equally large. */
function twoHueTable(): Uint8Array {
  const fine = 8192;
  const points = Array.from({ length: fine + 1 }, (_, i) => twoHuePoint(-Math.PI + (TURN * i) / fine));
  const travelled = [0];
  for (let i = 1; i <= fine; i++) travelled.push(travelled[i - 1]! + distance(points[i]!, points[i - 1]!));
  const total = travelled[fine]!;
  const colours: Oklab[] = [];
  for (let k = 0, i = 0; k < ENTRIES; k++) {
    while (travelled[i]! < (total * k) / ENTRIES) i++;
    colours.push(points[i]!);
  }
  return tableOf(colours);
}

/** Euclidean OKLab distance: about 0.02 is just noticeable. */
export function distance(one: Oklab, other: Oklab): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

/** Constant-lightness hue circle, for most readers. */
export const UNIFORM_CYCLE: CyclicMap = {
  id: "uniform",
  label: "all hues",
  table: uniformTable(),
  silent: [13, 15, 19],
};

/** Dark, blue, light, orange: distinguishable with every common colour-vision deficiency. */
export const TWO_HUE_CYCLE: CyclicMap = {
  id: "two-hue",
  label: "colour-blind safe",
  table: twoHueTable(),
  silent: oklabToRgb([0.575, 0, 0]),
};

/** Index 0..255 of a phase in radians; unwrapped phases of any size are welcome. */
export function phaseIndex(phase: number): number {
  check(Number.isFinite(phase), () => `phase: expected a finite angle in radians, got ${phase}`);
  const turns = (phase + Math.PI) / TURN;
  return Math.floor((turns - Math.floor(turns)) * ENTRIES) % ENTRIES;
}

/** Colour of entry `index` (0..255) of a table. */
export function entry(table: Uint8Array, index: number): Rgb {
  return [table[3 * index]!, table[3 * index + 1]!, table[3 * index + 2]!];
}

/** Colour of a phase in radians. */
export function phaseColour(map: CyclicMap, phase: number): Rgb {
  return entry(map.table, phaseIndex(phase));
}

/** 256 entries from dark blue to pale yellow with lightness rising evenly: for scalars, never for phases. */
export const SEQUENTIAL: Uint8Array = tableOf(
  Array.from({ length: ENTRIES }, (_, k) => {
    const part = k / (ENTRIES - 1);
    const hue = degrees(280 - 185 * part);
    const lightness = 0.22 + 0.73 * part;
    const chroma = Math.min(0.11, commonChroma(lightness, [hue]));
    return oklch(lightness, chroma, hue);
  }),
);

/** Colour of a scalar in 0..1 (clipped). */
export function sequentialColour(value: number): Rgb {
  check(Number.isFinite(value), () => `scalar colour: expected a finite number, got ${value}`);
  return entry(SEQUENTIAL, Math.round(Math.min(1, Math.max(0, value)) * (ENTRIES - 1)));
}

/** CSS notation, e.g. `#1b7fc4`. */
export function hex(colour: Rgb): string {
  return `#${colour.map((component) => component.toString(16).padStart(2, "0")).join("")}`;
}

/** A CSS gradient once around the map, as a strip. */
export function cssGradient(map: CyclicMap, stops = 24): string {
  const colours = Array.from({ length: stops + 1 }, (_, i) =>
    hex(entry(map.table, Math.round((ENTRIES * i) / stops) % ENTRIES)),
  );
  return `linear-gradient(90deg, ${colours.join(", ")})`;
}
