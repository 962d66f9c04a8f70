import type { Tensor } from "../graph/index.js";
import { constant, div, mul, reverse, sub, transpose } from "../graph/index.js";
import { check } from "../util/errors.js";
import { unknownName } from "../util/suggest.js";

/**
 * How pixels become what a model wants. Attacks and corruptions act on images in [0, 1] of the model's size; what
 * follows from there (scale, mean, standard deviation, layout) is part of the model, so that a radius means the same
 * for every model.
 */
export interface Preprocessing {
  /** Short side that pictures are resized to before the crop (bilinear); absent: they are taken as they are. */
  readonly resize?: number;
  /** x = image * scale: 1 for [0, 1] (default), 255 for raw bytes. */
  readonly scale?: number;
  /** Subtracted after scaling, one for each channel or one for all. Default 0. */
  readonly mean?: readonly number[];
  /** Divided by after the mean, one for each channel or one for all. Default 1. */
  readonly std?: readonly number[];
  /** Order of the model's axes; default "NCHW". */
  readonly layout?: "NCHW" | "NHWC";
  /** Order of the model's colours; default "RGB". */
  readonly colours?: "RGB" | "BGR";
}

/** Usual preprocessings by name. */
export const PREPROCESSING_PRESETS: Readonly<Record<string, Preprocessing>> = {
  unit: {},
  raw: { scale: 255 },
  symmetric: { mean: [0.5], std: [0.5] },
  imagenet: { resize: 256, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  "imagenet-symmetric": { resize: 256, mean: [0.5], std: [0.5] },
  cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  mnist: { mean: [0.1307], std: [0.3081] },
};

/** A preset by its name. Throws {@link StriateError} for one that is not known. */
export function preprocessingPreset(name: string): Preprocessing {
  const preset = PREPROCESSING_PRESETS[name];
  check(preset, () => unknownName("preprocessing", name, Object.keys(PREPROCESSING_PRESETS)));
  return preset;
}

/** Throws {@link StriateError} where numbers make no sense or do not fit the number of channels. */
export function checkPreprocessing(preprocessing: Preprocessing, channels: number): void {
  const { scale = 1, mean = [0], std = [1], resize } = preprocessing;
  check(Number.isFinite(scale) && scale > 0, () => `preprocessing: expected a positive scale, got ${scale}`);
  for (const [name, list] of [
    ["mean", mean],
    ["standard deviation", std],
  ] as const) {
    check(
      (list.length === 1 || list.length === channels) && list.every(Number.isFinite),
      () => `preprocessing: expected one ${name} or ${channels} (one for each channel), got [${list}]`,
    );
  }
  check(
    std.every((value) => value > 0),
    () => `preprocessing: expected positive standard deviations, got [${std}]`,
  );
  check(
    resize === undefined || (Number.isInteger(resize) && resize > 0),
    () => `preprocessing: expected a whole number of pixels to resize to, got ${resize}`,
  );
}

/** From images [batch, channels, height, width] in [0, 1] to what the model takes, as part of its graph. */
export function applyPreprocessing(images: Tensor, preprocessing: Preprocessing): Tensor {
  const { scale = 1, mean = [0], std = [1], layout = "NCHW", colours = "RGB" } = preprocessing;
  const perChannel = (values: readonly number[]): Tensor => constant(values, [1, values.length, 1, 1]);
  let x = images;
  if (scale !== 1) x = mul(x, scale);
  if (mean.some((value) => value !== 0)) x = sub(x, perChannel(mean));
  if (std.some((value) => value !== 1)) x = div(x, perChannel(std));
  if (colours === "BGR") x = reverse(x, 1);
  return layout === "NHWC" ? transpose(x, [0, 2, 3, 1]) : x;
}
