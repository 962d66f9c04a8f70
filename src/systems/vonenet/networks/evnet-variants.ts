import type { EVNetVariant } from "./evnet-variant-names.js";
import { EVNET_VARIANTS } from "./evnet-variant-names.js";
import { checkOneOf } from "../../../util/check.js";
import type { EVNetFrontEnd } from "./evnet.js";
import type { ViewingGeometry } from "../v1/receptive-fields.js";
import { sampleReceptiveFields } from "../v1/sampling.js";
import { VOneBlock } from "../v1/vone-block.js";
import type { LightAdaptation } from "../subcortical/light-adaptation.js";
import { SubcorticalBlock } from "../subcortical/subcortical-block.js";

interface VariantSettings {
  readonly p: number;
  readonly m: number;
  readonly lightAdaptation: LightAdaptation;
  readonly contrastNormalisation: boolean;
  readonly retinaNoise: boolean;
  /** Probability of each channel for the cells of V1. */
  readonly colours: readonly number[];
  readonly v1Gain: number;
  readonly v1Fano: number;
  readonly lgnToV2: boolean;
}

const STANDARD: VariantSettings = {
  p: 3,
  m: 1,
  lightAdaptation: "mean",
  contrastNormalisation: true,
  retinaNoise: true,
  colours: [0.25, 0.25, 0.25, 0.25],
  v1Gain: 5.3,
  v1Fano: 0.93,
  lgnToV2: false,
};

const SETTINGS: Readonly<Record<EVNetVariant, VariantSettings>> = {
  standard: STANDARD,
  "no-p-cells": { ...STANDARD, p: 0, colours: [1], v1Gain: 4.8, v1Fano: 0.94 },
  "no-m-cells": { ...STANDARD, m: 0, colours: [0.34, 0.34, 0.32], v1Gain: 4.5, v1Fano: 0.94 },
  "no-light-adapt": { ...STANDARD, lightAdaptation: "none", v1Gain: 4.7 },
  "no-contrast-norm": {
    ...STANDARD,
    lightAdaptation: "thresholded",
    contrastNormalisation: false,
    v1Gain: 3.2,
    v1Fano: 0.96,
  },
  "no-noise": { ...STANDARD, retinaNoise: false, v1Fano: 1 },
  "lgn-v2-connection": { ...STANDARD, lgnToV2: true },
  retina: STANDARD,
};

/** Options of `evnetFrontEnd`. The defaults are those of EVResNet-50. */
export interface EVNetFrontEndOptions extends Partial<ViewingGeometry> {
  /** Number of simple cells. Default 256. */
  readonly simple?: number;
  /** Number of complex cells. Default 256. */
  readonly complex?: number;
  /** Random seed of the receptive fields of V1. Default 42. */
  readonly seed?: number;
  /** Side of the filters of V1 in pixels. Default 31. */
  readonly kernelSize?: number;
  /** Distance in pixels between positions of V1. Default 4 (2 before EfficientNet-B0). */
  readonly stride?: number;
  /** Length of the list of colours; see `ColourDraw`. Default 512, as in the authors' code. */
  readonly colourListLength?: number;
}

/**
 * Makes the fixed stages of a published variant of EVNet. By default the images have 224 x 224 pixels and
 * span 7 degrees. With another number of cells than 512, the authors' way of drawing colours favours the
 * third channel, which is blue/yellow in most variants; `colourListLength: simple + complex` avoids this.
 *
 * @throws StriateError if the variant is unknown or an option is invalid.
 * @example
 * ```ts
 * import { evnetFrontEnd } from "striate/vonenet";
 *
 * const { retina, block } = evnetFrontEnd("standard", { imageSize: 64, visualDegrees: 2, stride: 2 });
 * console.log(retina.channels, block!.cells, block!.outputSize); // 4 512 32
 * ```
 */
export function evnetFrontEnd(
  variant: EVNetVariant = "standard",
  options: EVNetFrontEndOptions = {},
): EVNetFrontEnd {
  checkOneOf("EVNet: variant", variant, EVNET_VARIANTS);
  const { imageSize = 224, visualDegrees = 7, simple = 256, complex = 256, seed = 42 } = options;
  const { kernelSize = 31, stride = 4, colourListLength } = options;
  const settings = SETTINGS[variant];
  const { p, m, lightAdaptation, contrastNormalisation, retinaNoise, lgnToV2 } = settings;
  const geometry = { imageSize, visualDegrees };
  const retina = new SubcorticalBlock({
    ...geometry,
    p,
    m,
    lightAdaptation,
    contrastNormalisation,
    ...(retinaNoise && { noise: {} }),
  });
  if (variant === "retina") return { retina };
  const channels = retina.channels;
  const listLength = colourListLength === undefined ? {} : { listLength: colourListLength };
  const fields = sampleReceptiveFields({
    simple,
    complex,
    seed,
    maxFrequency: 8,
    colours: { channels, probabilities: settings.colours, ...listLength },
  });
  const block = new VOneBlock({
    ...geometry,
    fields,
    channels,
    kernelSize,
    stride,
    gain: settings.v1Gain,
    noise: { kind: "signed-neuronal", fano: settings.v1Fano },
  });
  return { retina, block, lgnToV2 };
}
