import { checkLength, checkPositive, checkSizes } from "../util/check.js";
import type { Rgb } from "./colours/colour.js";
import { phaseIndex, UNIFORM_CYCLE } from "./colours/cyclic-maps.js";
import type { CyclicMap } from "./colours/cyclic-maps.js";
import { maximumAmplitude } from "./phases.js";
import type { PhasePlane } from "./phases.js";
import { blend, fillRectangle, imageFor } from "./rgba-image.js";
import type { ReuseOptions, RgbaImage } from "./rgba-image.js";

/** Options for the colours of phases and amplitudes. */
export interface PhaseLooks {
  /** Colour map. Default {@link UNIFORM_CYCLE}. */
  readonly map?: CyclicMap;
  /** Amplitude, above 0, that is drawn with full opacity. Default: the largest amplitude. */
  readonly maximum?: number;
  /**
   * Colour that shows through at low amplitudes; it makes the image opaque. Default: none, so that the
   * image's alpha represents the amplitude.
   */
  readonly background?: Rgb;
}

/** Options of {@link phaseMap}. */
export interface PhaseMapOptions extends PhaseLooks, ReuseOptions {
  /** Side in pixels of the square that shows one pixel, a whole number. Default 1. */
  readonly scale?: number;
}

/**
 * Draws phases as colours. The phase determines the colour; the opacity is amplitude / maximum.
 *
 * @returns an image of `scale * width` x `scale * height` pixels
 * @throws StriateError if arrays do not fit the size, phases are not finite, or the scale is not a whole number above 0
 * @example
 * ```ts
 * import { meanPhases, phaseMap } from "striate/draw";
 *
 * const [channels, height, width] = [1, 8, 8];
 * const phases = Float32Array.from({ length: 64 }, (_, i) => i / 10);
 * const means = meanPhases({ channels, height, width, phases, amplitudes: new Float32Array(64).fill(1) });
 * const image = phaseMap(means, { scale: 4 });
 * // Reuses the same memory for every frame:
 * phaseMap(means, { scale: 4, into: image });
 * console.log(image.width, image.height); // 32 32
 * ```
 */
export function phaseMap(plane: PhasePlane, options: PhaseMapOptions = {}): RgbaImage {
  const { height, width, phase, amplitude } = plane;
  const { scale = 1 } = options;
  checkSizes("phase map", { height, width, scale });
  checkLength("phase map phases", phase, height * width);
  checkLength("phase map amplitudes", amplitude, height * width);
  const { maximum = maximumAmplitude(plane) } = options;
  checkMaximum(maximum);
  const image = imageFor("phase map", scale * width, scale * height, options.into);
  for (let p = 0; p < height * width; p++) {
    const [x, y] = [scale * (p % width), scale * Math.floor(p / width)];
    paintPhase(image, x, y, scale, scale, phase[p]!, amplitude[p]! / maximum, options);
  }
  return image;
}

/** Throws `StriateError` unless the maximum amplitude is above 0, because amplitudes are divided by it. */
export function checkMaximum(maximum: number): void {
  checkPositive("maximum amplitude", maximum);
}

/** Paints a rectangle in the colour of a phase, with an opacity from 0 to 1. */
export function paintPhase(
  image: RgbaImage,
  x: number,
  y: number,
  width: number,
  height: number,
  phase: number,
  opacity: number,
  { map = UNIFORM_CYCLE, background }: PhaseLooks,
): void {
  const at = 3 * phaseIndex(phase);
  let red = map.table[at]!;
  let green = map.table[at + 1]!;
  let blue = map.table[at + 2]!;
  let alpha = 255 * opacity;
  if (background !== undefined) {
    const part = Math.min(1, Math.max(0, opacity));
    red = blend(red, background[0], part);
    green = blend(green, background[1], part);
    blue = blend(blue, background[2], part);
    alpha = 255;
  }
  fillRectangle(image, x, y, width, height, red, green, blue, alpha);
}
