import { checkAtLeast, checkBetween } from "../../util/check.js";
import type { Random } from "../../util/random.js";

/*
 * These functions change the colours of 8-bit RGB pixels in place. Every step is computed in single precision
 * and rounded as in Pillow, so that the resulting bytes are the same. A factor of 1 changes nothing.
 */

const single = Math.fround;

/** Multiplies every value by `factor`. */
export function changeBrightness(rgb: Uint8Array, factor: number): void {
  blendWith(rgb, 0, factor);
}

/**
 * Changes the contrast: moves every value away from the image's rounded mean grey value (factor above 1) or
 * towards it (factor below 1).
 */
export function changeContrast(rgb: Uint8Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 3) sum += luma(rgb, i);
  blendWith(rgb, Math.floor(sum / (rgb.length / 3) + 0.5), factor);
}

/**
 * Changes the saturation: moves every pixel away from its own grey value (factor above 1) or towards it
 * (factor below 1).
 */
export function changeSaturation(rgb: Uint8Array, factor: number): void {
  const weight = single(factor);
  for (let i = 0; i < rgb.length; i += 3) {
    const grey = luma(rgb, i);
    for (let c = i; c < i + 3; c++) rgb[c] = blend(grey, rgb[c]!, weight);
  }
}

/** Replaces every pixel by its grey value, in three equal channels. */
export function toGrey(rgb: Uint8Array): void {
  for (let i = 0; i < rgb.length; i += 3) rgb.fill(luma(rgb, i), i, i + 3);
}

/**
 * Rotates all hues around the colour circle by `turns` full turns (-0.5 to 0.5). Hue, saturation and value
 * have 8 bits each.
 */
export function shiftHue(rgb: Uint8Array, turns: number): void {
  const shift = Math.trunc(255 * turns);
  for (let i = 0; i < rgb.length; i += 3) {
    const [r, g, b] = [rgb[i]!, rgb[i + 1]!, rgb[i + 2]!];
    const value = Math.max(r, g, b);
    const range = value - Math.min(r, g, b);
    if (range === 0) continue;
    const [fromRed, fromGreen, fromBlue] = [
      single((value - r) / range),
      single((value - g) / range),
      single((value - b) / range),
    ];
    const sixths = single(
      r === value ? fromBlue - fromGreen : g === value ? 2 + fromRed - fromBlue : 4 + fromGreen - fromRed,
    );
    const circle = single((sixths / 6 + 1) % 1);
    const hue = (Math.trunc(255 * circle) + shift + 256) & 255;
    const saturation = Math.trunc(255 * single(range / value)) / 255;
    const sector = Math.floor((hue * 6) / 255);
    const part = (hue * 6) / 255 - sector;
    const p = Math.round(value * (1 - saturation));
    const q = Math.round(value * (1 - saturation * part));
    const t = Math.round(value * (1 - saturation * (1 - part)));
    switch (sector % 6) {
      case 0:
        setPixel(rgb, i, value, t, p);
        break;
      case 1:
        setPixel(rgb, i, q, value, p);
        break;
      case 2:
        setPixel(rgb, i, p, value, t);
        break;
      case 3:
        setPixel(rgb, i, p, q, value);
        break;
      case 4:
        setPixel(rgb, i, t, p, value);
        break;
      default:
        setPixel(rgb, i, value, p, q);
    }
  }
}

function setPixel(rgb: Uint8Array, at: number, r: number, g: number, b: number): void {
  rgb[at] = r;
  rgb[at + 1] = g;
  rgb[at + 2] = b;
}

/** The grey value 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded. */
function luma(rgb: Uint8Array, at: number): number {
  return (19595 * rgb[at]! + 38470 * rgb[at + 1]! + 7471 * rgb[at + 2]! + 0x8000) >> 16;
}

function blendWith(rgb: Uint8Array, towards: number, factor: number): void {
  const weight = single(factor);
  const table = Uint8Array.from({ length: 256 }, (_, value) => blend(towards, value, weight));
  for (let i = 0; i < rgb.length; i++) rgb[i] = table[rgb[i]!]!;
}

/** Returns from + factor (to - from), rounded down and clipped to 0..255. */
function blend(from: number, to: number, factor: number): number {
  const value = single(from + single(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

/**
 * Strengths of random colour changes. For a strength x, a factor is uniform between max(0, 1 - x) and 1 + x;
 * the hue shift is uniform between -x and x turns.
 */
export interface ColourJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  readonly hue: number;
}

/**
 * Changes brightness, contrast, saturation and hue by random amounts in a random order, in place (torchvision's
 * ColorJitter).
 *
 * @throws StriateError for a negative strength, or a hue strength of more than half a turn.
 */
export function jitterColours(rgb: Uint8Array, jitter: ColourJitter, random: Random): void {
  const { brightness, contrast, saturation, hue } = jitter;
  for (const [name, strength] of Object.entries({ brightness, contrast, saturation }))
    checkAtLeast(`colour jitter: ${name}`, strength, 0);
  checkBetween("colour jitter: hue", hue, 0, 0.5);
  const within = (low: number, high: number): number => low + (high - low) * random.uniform();
  const factor = (strength: number): number => within(Math.max(0, 1 - strength), 1 + strength);
  const factors = [factor(brightness), factor(contrast), factor(saturation), within(-hue, hue)] as const;
  for (const change of random.shuffle([0, 1, 2, 3])) CHANGES[change]!(rgb, factors[change]!);
}

const CHANGES = [changeBrightness, changeContrast, changeSaturation, shiftHue];
