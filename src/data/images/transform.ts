import { checkBetween, checkOneOf, checkWhole } from "../../util/check.js";
import type { Random } from "../../util/random.js";
import { augMix } from "../augmentation/aug-mix.js";
import type { ColourJitter } from "../augmentation/colour.js";
import { jitterColours } from "../augmentation/colour.js";
import type { RandAugmentOptions } from "../augmentation/rand-augment.js";
import { randAugment } from "../augmentation/rand-augment.js";
import type { CropRanges } from "../augmentation/random-crop.js";
import { drawCrop, mirror } from "../augmentation/random-crop.js";
import { fitImage, resizeImage } from "./resize.js";
import type { RgbImage } from "./rgb-image.js";
import { crop } from "./rgb-image.js";

/** Augmentations of training images that change pixel values. */
export const POLICIES = ["none", "randaugment", "augmix"] as const;

/** How a picture becomes an image of a network's size. Plain data, which can be sent to worker threads. */
export interface ImageTransform {
  readonly width: number;
  readonly height: number;
  /** Length in pixels to which the short side is resized before the centre crop, if there is no random crop. */
  readonly shortSide: number;
  /** Ranges of a random crop, which is resized to the network's size. Default: the centre is cropped. */
  readonly crop?: CropRanges;
  /** Probability of mirroring the image left to right. Default 0. */
  readonly flip?: number;
  /** Largest changes of brightness, contrast, saturation and hue. Default: colours stay. */
  readonly jitter?: ColourJitter;
  /** Default "none". */
  readonly policy?: (typeof POLICIES)[number];
  readonly randAugment?: RandAugmentOptions;
}

/** Throws StriateError for a transform with values that are not allowed. */
export function checkTransform({
  width,
  height,
  shortSide,
  flip = 0,
  policy = "none",
}: ImageTransform): void {
  checkWhole("image transform: width", width);
  checkWhole("image transform: height", height);
  checkWhole("image transform: shortSide", shortSide);
  checkBetween("image transform: flip", flip, 0, 1);
  checkOneOf("image transform: policy", policy, POLICIES);
}

/**
 * Brings a picture to a network's size: with a random crop or the centre crop, then mirrored, with changed colours, and
 * augmented by the policy, as far as the transform says so. Equal random numbers give equal bytes.
 */
export function transformImage(picture: RgbImage, transform: ImageTransform, random: Random): RgbImage {
  const { width, height, shortSide, flip = 0, jitter, policy = "none" } = transform;
  let image: RgbImage;
  if (transform.crop) {
    const box = drawCrop(picture, transform.crop, random);
    image = resizeImage(crop(picture, box.left, box.top, box.width, box.height), width, height);
  } else {
    const fitted = fitImage(picture, width, height, shortSide);
    // Mirroring and colours work in place, and the picture may be read again.
    image = { ...fitted, data: fitted.data === picture.data ? fitted.data.slice() : fitted.data };
  }
  if (flip > 0 && random.uniform() < flip) mirror(image);
  if (jitter) jitterColours(image.data, jitter, random);
  if (policy === "augmix") return augMix(image, random);
  if (policy === "randaugment") return randAugment(image, random, transform.randAugment);
  return image;
}
