import { check } from "../util/errors.js";

/**
 * A rotation, scaling and translation of a whole image, for tests under conditions that do not occur in
 * training. The KomplexNet paper has no such shifts, neither in its public code nor in its data.
 */
export interface Shift {
  /**
   * Rotation in degrees about the image's centre, counter-clockwise when the image is displayed. Default 0.
   */
  readonly rotation?: number;
  /** Scale factor about the image's centre; a factor above 1 enlarges. Default 1. */
  readonly scale?: number;
  /** Translation in pixels, [down, right], applied after rotation and scaling. Default [0, 0]. */
  readonly translation?: readonly [number, number];
}

/** Size of the planes on which {@link shiftImages} and {@link shiftMasks} work. */
export interface PlaneSize {
  readonly height: number;
  readonly width: number;
}

/**
 * Applies a shift to image planes `[..., height, width]` by bilinear interpolation. Points outside the
 * original image count as 0. Returns a new array. Throws `StriateError` for invalid shifts and sizes.
 */
export function shiftImages(images: Float32Array, shift: Shift, size: PlaneSize): Float32Array {
  const planes = countPlanes(images, size);
  const { height, width } = size;
  const sources = sourcePoints(shift, size);
  const out = new Float32Array(images.length);
  for (let plane = 0; plane < planes; plane++) {
    const from = plane * height * width;
    const at = (y: number, x: number): number =>
      y >= 0 && y < height && x >= 0 && x < width ? images[from + y * width + x]! : 0;
    for (let i = 0; i < height * width; i++) {
      const y = sources[2 * i]!;
      const x = sources[2 * i + 1]!;
      const y0 = Math.floor(y);
      const x0 = Math.floor(x);
      const wy = y - y0;
      const wx = x - x0;
      out[from + i] =
        (1 - wy) * ((1 - wx) * at(y0, x0) + wx * at(y0, x0 + 1)) +
        wy * ((1 - wx) * at(y0 + 1, x0) + wx * at(y0 + 1, x0 + 1));
    }
  }
  return out;
}

/**
 * Applies a shift to one-hot masks `[batch, channels, 1, height, width]`. Each pixel gets the mask of the
 * nearest original pixel; pixels that come from outside the image are background (channel 0). Returns a new
 * array.
 */
export function shiftMasks<A extends Float32Array | Uint8Array>(
  masks: A,
  shift: Shift,
  { height, width, channels }: PlaneSize & { readonly channels: number },
): A {
  const planes = countPlanes(masks, { height, width });
  check(
    Number.isInteger(channels) && channels > 0 && planes % channels === 0,
    () => `shift: expected whole samples of ${channels} mask channels, got ${planes} planes`,
  );
  const sources = sourcePoints(shift, { height, width });
  const out = new (masks.constructor as new (length: number) => A)(masks.length);
  for (let plane = 0; plane < planes; plane++) {
    const from = plane * height * width;
    const outside = plane % channels === 0 ? 1 : 0;
    for (let i = 0; i < height * width; i++) {
      const y = Math.floor(sources[2 * i]! + 0.5);
      const x = Math.floor(sources[2 * i + 1]! + 0.5);
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      out[from + i] = inside ? masks[from + y * width + x]! : outside;
    }
  }
  return out;
}

/** For each output pixel, the point (row, column) of the original image that moves there. */
function sourcePoints(shift: Shift, { height, width }: PlaneSize): Float64Array {
  const { rotation = 0, scale = 1, translation = [0, 0] } = shift;
  check(
    [rotation, scale, ...translation].every(Number.isFinite) && scale > 0,
    () => `shift: expected finite numbers and a scale above 0, got ${JSON.stringify(shift)}`,
  );
  const angle = (rotation * Math.PI) / 180;
  // Multiples of 90 degrees must map pixels exactly onto pixels, but in floating point cos(pi / 2) = 6e-17
  // would add a rounding error.
  const cos = Math.abs(Math.cos(angle)) < 1e-15 ? 0 : Math.cos(angle);
  const sin = Math.abs(Math.sin(angle)) < 1e-15 ? 0 : Math.sin(angle);
  const centreY = (height - 1) / 2;
  const centreX = (width - 1) / 2;
  const points = new Float64Array(2 * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const dy = (y - centreY - translation[0]) / scale;
      const dx = (x - centreX - translation[1]) / scale;
      const i = 2 * (y * width + x);
      points[i] = centreY + cos * dy + sin * dx;
      points[i + 1] = centreX - sin * dy + cos * dx;
    }
  }
  return points;
}

function countPlanes(array: ArrayLike<number>, { height, width }: PlaneSize): number {
  const planes = array.length / (height * width);
  check(
    Number.isInteger(height) &&
      Number.isInteger(width) &&
      height > 0 &&
      width > 0 &&
      Number.isInteger(planes),
    () => `shift: expected whole planes of ${height}x${width}, got ${array.length} numbers`,
  );
  return planes;
}
