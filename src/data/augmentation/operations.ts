import type { RgbImage } from "../images/rgb-image.js";
import { changeBrightness, changeContrast, changeSaturation } from "./colour.js";
import {
  autoContrast,
  changeSharpness,
  equalise,
  posterise,
  rotation,
  sample,
  shearX,
  shearY,
  solarise,
} from "./pixel-operations.js";

/**
 * An operation and its strength in the highest bin. The strength of a `signed` operation is negated with
 * probability 1/2.
 */
export interface Operation {
  readonly strongest: (image: RgbImage) => number;
  readonly signed?: boolean;
  apply(image: RgbImage, magnitude: number): RgbImage;
}

const inPlace =
  (change: (data: Uint8Array, magnitude: number) => void) =>
  ({ width, height, data }: RgbImage, magnitude: number): RgbImage => {
    const copy = data.slice();
    change(copy, magnitude);
    return { width, height, data: copy };
  };
const always = (value: number) => () => value;

/** Strengths in which AugMix and RandAugment differ in torchvision. */
export interface OperationStrengths {
  /** Largest translation, as a share of the width or height. */
  readonly translation: number;
  /** Bits that posterising keeps at strength 0; four fewer at the greatest strength. */
  readonly bits: number;
}

/** The 13 operations that AugMix and RandAugment draw from. */
export function operationsWith({ translation, bits: kept }: OperationStrengths): readonly Operation[] {
  return [
    { strongest: always(0.3), signed: true, apply: (image, slope) => sample(image, shearX(slope)) },
    { strongest: always(0.3), signed: true, apply: (image, slope) => sample(image, shearY(slope)) },
    {
      strongest: ({ width }) => width * translation,
      signed: true,
      apply: (image, pixels) => sample(image, [1, 0, -Math.trunc(pixels), 0, 1, 0]),
    },
    {
      strongest: ({ height }) => height * translation,
      signed: true,
      apply: (image, pixels) => sample(image, [1, 0, 0, 0, 1, -Math.trunc(pixels)]),
    },
    {
      strongest: always(30),
      signed: true,
      apply: (image, degrees) => sample(image, rotation(degrees, image.width, image.height)),
    },
    {
      strongest: always(4),
      apply: inPlace((data, bits) => {
        posterise(data, kept - Math.round(bits));
      }),
    },
    {
      strongest: always(255),
      apply: inPlace((data, darker) => {
        solarise(data, 255 - darker);
      }),
    },
    { strongest: always(0), apply: inPlace(autoContrast) },
    { strongest: always(0), apply: inPlace(equalise) },
    {
      strongest: always(0.9),
      signed: true,
      apply: inPlace((data, more) => {
        changeBrightness(data, 1 + more);
      }),
    },
    {
      strongest: always(0.9),
      signed: true,
      apply: inPlace((data, more) => {
        changeSaturation(data, 1 + more);
      }),
    },
    {
      strongest: always(0.9),
      signed: true,
      apply: inPlace((data, more) => {
        changeContrast(data, 1 + more);
      }),
    },
    { strongest: always(0.9), signed: true, apply: (image, more) => changeSharpness(image, 1 + more) },
  ];
}
