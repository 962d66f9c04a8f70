import { StriateError, check } from "../../util/errors.js";
import type { RgbImage } from "../../data/images/rgb-image.js";
import type { AngleDraws } from "./blur.js";
import type { SnowConstants } from "./constants.js";
import { BRIGHTNESS, FOG, FROST, SNOW } from "./constants.js";
import type { CorruptionKind, Square } from "./kind.js";
import { UNIT, clip255, clipAll, unitValues } from "./kind.js";
import { FROST_TEXTURES, frostTexture, scaledFrost } from "./pixels/frost-texture.js";
import { changeHsv } from "./pixels/hsv.js";
import { imageMagickMotionBlur } from "./motion.js";
import { drawPlasma, plasma, plasmaSize } from "./pixels/plasma.js";
import { clippedZoom } from "./zoom.js";

export interface SnowDraws extends AngleDraws {
  /** For every pixel, a normally distributed number with the mean and standard deviation in the constants. */
  readonly layer: Float32Array;
}

const single = Math.fround;
const [RED, GREEN, BLUE] = [single(0.299), single(0.587), single(0.114)] as const;

/**
 * Whitens the image, adds snowflakes, and adds the same snowflakes once more, rotated by 180 degrees. The
 * flakes are thresholded noise that is blurred along one direction.
 */
export const snow: CorruptionKind<SnowConstants, SnowDraws> = {
  group: "weather",
  constants: SNOW,
  draw: (random, { side }, { mean, std }) => ({
    layer: random.fillNormal(new Float32Array(side * side), mean, std),
    angle: random.uniformRange(-135, -45),
  }),
  apply({ pixels, side }, { zoom, threshold, radius, sigma, image }, { layer, angle }) {
    const zoomed = clippedZoom(layer, side, zoom);
    const flakes = new Uint8Array(zoomed.length);
    for (let i = 0; i < flakes.length; i++) {
      const value = zoomed[i]!;
      flakes[i] = value < threshold ? 0 : clip255(value);
    }
    const fallen = imageMagickMotionBlur(flakes, side, 1, { radius, sigma, angle });
    const out = new Float64Array(pixels.length);
    const last = fallen.length - 1;
    const [own, other] = [single(image), single(1 - image)];
    for (let i = 0, o = 0; i <= last; i++, o += 3) {
      const [r, g, b] = [
        single(UNIT[pixels[o]!]!),
        single(UNIT[pixels[o + 1]!]!),
        single(UNIT[pixels[o + 2]!]!),
      ];
      const grey = single(r * RED + g * GREEN + b * BLUE);
      const white = single(single(grey * 1.5) + 0.5);
      const [here, turned] = [UNIT[fallen[i]!]!, UNIT[fallen[last - i]!]!];
      out[o] = clip255(whitened(r, white, own, other) + here + turned);
      out[o + 1] = clip255(whitened(g, white, own, other) + here + turned);
      out[o + 2] = clip255(whitened(b, white, own, other) + here + turned);
    }
    return out;
  },
};

function whitened(x: number, white: number, own: number, other: number): number {
  return single(single(own * x) + single(other * Math.max(x, white)));
}

export interface FrostDraws {
  /** Index of the texture. */
  readonly texture: number;
  /** Upper left corner of the part of the texture that is used. */
  readonly row: number;
  readonly column: number;
}

function frostOf({ frost, set, side }: Square, number: number): RgbImage {
  const texture = frost === undefined ? frostTexture(number) : frost[number];
  if (texture === undefined) throw new StriateError(`frost: unknown texture ${number}`);
  const image = scaledFrost(texture, set);
  check(
    image.width > side && image.height > side,
    () =>
      `frost: expected textures larger than the ${side} x ${side} image, got ${image.width} x ${image.height} pixels ` +
      `for texture ${number} with the constants for ${set}-pixel images`,
  );
  return image;
}

/** A weighted sum of the image and a part of a frost texture. */
export const frost: CorruptionKind<readonly [number, number], FrostDraws> = {
  group: "weather",
  constants: FROST,
  draw(random, square) {
    const texture = random.integer(0, square.frost?.length ?? FROST_TEXTURES);
    const { width, height } = frostOf(square, texture);
    return {
      texture,
      row: random.integer(0, height - square.side),
      column: random.integer(0, width - square.side),
    };
  },
  apply(square, [own, weight], { texture, row, column }) {
    const { pixels, side } = square;
    const { width, data } = frostOf(square, texture);
    const out = new Float64Array(pixels.length);
    for (let y = 0, o = 0; y < side; y++) {
      let from = ((row + y) * width + column) * 3;
      for (let x = 0; x < side * 3; x++, o++, from++) {
        const value = own * pixels[o]! + weight * data[from]!;
        out[o] = value > 255 ? 255 : value;
      }
    }
    return out;
  },
};

export interface FogDraws {
  /** Perturbations of the plasma fractal, in the order in which they are used. */
  readonly perturbations: Float32Array;
}

/** Adds a plasma fractal to every channel and scales the result back to the image's range. */
export const fog: CorruptionKind<readonly [number, number], FogDraws> = {
  group: "weather",
  constants: FOG,
  draw: (random, { side }, [, decay]) => ({ perturbations: drawPlasma(random, plasmaSize(side), decay) }),
  apply({ pixels, side }, [strength, decay], { perturbations }) {
    const size = plasmaSize(side);
    const haze = plasma(size, decay, perturbations);
    let brightest = 0;
    for (const byte of pixels) if (byte > brightest) brightest = byte;
    const max = UNIT[brightest]!;
    const out = new Float64Array(pixels.length);
    for (let y = 0, o = 0; y < side; y++) {
      for (let x = 0; x < side; x++, o += 3) {
        const added = strength * haze[y * size + x]!;
        for (let c = o; c < o + 3; c++)
          out[c] = clip255(((UNIT[pixels[c]!]! + added) * max) / (max + strength));
      }
    }
    return out;
  },
};

export const brightness: CorruptionKind<number> = {
  group: "weather",
  constants: BRIGHTNESS,
  apply({ pixels }, amount) {
    const values = unitValues(pixels);
    changeHsv(
      values,
      (s) => s,
      (v) => Math.min(v + amount, 1),
    );
    return clipAll(values);
  },
};
