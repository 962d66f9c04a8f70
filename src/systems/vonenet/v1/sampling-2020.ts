import { NumpyRandom } from "../../../util/numpy-random.js";
import type { Shapes } from "./field-shapes.js";
import { drawMeasured } from "./field-shapes.js";
import { HISTOGRAMS_2020 } from "./histograms.js";
import { inverseCdf, truncated } from "./inverse-cdf.js";
import type { ReceptiveFields } from "./receptive-fields.js";
import type { SamplingOptions } from "./sampling-options.js";

/**
 * Draws receptive fields as Dapello et al. 2020 do. Simple and complex cells share one histogram of spatial
 * frequencies. The colour channel of a cell and that of its quadrature partner are drawn separately, so the
 * two usually differ.
 */
export function sampleFields2020(
  variant: "orig-biol" | "orig-rand",
  options: SamplingOptions,
): ReceptiveFields {
  const { simple = 256, complex = 256, seed = 0, colourSeed = seed } = options;
  const { correlation = 0.75, minFrequency = 0, maxFrequency = 9 } = options;
  const {
    orientation: orientations,
    spatialFrequency,
    widths,
  } = { ...HISTOGRAMS_2020, ...options.histograms };
  const measured = variant === "orig-biol";
  const cells = simple + complex;
  const random = new NumpyRandom(seed);

  const phase = random.fill(cells, (r) => r.uniform() * 360);
  const orientationAt = inverseCdf(
    measured ? orientations : { edges: [0, 180], counts: [1], scale: "linear" },
  );
  const orientation = random
    .fill(cells, (r) => orientationAt(r.uniform()))
    .map((degrees) => (degrees < 0 ? degrees + 180 : degrees));

  let shapes: Shapes;
  if (measured) {
    const frequency = truncated(spatialFrequency.simple, minFrequency, maxFrequency);
    shapes = drawMeasured({ random, count: cells, correlation, frequency, widths });
  } else {
    const { edges, counts } = spatialFrequency.simple;
    // Here the last edge must be below the bound; in the 2023 code it may also be equal to it.
    const below = edges.filter((edge) => edge < maxFrequency).at(-1) ?? -Infinity;
    const even = { ...spatialFrequency.simple, counts: counts.map(() => 1) };
    const sfAt = inverseCdf(truncated(even, minFrequency, below));
    const widthAt = inverseCdf({
      edges: [widths.edges[0]!, widths.edges.at(-1)!],
      counts: [1],
      scale: "log10",
    });
    shapes = {
      spatialFrequency: random.fill(cells, (r) => sfAt(r.uniform())),
      nx: random.fill(cells, (r) => widthAt(r.uniform())),
      ny: random.fill(cells, (r) => widthAt(r.uniform())),
    };
  }

  // torch.randint takes the same 32-bit words modulo 3.
  const words = new NumpyRandom(colourSeed);
  const colours = () => Int32Array.from({ length: cells }, () => words.word() % 3);
  return {
    simple,
    complex,
    ...shapes,
    orientation,
    phase,
    colour: colours(),
    quadratureColour: colours(),
    source: { variant, seed, colourSeed, correlation, minFrequency, maxFrequency },
  };
}
