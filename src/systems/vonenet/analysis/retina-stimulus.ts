import { checkBetween, checkPositive } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { SubcorticalBlock } from "../subcortical/subcortical-block.js";

/** A stimulus for a retina: a grating or a spot of light on a uniform background. */
export interface RetinaStimulus {
  /** Light of the background, from 0 to 1. Default 0.5. */
  readonly luminance?: number;
  /** Contrast of the pattern: it reaches luminance (1 + contrast). Default 1. */
  readonly contrast?: number;
  /** Spatial frequency of the grating in cycles per degree. Default 0, which makes a uniform spot. */
  readonly spatialFrequency?: number;
  /** Phase of the grating at the centre, in degrees. Default 0. */
  readonly phase?: number;
  /** Radius of the pattern in degrees of visual angle. Default: the whole image. */
  readonly radius?: number;
}

/**
 * Computes an image [colours, imageSize, imageSize] of a stimulus with the values
 *
 *     luminance (1 + contrast cos(2 pi spatialFrequency x + phase))
 *
 * within the radius and luminance outside, where x is the distance from the centre along the columns. The
 * image is grey: all colours are equal. The centre is the pixel at row and column imageSize / 2, rounded down.
 *
 * @throws StriateError if a value of the image would be outside [0, 1].
 * @example
 * ```ts
 * import { SubcorticalBlock, retinaStimulus } from "striate/vonenet";
 *
 * const retina = new SubcorticalBlock({ imageSize: 64, visualDegrees: 2 });
 * const spot = retinaStimulus(retina, { luminance: 0.25, contrast: 0.8, radius: 0.1 });
 * console.log(spot.length, spot[32 * 64 + 32]!.toFixed(2)); // 12288 0.45
 * ```
 */
export function retinaStimulus(
  { imageSize, pixelsPerDegree, colours }: SubcorticalBlock,
  stimulus: RetinaStimulus,
): Float32Array {
  const { luminance = 0.5, contrast = 1, spatialFrequency = 0, phase = 0, radius } = stimulus;
  checkBetween("retina stimulus: luminance", luminance, 0, 1);
  check(
    contrast >= 0 && contrast <= 1 && luminance * (1 + contrast) <= 1,
    () =>
      `retina stimulus: expected a contrast from 0 to 1 that keeps light within 1, ` +
      `got ${contrast} at the luminance ${luminance}`,
  );
  if (radius !== undefined) checkPositive("retina stimulus: radius", radius);
  const area = imageSize * imageSize;
  const image = new Float32Array(colours * area).fill(luminance);
  const centre = imageSize >> 1;
  for (let i = 0; i < area; i++) {
    const [y, x] = [Math.floor(i / imageSize) - centre, (i % imageSize) - centre];
    if (radius !== undefined && Math.hypot(x, y) > radius * pixelsPerDegree) continue;
    const angle = (2 * Math.PI * spatialFrequency * x) / pixelsPerDegree + (phase * Math.PI) / 180;
    const value = luminance * (1 + contrast * Math.cos(angle));
    for (let colour = 0; colour < colours; colour++) image[colour * area + i] = value;
  }
  return image;
}
