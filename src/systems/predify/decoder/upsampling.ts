import type { AxisMatrix } from "../../../graph/operators/linear/axis-matrix.js";
import { axisMatrix } from "../../../graph/operators/linear/axis-matrix.js";

const single = Math.fround;

/**
 * Makes the matrix [count, length] that resizes one axis. With "nearest", output o is input floor(o / scale).
 * With "linear", output o is interpolated at position u = max((o + 0.5) / scale - 0.5, 0), computed in single
 * precision. It lies between inputs i = floor(u) and min(i + 1, length - 1); the second has the weight u - i.
 */
export function resizeMatrix(
  length: number,
  count: number,
  scale: number,
  mode: "linear" | "nearest",
): AxisMatrix {
  const inverse = single(1 / scale);
  return axisMatrix(count, length, (add) => {
    for (let o = 0; o < count; o++) {
      if (mode === "nearest") {
        add(o, Math.min(Math.floor(single(o * inverse)), length - 1), 1);
        continue;
      }
      const u = Math.max(single(single(inverse * (o + 0.5)) - 0.5), 0);
      const cell = Math.min(Math.floor(u), length - 1);
      const weight = Math.min(Math.max(single(u - cell), 0), 1);
      add(o, cell, single(1 - weight));
      if (weight > 0) add(o, Math.min(cell + 1, length - 1), weight);
    }
  });
}
