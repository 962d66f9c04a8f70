import type { Initialiser, Tensor } from "../../../graph/index.js";
import { parameter, reshape, resizeBilinear, transpose } from "../../../graph/index.js";
import { fromData } from "../../../nn/init.js";
import { checkMultiple } from "../../../util/check.js";
import type { Grid } from "./grid.js";

/**
 * Computes the angle of each plane of a head at each position, [height x width, headWidth / 2], with
 * positions row by row. At a position (row, column), counted from 0, the angles are row x f_0, column x f_0,
 * row x f_1, column x f_1, ... with f_j = 10000^(-j / F) and F = ceil(headWidth / 4).
 */
export function positionAngles([height, width]: Grid, headWidth: number): Float64Array {
  const planes = Math.floor(headWidth / 2);
  const frequencies = Math.ceil(headWidth / 4);
  const angles = new Float64Array(height * width * planes);
  for (let p = 0; p < height * width; p++) {
    const place = [Math.floor(p / width), p % width];
    for (let plane = 0; plane < planes; plane++) {
      angles[p * planes + plane] = place[plane % 2]! * 10000 ** (-(plane >> 1) / frequencies);
    }
  }
  return angles;
}

/**
 * Computes the rotation matrices [[cos, -sin], [sin, cos]] of all angles, or the inverse rotations if
 * `transposed` is true.
 */
export function turns(angles: Float64Array, transposed = false): Float32Array {
  const matrices = new Float32Array(angles.length * 4);
  angles.forEach((angle, i) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle) * (transposed ? -1 : 1)];
    matrices.set([c, -s, s, c], 4 * i);
  });
  return matrices;
}

/**
 * The learned position transforms of AKOrN's attention (GTA; Miyato et al. 2024, arXiv:2310.10375), one each
 * for queries, keys, values and the result. Each has a 2 x 2 matrix for every position and every plane of a
 * head, [positions, headWidth / 2, 2, 2], which all heads share. The matrices start as rotations by
 * {@link positionAngles}, those of the result as the inverse rotations. They are trained without constraint.
 */
export class PositionRotations {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly output: Tensor;

  constructor(
    readonly grid: Grid,
    headWidth: number,
  ) {
    checkMultiple("attention: channels of a head with rotations", headWidth, 2);
    const shape = [grid[0] * grid[1], headWidth / 2, 2, 2];
    const start =
      (transposed: boolean): Initialiser =>
      (dims, random) =>
        fromData(turns(positionAngles(grid, headWidth), transposed))(dims, random);
    this.query = parameter(shape, start(false));
    this.key = parameter(shape, start(false));
    this.value = parameter(shape, start(false));
    this.output = parameter(shape, start(true));
  }

  /**
   * Resizes one of the four transforms to another grid, by bilinear interpolation of every matrix entry over
   * positions.
   */
  resized(matrices: Tensor, grid: Grid): Tensor {
    const [positions, planes] = matrices.shape as readonly number[];
    if (grid.join() === this.grid.join()) return matrices;
    const maps = transpose(reshape(matrices, [positions!, planes! * 4]), [1, 0]);
    const larger = resizeBilinear(reshape(maps, [1, planes! * 4, ...this.grid]), grid);
    const [rows, columns] = grid;
    return reshape(transpose(reshape(larger, [planes! * 4, rows * columns]), [1, 0]), [-1, planes!, 2, 2]);
  }
}
