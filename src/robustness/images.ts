import type { Preprocessing } from "../data/images/preprocessing.js";
import { resizedShortSide } from "../data/images/preprocessing.js";
import { fitImage } from "../data/images/resize.js";
import type { RgbImage } from "../data/images/rgb-image.js";
import { greyOf } from "../data/images/rgb-image.js";
import { checkPixels } from "../util/check.js";
import type { ImageBatch } from "./classifier.js";
import type { ImageShape } from "./network.js";

/** Resizes and crops an image to the network's size as the preprocessing demands; see {@link fitImage}. */
export function fitPicture(
  image: RgbImage,
  [, height, width]: ImageShape,
  preprocessing: Pick<Preprocessing, "resize" | "cropFraction"> = {},
): RgbImage {
  return fitImage(image, width, height, resizedShortSide(preprocessing, Math.min(height, width)));
}

/** Converts images to numbers in [0, 1] in an array [count, channels, height, width]. */
export function toImageBatch(
  pictures: readonly RgbImage[],
  [channels, height, width]: ImageShape,
): ImageBatch {
  const plane = height * width;
  const data = new Float32Array(pictures.length * channels * plane);
  pictures.forEach((picture, n) => {
    checkPixels(`image ${n}`, picture, width, height);
    for (let i = 0; i < plane; i++) {
      const [r, g, b] = [picture.data[3 * i]!, picture.data[3 * i + 1]!, picture.data[3 * i + 2]!];
      const at = n * channels * plane + i;
      if (channels === 1) data[at] = greyOf(r, g, b) / 255;
      else {
        data[at] = r / 255;
        data[at + plane] = g / 255;
        data[at + 2 * plane] = b / 255;
      }
    }
  });
  return { count: pictures.length, data };
}

/** Rounds numbers in [0, 1] to the bytes of an RGB image; grey becomes three equal channels. */
export function toPicture(values: ArrayLike<number>, [channels, height, width]: ImageShape): RgbImage {
  const plane = height * width;
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++)
      data[3 * i + c] = Math.round(
        255 * Math.min(1, Math.max(0, values[i + (channels === 3 ? c * plane : 0)]!)),
      );
  return { width, height, data };
}
