/**
 * Colours are computed in OKLab (Ottosson 2020, "A perceptual color space for image processing"). In this
 * colour space, pairs of colours at equal distances look about equally different.
 */

/** Red, green and blue, each 0..255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** OKLab coordinates: lightness 0..1 and the two opponent axes (green-red, blue-yellow). */
export type Oklab = readonly [lightness: number, a: number, b: number];

function encodeGamma(linear: number): number {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

function decodeGamma(encoded: number): number {
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

/**
 * Converts an OKLab colour to linear-light sRGB. A component is outside 0..1 if sRGB cannot show the colour.
 */
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

/** Converts an OKLab colour to sRGB bytes, clipped to the gamut of sRGB. */
export function oklabToRgb(colour: Oklab): Rgb {
  const [red, green, blue] = oklabToLinearRgb(colour);
  return [toByte(red), toByte(green), toByte(blue)];
}

function toByte(linear: number): number {
  return Math.round(255 * encodeGamma(Math.min(1, Math.max(0, linear))));
}

/** Converts sRGB bytes to OKLab coordinates. */
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

/** Returns the OKLab colour of this lightness, chroma and hue (in radians). */
export function oklch(lightness: number, chroma: number, hue: number): Oklab {
  return [lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)];
}

/** Whether sRGB can show the colour. */
export function inGamut(colour: Oklab): boolean {
  return oklabToLinearRgb(colour).every((component) => component >= 0 && component <= 1);
}

/** Finds the largest chroma that sRGB can show at this lightness for every one of the hues. */
export function commonChroma(lightness: number, hues: readonly number[]): number {
  let low = 0;
  let high = 0.4;
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (hues.every((hue) => inGamut(oklch(lightness, middle, hue)))) low = middle;
    else high = middle;
  }
  return low;
}

/** Returns the Euclidean distance of two colours in OKLab. A distance of about 0.02 is just noticeable. */
export function distance(one: Oklab, other: Oklab): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2]);
}

/** Converts an angle from degrees to radians. */
export const degrees = (angle: number): number => (angle * Math.PI) / 180;

/** Converts a list of colours to a table of red, green and blue bytes. */
export function tableOf(colours: readonly Oklab[]): Uint8Array {
  return Uint8Array.from(colours.flatMap((colour) => oklabToRgb(colour)));
}

/** Returns the colour at `index` in a table of red, green and blue bytes. */
export function entry(table: Uint8Array, index: number): Rgb {
  return [table[3 * index]!, table[3 * index + 1]!, table[3 * index + 2]!];
}

/** Writes a colour in the form that CSS uses, such as `#1b7fc4`. */
export function hex(colour: Rgb): string {
  return `#${colour.map((component) => component.toString(16).padStart(2, "0")).join("")}`;
}
