import { roundHalfEven } from "../../data/images/rgb-image.js";
import { ELASTIC_TRANSFORM, ELASTIC_UNIT } from "./constants.js";
import type { CorruptionKind } from "./kind.js";
import { clip255, singleValues } from "./kind.js";
import { reflect101 } from "./pixels/disk.js";
import { indexAt } from "./pixels/border.js";
import { gaussianFilter } from "./pixels/gaussian.js";

export interface ElasticDraws {
  /** Displacements (x, y), in pixels, of the three corners that define the affine map. */
  readonly points: Float32Array;
  /** For every pixel, a number uniform in (-1, 1). Smoothing this field gives the displacements in x. */
  readonly dx: Float32Array;
  /** For every pixel, a number uniform in (-1, 1). Smoothing this field gives the displacements in y. */
  readonly dy: Float32Array;
}

/** Applies a random affine map, then spatially smooth displacements. */
export const elasticTransform: CorruptionKind<readonly [number, number, number], ElasticDraws> = {
  group: "digital",
  constants: ELASTIC_TRANSFORM,
  draw(random, { side, set }, [alpha, , affine]) {
    const most = affine * ELASTIC_UNIT[set];
    const field = (): Float32Array => {
      const values = new Float32Array(side * side);
      return alpha === 0 ? values : random.fillUniform(values, -1, 1);
    };
    return { points: random.fillUniform(new Float32Array(6), -most, most), dx: field(), dy: field() };
  },
  apply({ pixels, side, set }, [alpha, sigma], { points, dx, dy }) {
    const unit = ELASTIC_UNIT[set];
    const warped = warpAffine(singleValues(pixels), side, affineMap(side, points));
    const smooth = (field: Float32Array) => displacement(field, side, alpha * unit, sigma * unit);
    const moved = alpha === 0 ? warped : displace(warped, side, smooth(dx), smooth(dy));
    const out = new Float64Array(moved.length);
    for (let i = 0; i < out.length; i++) out[i] = Math.fround(clip255(moved[i]!));
    return out;
  },
};

/** An affine map: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]. */
type Affine = readonly [number, number, number, number, number, number];

/**
 * Returns the inverse of the affine map that displaces three corners of a square by `offsets`. The inverse
 * maps the new position of a pixel to its old one.
 */
function affineMap(side: number, offsets: Float32Array): Affine {
  const centre = Math.floor(side / 2);
  const arm = Math.floor(side / 3);
  const [high, low] = [centre + arm, centre - arm];
  const from = [high, high, high, low, low, low];
  const to = from.map((value, i) => Math.fround(value + offsets[i]!));
  // From one corner to the next, only one coordinate changes, so the columns of the map are plain
  // differences.
  const across = 2 * arm;
  const [b, e] = [(to[0]! - to[2]!) / across, (to[1]! - to[3]!) / across];
  const [a, d] = [(to[2]! - to[4]!) / across, (to[3]! - to[5]!) / across];
  const [c, f] = [to[0]! - a * high - b * high, to[1]! - d * high - e * high];
  const determinant = a * e - b * d;
  const inverse = determinant === 0 ? 0 : 1 / determinant;
  const [ia, ib, id, ie] = [e * inverse, -b * inverse, -d * inverse, a * inverse];
  return [ia, ib, -ia * c - ib * f, id, ie, -id * c - ie * f];
}

/**
 * Applies an inverse affine map by bilinear interpolation in float32, at positions rounded to 1/32 pixel.
 * {@link reflect101} extends the image beyond its border.
 */
function warpAffine(image: Float32Array, side: number, [a, b, c, d, e, f]: Affine): Float32Array {
  const out = new Float32Array(image.length);
  const alongX = Int32Array.from({ length: side }, (_, x) => roundHalfEven(1024 * a * x));
  const alongY = Int32Array.from({ length: side }, (_, x) => roundHalfEven(1024 * d * x));
  for (let y = 0, o = 0; y < side; y++) {
    const startX = roundHalfEven(1024 * (b * y + c)) + 16;
    const startY = roundHalfEven(1024 * (e * y + f)) + 16;
    for (let x = 0; x < side; x++, o += 3) {
      const px = (alongX[x]! + startX) >> 5;
      const py = (alongY[x]! + startY) >> 5;
      sample(out, o, image, side, px >> 5, py >> 5, (px & 31) / 32, (py & 31) / 32, reflect101);
    }
  }
  return out;
}

function displacement(field: Float32Array, side: number, scale: number, sigma: number): Float64Array {
  const values = new Float64Array(field);
  const smooth = gaussianFilter(values, { rows: side, columns: side, sigma, border: "mirror", truncate: 3 });
  for (let i = 0; i < smooth.length; i++) smooth[i] = Math.fround(smooth[i]! * scale);
  return smooth;
}

/**
 * Displaces pixels: each gets the value at (x + dx, y + dy) by bilinear interpolation in float32. Beyond the
 * border, the image is mirrored and the border pixel is repeated.
 */
function displace(image: Float32Array, side: number, dx: Float64Array, dy: Float64Array): Float32Array {
  const out = new Float32Array(image.length);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++, i++) {
      const px = x + dx[i]!;
      const py = y + dy[i]!;
      const left = Math.floor(px);
      const top = Math.floor(py);
      sample(out, 3 * i, image, side, left, top, px - left, py - top, mirror);
    }
  }
  return out;
}

const mirror = (position: number, side: number): number => indexAt(position, side, "mirror");

/**
 * Interpolates the three channels between four neighbouring pixels and writes the result to `out`. `tx` and
 * `ty` are the horizontal and vertical distances from the upper left pixel, from 0 to 1.
 */
function sample(
  out: Float32Array,
  at: number,
  image: Float32Array,
  side: number,
  left: number,
  top: number,
  tx: number,
  ty: number,
  inside: (position: number, side: number) => number,
): void {
  let right = left + 1;
  let bottom = top + 1;
  if (left < 0 || top < 0 || right >= side || bottom >= side) {
    left = inside(left, side);
    right = inside(right, side);
    top = inside(top, side);
    bottom = inside(bottom, side);
  }
  const nw = (top * side + left) * 3;
  const ne = (top * side + right) * 3;
  const sw = (bottom * side + left) * 3;
  const se = (bottom * side + right) * 3;
  const wnw = (1 - tx) * (1 - ty);
  const wne = tx * (1 - ty);
  const wsw = (1 - tx) * ty;
  const wse = tx * ty;
  for (let k = 0; k < 3; k++) {
    out[at + k] = image[nw + k]! * wnw + image[ne + k]! * wne + image[sw + k]! * wsw + image[se + k]! * wse;
  }
}
