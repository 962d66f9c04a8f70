import type { Initialiser } from "../../../graph/index.js";
import { fromData } from "../../../nn/init.js";
import { checkMultiple } from "../../../util/check.js";
import type { Grid } from "../layer/grid.js";

/**
 * Computes a two-dimensional sinusoidal position code, [channels, height, width]. The number of channels must
 * be divisible by 4. With D = channels / 2 and d_j = exp(-2 j ln(10000) / D), channels 2 j and 2 j + 1 are
 * the sine and the cosine of column x d_j, and channels D + 2 j and D + 2 j + 1 those of row x d_j.
 */
export function sinusoidalCode(channels: number, [height, width]: Grid): Float32Array {
  checkMultiple("position code: channels", channels, 4);
  const half = channels / 2;
  const code = new Float32Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++) {
    const within = channel % half;
    const divisor = Math.exp((-2 * Math.floor(within / 2) * Math.log(10000)) / half);
    const wave = within % 2 === 0 ? Math.sin : Math.cos;
    for (let p = 0; p < height * width; p++) {
      const place = channel < half ? p % width : Math.floor(p / width);
      code[channel * height * width + p] = wave(place * divisor);
    }
  }
  return code;
}

/**
 * Initialises a parameter with the position code, as a map [channels, height, width] or as tokens [height x
 * width, channels].
 */
export function sinusoidalStart(
  channels: number,
  grid: Grid,
  layout: "maps" | "tokens" = "maps",
): Initialiser {
  const maps = sinusoidalCode(channels, grid);
  if (layout === "maps") return fromData(maps);
  const positions = grid[0] * grid[1];
  return fromData(
    Float32Array.from(maps, (_, i) => maps[(i % channels) * positions + Math.floor(i / channels)]!),
  );
}
