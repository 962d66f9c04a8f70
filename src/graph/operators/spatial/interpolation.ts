import type { AxisMatrix } from "../linear/axis-matrix.js";
import { axisMatrix } from "../linear/axis-matrix.js";

/** How ONNX's Resize reads its input along one axis. The names of modes and coordinates are ONNX's. */
export interface Interpolation {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  readonly nearestMode: string;
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
  /** Whether shrinking averages over all input elements that a result covers (antialiasing). */
  readonly antialias: boolean;
  /** Start and end of the part of the axis to read, as fractions of its length; for crops only. */
  readonly region: readonly [start: number, end: number] | undefined;
}

const round = Math.fround;

/** For each output element, its position in the input, in single precision as the runtimes compute it. */
function sourcePositions(
  length: number,
  count: number,
  scale: number,
  { coordinates, region = [0, 1] }: Interpolation,
): number[] {
  const s = round(scale);
  const shift = (i: number) => round(round((i + 0.5) / s) - 0.5);
  const at = (i: number): number => {
    switch (coordinates) {
      case "asymmetric":
        return round(i / s);
      case "half_pixel":
        return shift(i);
      case "pytorch_half_pixel":
        return count > 1 ? shift(i) : 0;
      case "align_corners":
        return count > 1 ? round((i * (length - 1)) / (count - 1)) : 0;
      case "half_pixel_symmetric": {
        const adjustment = count / (s * length);
        return (length / 2) * (1 - adjustment) + shift(i);
      }
      case "tf_crop_and_resize": {
        const [start, end] = region;
        if (count === 1) return 0.5 * (start + end) * (length - 1);
        return start * (length - 1) + (i * (end - start) * (length - 1)) / (count - 1);
      }
      default:
        throw new RangeError(coordinates);
    }
  };
  return Array.from({ length: count }, (_, i) => at(i));
}

export function isSupportedCoordinates(coordinates: string): boolean {
  const known = ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners", "half_pixel_symmetric"];
  return known.includes(coordinates) || coordinates === "tf_crop_and_resize";
}

function nearest(position: number, mode: string): number {
  if (Number.isInteger(position)) return position;
  switch (mode) {
    case "floor":
      return Math.floor(position);
    case "ceil":
      return Math.ceil(position);
    case "round_prefer_ceil":
      return Math.floor(position + 0.5);
    default:
      return Math.ceil(position - 0.5);
  }
}

/**
 * The weights of the four elements around a position with the fractional part t, by Keys' cubic kernel with
 * parameter a.
 */
function cubicWeights(t: number, a: number): number[] {
  const near = (d: number) => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  const far = (d: number) => a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/**
 * The elements within the reach of the kernel, with their weights. The kernel is stretched by the factor by
 * which the axis shrinks.
 */
function wideWeights(
  position: number,
  scale: number,
  length: number,
  { mode, cubicCoefficient: a, excludeOutside }: Interpolation,
): { cell: number; weight: number }[] {
  const kernel = (distance: number): number => {
    const d = Math.abs(distance);
    if (mode === "linear") return Math.max(0, 1 - d);
    if (d >= 2) return 0;
    return d < 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : a * (d ** 3 - 5 * d ** 2 + 8 * d - 4);
  };
  const reach = (mode === "linear" ? 1 : 2) / scale;
  const first = Math.floor(position - reach);
  const cells = Array.from({ length: Math.ceil(2 * reach) + 2 }, (_, i) => first + i).filter(
    (cell) => !excludeOutside || (cell >= 0 && cell < length),
  );
  const weights = cells.map((cell) => kernel((cell - position) * scale));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return cells.map((cell, i) => ({
    cell: Math.min(Math.max(cell, 0), length - 1),
    weight: weights[i]! / total,
  }));
}

/** The matrix [count, length] that resizes one axis. */
export function interpolationMatrix(
  length: number,
  count: number,
  scale: number,
  how: Interpolation,
): AxisMatrix {
  const positions = sourcePositions(length, count, scale, how);
  const clamp = (cell: number) => Math.min(Math.max(cell, 0), length - 1);
  return axisMatrix(count, length, (add) => {
    for (const [row, position] of positions.entries()) {
      // A crop reads a constant outside the input.
      if (how.coordinates === "tf_crop_and_resize" && (position < 0 || position > length - 1)) continue;
      if (how.antialias && how.mode !== "nearest" && scale < 1) {
        for (const { cell, weight } of wideWeights(position, scale, length, how)) add(row, cell, weight);
        continue;
      }
      if (how.mode === "nearest") {
        add(row, clamp(nearest(position, how.nearestMode)), 1);
        continue;
      }
      if (how.mode === "linear") {
        const inside = clamp(position);
        const cell = Math.floor(inside);
        add(row, cell, 1 - (inside - cell));
        add(row, clamp(cell + 1), inside - cell);
        continue;
      }
      const cell = Math.floor(position);
      const cells = [cell - 1, cell, cell + 1, cell + 2];
      const weights = cubicWeights(position - cell, how.cubicCoefficient).map((weight, i) =>
        how.excludeOutside && (cells[i]! < 0 || cells[i]! >= length) ? 0 : weight,
      );
      const total = how.excludeOutside ? weights.reduce((a, b) => a + b, 0) : 1;
      for (const [i, weight] of weights.entries()) add(row, clamp(cells[i]!), weight / total);
    }
  });
}
