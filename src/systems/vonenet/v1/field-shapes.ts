import { check } from "../../../util/errors.js";
import { normalCdf } from "../../../util/normal-cdf.js";
import type { NumpyRandom } from "../../../util/numpy-random.js";
import type { Histogram, JointHistogram } from "./histograms.js";
import { inverseCdf } from "./inverse-cdf.js";

/** Spatial frequencies (in cycles per degree) and widths (in cycles) of cells. */
export interface Shapes {
  readonly spatialFrequency: Float64Array;
  readonly nx: Float64Array;
  readonly ny: Float64Array;
}

export interface ShapeDraw {
  readonly random: NumpyRandom;
  readonly count: number;
  readonly correlation: number;
  readonly frequency: Histogram;
  readonly widths: JointHistogram;
}

/**
 * Draws from measured histograms. nx and the spatial frequency sf are correlated through a Gaussian copula:
 * nx = F_nx^-1(Phi(a)) and sf = F_sf^-1(Phi(b)), where a and b are correlated normal draws, Phi is the normal
 * cumulative distribution, and F is that of the histogram. ny is drawn from the row of the joint histogram to
 * which nx belongs.
 */
export function drawMeasured({ random, count, correlation, frequency, widths }: ShapeDraw): Shapes {
  const pairs = Array.from({ length: count }, () => random.correlatedPair(correlation));
  const draws = random.fill(count, (r) => r.uniform());
  const { edges, counts } = widths;
  const sums = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const nxAt = inverseCdf({ edges, counts: sums, scale: "log10" });
  const sfAt = inverseCdf(frequency);
  // A bin of nx that contains no cells is never drawn. Its row of zeros is no distribution, so leave it
  // undefined.
  const nyAt = counts.map((row, k) =>
    sums[k] === 0 ? undefined : inverseCdf({ edges, counts: row, scale: "log10" }),
  );
  const nx = Float64Array.from(pairs, ([a]) => nxAt(normalCdf(a)));
  return {
    spatialFrequency: Float64Array.from(pairs, ([, b]) => sfAt(normalCdf(b))),
    nx,
    ny: draws.map((u, i) => {
      const bin = Math.max(
        0,
        Math.min(
          counts.length - 1,
          edges.findLastIndex((edge) => edge < nx[i]!),
        ),
      );
      const at = nyAt[bin];
      check(at, () => `receptive fields: the histogram has no cells with a width of ${nx[i]!} cycles`);
      return at(u);
    }),
  };
}

/**
 * Draws widths and spatial frequency uniformly on their scales. ny is independent of nx if `jitter` is
 * undefined. Otherwise it is nx with log-normal jitter, clipped to the range of widths.
 */
export function drawUniform(draw: ShapeDraw & { readonly jitter: number | undefined }): Shapes {
  const { random, count, correlation, frequency, widths, jitter } = draw;
  const [low, high] = [widths.edges[0]!, widths.edges.at(-1)!];
  const widthAt = inverseCdf({ edges: [low, high], counts: [1], scale: "log10" });
  const sfAt = inverseCdf(frequency);
  const pairs = Array.from({ length: count }, () => random.correlatedPair(correlation));
  const nx = Float64Array.from(pairs, ([a]) => widthAt(normalCdf(a)));
  const spread = (n: number) =>
    Math.min(high, Math.max(low, 10 ** (Math.log10(n) + jitter! * random.normal())));
  return {
    spatialFrequency: Float64Array.from(pairs, ([, b]) => sfAt(normalCdf(b))),
    nx,
    ny: jitter === undefined ? random.fill(count, (r) => widthAt(r.uniform())) : nx.map(spread),
  };
}

/** Draws groups of cells one after another, each from its own histogram. */
export function drawJoined(groups: readonly ShapeDraw[]): Shapes {
  const parts = groups.map(drawMeasured);
  const join = (key: keyof Shapes) => Float64Array.from(parts.flatMap((part) => [...part[key]]));
  return { spatialFrequency: join("spatialFrequency"), nx: join("nx"), ny: join("ny") };
}
