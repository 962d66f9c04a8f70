import { encode } from "fast-png";
import { check } from "../util/errors.js";
import { entry, phaseIndex, UNIFORM_CYCLE } from "./colour.js";
import type { CyclicMap, Rgb } from "./colour.js";

/** Phases and amplitudes of one image at one timestep, both row-major `[channels, height, width]`. */
export interface PhaseField {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Radians, any range (wrapped when drawn). */
  readonly phases: ArrayLike<number>;
  /** Non-negative activity of the same units. */
  readonly amplitudes: ArrayLike<number>;
}

/** One phase per pixel, `[height, width]`. */
export interface PhasePlane {
  readonly height: number;
  readonly width: number;
  readonly phase: Float32Array;
  readonly amplitude: Float32Array;
  /** 0..1: length of the amplitude-weighted mean vector over the channels; 1 = all channels agree. */
  readonly agreement: Float32Array;
}

/** 8-bit red, green, blue, alpha, row-major. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

function checkLength(name: string, values: ArrayLike<number>, expected: number): void {
  check(values.length === expected, () => `${name}: expected ${expected} values, got ${values.length}`);
}

/** Throws unless both arrays hold channels x height x width finite numbers and no amplitude is negative. */
export function checkPhaseField(field: PhaseField): void {
  const { channels, height, width } = field;
  for (const [name, size] of Object.entries({ channels, height, width })) {
    check(Number.isInteger(size) && size > 0, () => `phase field ${name}: expected at least 1, got ${size}`);
  }
  const units = channels * height * width;
  checkLength("phases", field.phases, units);
  checkLength("amplitudes", field.amplitudes, units);
  for (let i = 0; i < units; i++) {
    const amplitude = field.amplitudes[i]!;
    check(
      Number.isFinite(amplitude) && amplitude >= 0,
      () => `amplitude of unit ${i}: expected a number >= 0, got ${amplitude}`,
    );
    check(Number.isFinite(field.phases[i]!), () => `phase of unit ${i}: expected a finite angle`);
  }
}

/** Amplitude-weighted circular mean phase over the channels, with summed amplitude. */
export function summarisePhases(field: PhaseField): PhasePlane {
  checkPhaseField(field);
  const pixels = field.height * field.width;
  const phase = new Float32Array(pixels);
  const amplitude = new Float32Array(pixels);
  const agreement = new Float32Array(pixels);
  for (let p = 0; p < pixels; p++) {
    let cos = 0;
    let sin = 0;
    let total = 0;
    for (let c = 0; c < field.channels; c++) {
      const unit = c * pixels + p;
      const a = field.amplitudes[unit]!;
      cos += a * Math.cos(field.phases[unit]!);
      sin += a * Math.sin(field.phases[unit]!);
      total += a;
    }
    phase[p] = total > 0 ? Math.atan2(sin, cos) : 0;
    amplitude[p] = total;
    agreement[p] = total > 0 ? Math.min(1, Math.hypot(cos, sin) / total) : 0;
  }
  return { height: field.height, width: field.width, phase, amplitude, agreement };
}

/** One channel as a plane of its own (agreement is 1 wherever the unit is active). */
export function channelPlane(field: PhaseField, channel: number): PhasePlane {
  checkPhaseField(field);
  check(
    Number.isInteger(channel) && channel >= 0 && channel < field.channels,
    () => `channel: expected 0..${field.channels - 1}, got ${channel}`,
  );
  const pixels = field.height * field.width;
  const from = channel * pixels;
  const pick = (values: ArrayLike<number>): Float32Array =>
    Float32Array.from({ length: pixels }, (_, p) => values[from + p]!);
  const amplitude = pick(field.amplitudes);
  const agreement = amplitude.map((a) => (a > 0 ? 1 : 0));
  return { height: field.height, width: field.width, phase: pick(field.phases), amplitude, agreement };
}

/** Largest amplitude, or 1 where all units are silent (so that it can divide). */
export function maximumAmplitude(plane: PhasePlane): number {
  return plane.amplitude.reduce((most, a) => Math.max(most, a), 0) || 1;
}

/** Options of {@link phaseImage}. */
export interface PhaseImageOptions {
  /** Default {@link UNIFORM_CYCLE}. */
  readonly map?: CyclicMap;
  /** Amplitude drawn opaque; default the plane's maximum. */
  readonly maximum?: number;
}

/** Hue from phase, opacity = amplitude / maximum. */
export function phaseImage(plane: PhasePlane, options: PhaseImageOptions = {}): RgbaImage {
  const { map = UNIFORM_CYCLE, maximum = maximumAmplitude(plane) } = options;
  const data = new Uint8ClampedArray(4 * plane.height * plane.width);
  for (let p = 0; p < plane.phase.length; p++) {
    data.set(entry(map.table, phaseIndex(plane.phase[p]!)), 4 * p);
    data[4 * p + 3] = (255 * plane.amplitude[p]!) / maximum;
  }
  return { width: plane.width, height: plane.height, data };
}

