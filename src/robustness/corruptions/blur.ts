import type { Random } from "../../util/random.js";
import { DEFOCUS_BLUR, GAUSSIAN_BLUR, GLASS_BLUR, MOTION_BLUR, ZOOM_BLUR } from "./constants.js";
import type { CorruptionKind, Square } from "./kind.js";
import { clip255, clipAll, singleValues, unitValues } from "./kind.js";
import { correlateDisk, diskKernel } from "./pixels/disk.js";
import { gaussianFilter } from "./pixels/gaussian.js";
import { imageMagickMotionBlur as blurAlong } from "./motion.js";
import { addClippedZoom } from "./zoom.js";

function blurred(values: Float64Array, side: number, sigma: number): Float64Array {
  return gaussianFilter(values, { rows: side, columns: side, channels: 3, sigma });
}

export const gaussianBlur: CorruptionKind<number> = {
  group: "extra",
  constants: GAUSSIAN_BLUR,
  apply: ({ pixels, side }, sigma) => clipAll(blurred(unitValues(pixels), side, sigma)),
};

/** Correlates the image with a disk. */
export const defocusBlur: CorruptionKind<readonly [number, number]> = {
  group: "blur",
  constants: DEFOCUS_BLUR,
  apply: ({ pixels, side }, [radius, alias]) =>
    clipAll(correlateDisk(unitValues(pixels), side, diskKernel(radius, alias))),
};

export interface GlassDraws {
  /**
   * Offsets dx, dy for every pixel in every pass, in the order in which pixels are visited. Each is from
   * -distance to distance - 1.
   */
  readonly offsets: Int8Array;
}

/**
 * Blurs the image, copies pixels to random neighbours, and blurs again. The published code means to swap two
 * pixels, but the second assignment of the swap reads what the first one wrote, so that one pixel overwrites
 * the other. This function does the same.
 */
export const glassBlur: CorruptionKind<readonly [number, number, number], GlassDraws> = {
  group: "blur",
  constants: GLASS_BLUR,
  draw(random: Random, { side }: Square, [, distance, passes]) {
    const steps = passes * (side - 2 * distance) ** 2;
    const uniform = random.fillUniform(new Float32Array(2 * steps));
    const offsets = new Int8Array(uniform.length);
    for (let i = 0; i < offsets.length; i++) offsets[i] = Math.floor(uniform[i]! * 2 * distance) - distance;
    return { offsets };
  },
  apply({ pixels, side }, [sigma, distance, passes], { offsets }) {
    const first = blurred(unitValues(pixels), side, sigma);
    const y = new Uint8Array(first.length);
    for (let i = 0; i < y.length; i++) y[i] = first[i]! * 255;
    let k = 0;
    for (let pass = 0; pass < passes; pass++) {
      for (let h = side - distance; h > distance; h--) {
        for (let w = side - distance; w > distance; w--, k += 2) {
          const from = ((h + offsets[k + 1]!) * side + w + offsets[k]!) * 3;
          const to = (h * side + w) * 3;
          y[to] = y[from]!;
          y[to + 1] = y[from + 1]!;
          y[to + 2] = y[from + 2]!;
        }
      }
    }
    return clipAll(blurred(unitValues(y), side, sigma));
  },
};

export interface AngleDraws {
  /** Angle in degrees. */
  readonly angle: number;
}

/** Blurs along a line with a random direction from -45 to 45 degrees. */
export const motionBlur: CorruptionKind<readonly [number, number], AngleDraws> = {
  group: "blur",
  constants: MOTION_BLUR,
  draw: (random) => ({ angle: random.uniformRange(-45, 45) }),
  apply: ({ pixels, side }, [radius, sigma], { angle }) =>
    blurAlong(pixels, side, 3, { radius, sigma, angle }),
};

/**
 * The mean of the image and of its zoomed versions, in float32. One of the zoom factors is 1, so the image
 * itself counts twice.
 */
export const zoomBlur: CorruptionKind<readonly [number, number]> = {
  group: "blur",
  constants: ZOOM_BLUR,
  apply({ pixels, side }, [factors, step]) {
    const image = singleValues(pixels);
    const sum = image.slice();
    const exactStep = 1 + step - 1;
    for (let k = 1; k < factors; k++) addClippedZoom(sum, image, side, 3, 1 + k * exactStep);
    const out = new Float64Array(sum.length);
    for (let i = 0; i < out.length; i++) {
      const mean = Math.fround(Math.fround(image[i]! + sum[i]!) / (factors + 1));
      out[i] = Math.fround(clip255(mean));
    }
    return out;
  },
};
