import { checkOneOf } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { NumpyRandom } from "../../../util/numpy-random.js";
import { drawColours } from "./colour-draw.js";
import { drawJoined, drawUniform } from "./field-shapes.js";
import type { Shapes } from "./field-shapes.js";
import type { Histogram } from "./histograms.js";
import { HISTOGRAMS_2023 } from "./histograms.js";
import { inverseCdf, truncated } from "./inverse-cdf.js";
import type { ReceptiveFields } from "./receptive-fields.js";
import { checkCells } from "./receptive-fields.js";
import { sampleFields2020 } from "./sampling-2020.js";
import type { SamplingOptions } from "./sampling-options.js";
import type { Variant } from "./sampling-options.js";
import { VARIANTS } from "./sampling-options.js";

/**
 * Draws receptive fields. With the same random seed, the cells are the same as those of the authors' code
 * (Barbulescu et al. 2023, arXiv:2310.10575; for the "orig-" variants, Dapello et al. 2020; with `colours` and
 * a `maxFrequency` of 8, Piper et al. 2025).
 *
 * @throws StriateError if the variant is unknown, if there are no cells, if no bin of the histogram lies in
 * the range of spatial frequencies, or if the counts of colours do not add up.
 * @example
 * ```ts
 * import { sampleReceptiveFields } from "striate/vonenet";
 *
 * const { orientation } = sampleReceptiveFields({ variant: "biol", simple: 4, complex: 4, seed: 0 });
 * console.log(orientation.length); // 8
 * ```
 */
export function sampleReceptiveFields(options: SamplingOptions = {}): ReceptiveFields {
  const { variant = "biol", simple = 256, complex = 256, seed = 0, colours } = options;
  checkOneOf("receptive fields: variant", variant, VARIANTS);
  checkCells(simple, complex);
  if (variant === "orig-biol" || variant === "orig-rand") {
    check(
      colours === undefined,
      () => `receptive fields: colours: expected none for the variant ${variant}, got ${colours!.channels}`,
    );
    return sampleFields2020(variant, options);
  }
  const random = new NumpyRandom(seed);
  const properties = drawProperties(random, { ...options, variant, simple, complex });
  const cells = simple + complex;
  const colour =
    colours === undefined ? coloursOf2023(cells, seed) : drawColours(random, cells, colours).slice(0, cells);
  return {
    simple,
    complex,
    ...properties,
    colour,
    quadratureColour: colour,
    source: {
      variant,
      seed,
      ...rangesOf(variant, options),
      ...(colours && { colours: JSON.stringify(colours) }),
    },
  };
}

type Variant2023 = Exclude<Variant, "orig-biol" | "orig-rand">;

function rangesOf(variant: Variant2023, options: SamplingOptions) {
  const independent = variant === "unif1" || variant === "unif2";
  const { correlation = independent ? 0 : 0.75, minFrequency = 0, maxFrequency = 11.5 } = options;
  return { correlation, minFrequency, maxFrequency };
}

/** Draws all properties of cells but their colours. The generator can go on to draw the colours. */
export function drawProperties(
  random: NumpyRandom,
  options: SamplingOptions & {
    readonly variant: Variant2023;
    readonly simple: number;
    readonly complex: number;
  },
): Shapes & Pick<ReceptiveFields, "orientation" | "phase"> {
  const { variant, simple, complex } = options;
  const { correlation, minFrequency, maxFrequency } = rangesOf(variant, options);
  const histograms = { ...HISTOGRAMS_2023, ...options.histograms };
  const { spatialFrequency: measured } = histograms;
  const cells = simple + complex;

  const phase = random.fill(cells, (r) => r.uniform() * 360);
  const orientationAt = inverseCdf(
    variant === "biol" ? histograms.orientation : { edges: [0, 180], counts: [1], scale: "linear" },
  );
  const orientation = random.fill(cells, (r) => orientationAt(r.uniform()));

  const draw = { random, correlation, widths: histograms.widths };
  const frequencyOf = (histogram: Histogram) => truncated(histogram, minFrequency, maxFrequency);
  if (variant === "biol") {
    const groups = [
      [simple, measured.simple],
      [complex, measured.complex],
    ] as const;
    const shapes = drawJoined(
      groups.flatMap(([count, histogram]) =>
        count === 0 ? [] : [{ ...draw, count, frequency: frequencyOf(histogram) }],
      ),
    );
    return { ...shapes, orientation, phase };
  }
  const frequency = frequencyOf({ ...measured.simple, counts: measured.simple.counts.map(() => 1) });
  const jitter = variant === "unif1" ? undefined : (options.jitter ?? 0.22);
  return { ...drawUniform({ ...draw, count: cells, frequency, jitter }), orientation, phase };
}

/** Draws a colour for each cell from a generator that starts again from the seed. */
function coloursOf2023(cells: number, seed: number): Int32Array {
  const random = new NumpyRandom(seed);
  return Int32Array.from({ length: cells }, () => random.integer(3));
}
