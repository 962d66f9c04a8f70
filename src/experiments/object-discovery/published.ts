import type { DiscoveryModelName } from "./plan.js";

/** Mean and standard deviation over seeds, in %. */
type Reported = readonly [mean: number, deviation: number];

export interface PaperResult {
  readonly foregroundAri: Reported;
  readonly bestOverlap: Reported;
}

export interface PaperRow extends PaperResult {
  readonly model: DiscoveryModelName;
  /** The factor of up-tiling. */
  readonly upTiling: 1 | 4;
}

const row = (
  model: DiscoveryModelName,
  upTiling: 1 | 4,
  foregroundAri: Reported,
  bestOverlap: Reported,
): PaperRow => ({ model, upTiling, foregroundAri, bestOverlap });

/** The scores in the authors' repository (autonomousvision/akorn), from the full recipe on the published sets. */
export const PAPER_RESULTS: Readonly<Record<string, readonly PaperRow[]>> = {
  tetrominoes: [
    row("itrconv", 1, [59.0, 2.9], [51.6, 2.2]),
    row("akorn-conv", 1, [76.4, 0.8], [51.9, 1.5]),
    row("itrsa", 1, [85.8, 0.8], [54.9, 3.4]),
    row("akorn-attn", 1, [88.6, 1.7], [56.4, 0.9]),
    row("akorn-attn", 4, [93.1, 0.3], [56.3, 0.0]),
  ],
  dsprites: [
    row("itrconv", 1, [29.1, 6.2], [38.5, 5.2]),
    row("akorn-conv", 1, [63.8, 7.7], [50.7, 4.7]),
    row("itrsa", 1, [68.1, 1.4], [63.0, 1.2]),
    row("akorn-attn", 1, [78.3, 1.3], [63.0, 1.8]),
    row("akorn-attn", 4, [87.1, 1.0], [60.2, 1.9]),
  ],
  shapes: [],
  clevr: [
    row("itrconv", 1, [49.3, 5.1], [29.7, 3.0]),
    row("akorn-conv", 1, [59.0, 4.3], [44.4, 2.0]),
    row("itrsa", 1, [82.5, 1.7], [39.4, 1.9]),
    row("akorn-attn", 1, [91.0, 0.5], [45.5, 1.4]),
    row("akorn-attn", 4, [94.6, 0.7], [44.7, 0.7]),
  ],
  clevrtex: [
    row("vit", 1, [46.4, 0.6], [25.1, 0.7]),
    row("itrsa", 1, [65.7, 0.3], [44.6, 0.9]),
    row("itrsa-2", 1, [76.3, 0.4], [48.5, 0.1]),
    row("akorn-attn", 1, [75.6, 0.2], [55.0, 0.0]),
    row("akorn-attn-2", 1, [80.5, 1.5], [54.9, 0.6]),
    row("akorn-attn-2", 4, [87.7, 1.0], [55.3, 2.1]),
    row("akorn-attn-large", 4, [88.5, 0.9], [59.7, 0.9]),
  ],
  "clevrtex-outd": [
    row("vit", 1, [44.1, 0.5], [27.2, 0.5]),
    row("itrsa", 1, [64.6, 0.8], [45.1, 0.4]),
    row("itrsa-2", 1, [74.9, 0.8], [46.4, 0.5]),
    row("akorn-attn", 1, [73.4, 0.4], [56.1, 1.1]),
    row("akorn-attn-2", 1, [79.2, 1.2], [55.7, 0.5]),
    row("akorn-attn-2", 4, [85.2, 0.9], [55.6, 1.5]),
    row("akorn-attn-large", 4, [87.7, 0.5], [60.8, 0.6]),
  ],
  "clevrtex-camo": [
    row("vit", 1, [32.5, 0.6], [16.1, 1.1]),
    row("itrsa", 1, [49.0, 0.7], [30.2, 0.8]),
    row("itrsa-2", 1, [61.9, 1.3], [37.1, 0.5]),
    row("akorn-attn", 1, [59.9, 0.1], [44.3, 0.9]),
    row("akorn-attn-2", 1, [67.7, 1.5], [46.2, 0.9]),
    row("akorn-attn-2", 4, [74.5, 1.2], [45.6, 3.4]),
    row("akorn-attn-large", 4, [77.0, 0.5], [53.4, 0.7]),
  ],
};

/** The paper's scores of a network, or undefined if the paper does not report it. */
export function paperResult(set: string, model: string, upTiling: number): PaperResult | undefined {
  return PAPER_RESULTS[set]?.find((one) => one.model === model && one.upTiling === upTiling);
}
