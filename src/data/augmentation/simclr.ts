import { check } from "../../util/errors.js";
import type { RandomLabel } from "../../util/random.js";
import { Random } from "../../util/random.js";
import type { RgbImage } from "../images/rgb-image.js";
import type { SegmentedScenes } from "../scenes/segmented-scenes.js";
import { scenePicture } from "../scenes/segmented-scenes.js";
import type { ColourJitter } from "./colour.js";
import { jitterColours, toGrey } from "./colour.js";
import type { CropRanges } from "./random-crop.js";
import { mirror, randomResizedCrop } from "./random-crop.js";

/** Strengths of the changes that `simclrView` makes to an image (Chen et al. 2020, appendix A). */
export interface SimclrOptions {
  /**
   * Area and aspect ratio of the crop. Default: 0.08 to 1 of the image's area, and aspect ratios from 3/4 to
   * 4/3.
   */
  readonly crop?: CropRanges;
  /** Probability of mirroring the image. Default 0. */
  readonly flip?: number;
  /** Strengths of the colour jitter. Default 0.4 for brightness, contrast and saturation, 0.1 for hue. */
  readonly jitter?: ColourJitter;
  /** Probability of the colour jitter. Default 0.8. */
  readonly jitterProbability?: number;
  /** Probability of converting the image to grey. Default 0.2. */
  readonly greyProbability?: number;
}

/** Strengths of the colour jitter in the training of AKOrN. */
export const AKORN_JITTER: ColourJitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };

/**
 * Makes one random view of an image for contrastive learning as in SimCLR (Chen et al. 2020), but without
 * blur: resized crop, mirroring, colour jitter, conversion to grey. The defaults are those of AKOrN's object
 * discovery. The function works on 8-bit values and returns an image of `size` x `size` pixels.
 */
export function simclrView(
  image: RgbImage,
  size: number,
  random: Random,
  options: SimclrOptions = {},
): RgbImage {
  const { crop = { scale: [0.08, 1] }, flip = 0, jitter = AKORN_JITTER } = options;
  const { jitterProbability = 0.8, greyProbability = 0.2 } = options;
  const view = randomResizedCrop(image, size, crop, random);
  if (random.uniform() < flip) mirror(view);
  if (random.uniform() < jitterProbability) jitterColours(view.data, jitter, random);
  if (random.uniform() < greyProbability) toGrey(view.data);
  return view;
}

/** Name of the data set's field that holds the views. */
export const VIEWS = "views";

/**
 * Makes training data with two views of every scene, for contrastive training. For scenes of S x S pixels,
 * the field "views" has the shape `[2 batch, 3, S, S]` and values from 0 to 1; its rows 2i and 2i + 1 are the
 * two views of the batch's i-th scene. The random choices depend only on the random labels in `draw` and on
 * i.
 */
export function simclrViews(
  scenes: SegmentedScenes,
  options: SimclrOptions = {},
): {
  readonly count: number;
  fill(
    indices: ArrayLike<number>,
    fields: Readonly<Record<string, Float32Array>>,
    draw?: readonly RandomLabel[],
  ): void;
} {
  const { size, count, name } = scenes;
  const length = 3 * size * size;
  return {
    count,
    fill: (indices, fields, draw = ["views"]) => {
      const out = fields[VIEWS];
      check(
        out?.length === 2 * indices.length * length,
        () =>
          `${name}: two views of ${indices.length} scenes: expected ${2 * indices.length} x 3 x ${size} x ${size} numbers in "${VIEWS}", ` +
          `got ${out?.length ?? "none"}`,
      );
      for (let i = 0; i < indices.length; i++) {
        const picture = scenePicture(scenes, indices[i]!);
        for (let view = 0; view < 2; view++) {
          const random = Random.derive(draw[0]!, ...draw.slice(1), "view", i, view);
          writeUnitPlanes(simclrView(picture, size, random, options), out, (2 * i + view) * length);
        }
      }
    },
  };
}

/**
 * Writes an image to `out`, starting at index `at`, as planes `[3, height, width]` with values from 0 to 1.
 */
export function writeUnitPlanes({ data }: RgbImage, out: Float32Array, at: number): void {
  const plane = data.length / 3;
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < plane; i++) out[at + c * plane + i] = data[3 * i + c]! / 255;
}
