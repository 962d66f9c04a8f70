import type { Preprocessing } from "../data/images/preprocessing.js";
import type { Tensor } from "../graph/index.js";
import { constant, div, mul, reverse, sub, transpose } from "../graph/index.js";

/** Adds the network's preprocessing to the graph, for images [batch, channels, height, width] in [0, 1]. */
export function applyPreprocessing(images: Tensor, preprocessing: Preprocessing): Tensor {
  const { scale = 1, mean = [0], std = [1], layout = "NCHW", colours = "RGB" } = preprocessing;
  const perChannel = (values: readonly number[]): Tensor => constant(values, [1, values.length, 1, 1]);
  let x = images;
  if (scale !== 1) x = mul(x, scale);
  if (mean.some((value) => value !== 0)) x = sub(x, perChannel(mean));
  if (std.some((value) => value !== 1)) x = div(x, perChannel(std));
  if (colours === "BGR") x = reverse(x, 1);
  return layout === "NHWC" ? transpose(x, [0, 2, 3, 1]) : x;
}
