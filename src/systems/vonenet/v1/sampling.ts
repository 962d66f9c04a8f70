import { checkOneOf } from "../../../util/check.js";
import { NumpyRandom } from "../../../util/numpy-random.js";
import { drawJoined, drawUniform } from "./field-shapes.js";
import type { Shapes } from "./field-shapes.js";
import type { Histogram } from "./histograms.js";
import { HISTOGRAMS_2023 } from "./histograms.js";
import { inverseCdf, truncated } from "./inverse-cdf.js";
import type { ReceptiveFields } from "./receptive-fields.js";
import { checkCells } from "./receptive-fields.js";
import { sampleFields2020 } from "./sampling-2020.js";
import type { SamplingOptions } from "./sampling-options.js";
import { VARIANTS } from "./sampling-options.js";

/**
 * Draws receptive fields. With the same random seed, the cells are the same as those of the authors' code
 * (Barbulescu et al. 2023, arXiv:2310.10575; for the "orig-" variants, Dapello et al. 2020).
 *
 * @throws StriateError if the variant is unknown, if there are no cells, or if no bin of the histogram lies
 * in the range of spatial frequencies.
 * @example
 * ```ts
 * import { sampleReceptiveFields } from "striate/vonenet";
 *
 * const { orientation } = sampleReceptiveFields({ variant: "biol", simple: 4, complex: 4, seed: 0 });
 * console.log(orientation.length); // 8
 * ```
 */
export function sampleReceptiveFields(options: SamplingOptions = {}): ReceptiveFields {
  const { variant = "biol", simple = 256, complex = 256, seed = 0 } = options;
  checkOneOf("receptive fields: variant", variant, VARIANTS);
  checkCells(simple, complex);
  if (variant === "orig-biol" || variant === "orig-rand") return sampleFields2020(variant, options);
  const independent = variant === "unif1" || variant === "unif2";
  const { correlation = independent ? 0 : 0.75, minFrequency = 0, maxFrequency = 11.5 } = options;
  const histograms = { ...HISTOGRAMS_2023, ...options.histograms };
  const { spatialFrequency: measured } = histograms;
  const random = new NumpyRandom(seed);
  const cells = simple + complex;

  const phase = random.fill(cells, (r) => r.uniform() * 360);
  const orientationAt = inverseCdf(
    variant === "biol" ? histograms.orientation : { edges: [0, 180], counts: [1], scale: "linear" },
  );
  const orientation = random.fill(cells, (r) => orientationAt(r.uniform()));

  const draw = { random, correlation, widths: histograms.widths };
  const frequencyOf = (histogram: Histogram) => truncated(histogram, minFrequency, maxFrequency);
  let shapes: Shapes;
  if (variant === "biol") {
    const groups = [
      [simple, measured.simple],
      [complex, measured.complex],
    ] as const;
    shapes = drawJoined(
      groups.flatMap(([count, histogram]) =>
        count === 0 ? [] : [{ ...draw, count, frequency: frequencyOf(histogram) }],
      ),
    );
  } else {
    const frequency = frequencyOf({ ...measured.simple, counts: measured.simple.counts.map(() => 1) });
    const jitter = variant === "unif1" ? undefined : (options.jitter ?? 0.22);
    shapes = drawUniform({ ...draw, count: cells, frequency, jitter });
  }

  const colours = new NumpyRandom(seed);
  const colour = Int32Array.from({ length: cells }, () => colours.integer(3));
  return {
    simple,
    complex,
    ...shapes,
    orientation,
    phase,
    colour,
    quadratureColour: colour,
    source: { variant, seed, correlation, minFrequency, maxFrequency },
  };
}
