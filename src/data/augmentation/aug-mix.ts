import type { Random } from "../../util/random.js";
import type { RgbImage } from "../images/rgb-image.js";
import { operationsWith } from "./operations.js";

const OPERATIONS = operationsWith({ translation: 1 / 3, bits: 4 });

const BINS = 10;
/** Number of bins, out of ten, from which operations draw their strengths: the weakest ones. */
const SEVERITY = 3;
const CHAINS = 3;
const DEEPEST = 3;

/**
 * AugMix (Hendrycks et al. 2020) with torchvision's defaults. Three chains of one to three operations each
 * are mixed with weights from a flat Dirichlet distribution. The mixture is then blended with the original
 * image; the two weights for this come from a flat Dirichlet distribution, too. The 13 operations are shear
 * (x, y), translation (x, y) and rotation, all bilinear with black outside the image, and posterise,
 * solarise, auto-contrast, equalise, brightness, saturation, contrast and sharpness. Each operation has one
 * of the three lowest of ten strengths.
 */
export function augMix(image: RgbImage, random: Random): RgbImage {
  const [original, mixed] = flatDirichlet(random, 2) as [number, number];
  const weights = flatDirichlet(random, CHAINS);
  const sum = Float64Array.from(image.data, (value) => original * value);
  for (const weight of weights) {
    let chain = image;
    for (let depth = random.integer(1, DEEPEST + 1); depth > 0; depth--) {
      const operation = OPERATIONS[random.integer(0, OPERATIONS.length)]!;
      const magnitude = (operation.strongest(image) * random.integer(0, SEVERITY)) / (BINS - 1);
      const sign = operation.signed === true && random.uniform() < 0.5 ? -1 : 1;
      chain = operation.apply(chain, sign * magnitude);
    }
    for (let i = 0; i < sum.length; i++) sum[i]! += mixed * weight * chain.data[i]!;
  }
  // The weights sum to 1 only up to rounding errors, which must not darken a white image.
  return { ...image, data: Uint8Array.from(sum, (value) => Math.min(255, value + 1e-9)) };
}

/**
 * Draws positive numbers that sum to 1, uniformly over all such lists: exponential draws divided by their
 * sum.
 */
function flatDirichlet(random: Random, count: number): number[] {
  const draws = Array.from({ length: count }, () => -Math.log(1 - random.uniform()));
  const sum = draws.reduce((a, b) => a + b, 0);
  return draws.map((draw) => draw / sum);
}