/** One picture per channel, each with its own amplitude maximum. */
export function channelImages(field: PhaseField, map: CyclicMap = UNIFORM_CYCLE): RgbaImage[] {
  return Array.from({ length: field.channels }, (_, c) => phaseImage(channelPlane(field, c), { map }));
}

/** Grey image of `[height, width]` values; `maximum` (default the largest value) is white. */
export function greyImage(
  values: ArrayLike<number>,
  height: number,
  width: number,
  maximum?: number,
): RgbaImage {
  checkLength("image", values, height * width);
  const list = Array.from(values);
  const white = (maximum ?? Math.max(...list)) || 1;
  const data = Uint8ClampedArray.from(
    list.flatMap((value) => {
      const level = (255 * value) / white;
      return [level, level, level, 255];
    }),
  );
  return { width, height, data };
}

/**
 * Which object each pixel belongs to: 0 background, 1..n the objects, n + 1 where several overlap.
 * Each mask is `[height, width]`, non-zero inside its object.
 */
export function objectOfPixel(masks: readonly ArrayLike<number>[], pixels: number): Uint8Array {
  masks.forEach((mask, i) => {
    checkLength(`mask ${i + 1}`, mask, pixels);
  });
  return Uint8Array.from({ length: pixels }, (_, p) => {
    const owners = masks.flatMap((mask, i) => (mask[p]! > 0 ? [i + 1] : []));
    return owners.length > 1 ? masks.length + 1 : (owners[0] ?? 0);
  });
}

/** Objects painted in `colours` (by object number, entry 0 = object 1); background transparent. */
export function objectImage(
  objects: Uint8Array,
  height: number,
  width: number,
  colours: readonly Rgb[],
): RgbaImage {
  checkLength("objects", objects, height * width);
  const data = new Uint8ClampedArray(4 * height * width);
  objects.forEach((object, p) => {
    if (object === 0) return;
    data.set(colours[(object - 1) % colours.length]!, 4 * p);
    data[4 * p + 3] = 255;
  });
  return { width, height, data };
}

/** Nearest-neighbour enlargement by a whole factor. */
export function upscale(image: RgbaImage, factor: number): RgbaImage {
  check(Number.isInteger(factor) && factor > 0, () => `upscale factor: expected at least 1, got ${factor}`);
  const width = image.width * factor;
  const height = image.height * factor;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (Math.floor(y / factor) * image.width + Math.floor(x / factor));
      data.set(image.data.subarray(from, from + 4), 4 * (y * width + x));
    }
  }
  return { width, height, data };
}

/** Options of {@link imageGrid}. */
export interface ImageGridOptions {
  readonly columns: number;
  /** Pixels between pictures; default 2. */
  readonly gap?: number;
  /** Painted behind everything; default transparent. */
  readonly background?: Rgb;
}

/** Pictures of one size laid out row by row in one picture; alpha is blended over the background. */
export function imageGrid(images: readonly RgbaImage[], options: ImageGridOptions): RgbaImage {
  const { columns, gap = 2, background } = options;
  const first = images[0];
  check(first, () => "image grid: expected at least one image, got none");
  check(Number.isInteger(columns) && columns > 0, () => `image grid columns: expected >= 1, got ${columns}`);
  const rows = Math.ceil(images.length / columns);
  const width = columns * (first.width + gap) - gap;
  const height = rows * (first.height + gap) - gap;
  const data = new Uint8ClampedArray(4 * width * height);
  if (background) for (let p = 0; p < width * height; p++) data.set([...background, 255], 4 * p);
  images.forEach((image, i) => {
    check(
      image.width === first.width && image.height === first.height,
      () => `image grid: expected ${first.width}x${first.height}, got ${image.width}x${image.height}`,
    );
    const left = (i % columns) * (first.width + gap);
    const top = Math.floor(i / columns) * (first.height + gap);
    for (let p = 0; p < image.width * image.height; p++) {
      const to = 4 * ((top + Math.floor(p / image.width)) * width + left + (p % image.width));
      data.set(over(image.data.subarray(4 * p, 4 * p + 4), background), to);
    }
  });
  return { width, height, data };
}

function over(pixel: ArrayLike<number>, background: Rgb | undefined): number[] {
  if (!background) return Array.from(pixel);
  const alpha = pixel[3]! / 255;
  return [...background.map((below, i) => alpha * pixel[i]! + (1 - alpha) * below), 255];
}

/** The image as a PNG file. */
export function encodePng(image: RgbaImage): Uint8Array {
  return encode({ width: image.width, height: image.height, data: image.data, channels: 4, depth: 8 });
}

/** Base64 of bytes, in Node and in browsers. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** The image as `data:image/png;base64,...`. */
export function pngDataUri(image: RgbaImage): string {
  return `data:image/png;base64,${base64(encodePng(image))}`;
}
