import { checkPositive, checkWhole } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { isJsonObject, parseStrictJson } from "../../util/json.js";
import { unknownName } from "../../util/suggest.js";

/**
 * The preprocessing of images for a network. Bytes are divided by 255, which gives an image in [0, 1]. The
 * network's input is then x = (image * scale - mean) / std. Training, Predify, attacks and reports all use
 * this type. Attacks and corruptions act on the image in [0, 1], so that the radius of an attack means the
 * same for every network.
 */
export interface Preprocessing {
  /** Length in pixels to which an image's short side is resized before the centre crop. */
  readonly resize?: number;
  /**
   * The length above, expressed by a fraction: it is the network's size divided by this number. For example,
   * 0.875 resizes the short side to 256 pixels for a network of size 224. Default 1: images are resized so
   * that they just cover the network's size. An image that already has the network's size is never resized.
   */
  readonly cropFraction?: number;
  /** Factor that multiplies the image in [0, 1]: 1 (default), or 255 for a network that takes bytes. */
  readonly scale?: number;
  /** Mean that is subtracted after scaling: one number, or one for each of red, green and blue. Default 0. */
  readonly mean?: readonly number[];
  /**
   * Standard deviation by which the result is divided: one number, or one for each of red, green and blue. Default 1.
   */
  readonly std?: readonly number[];
  /** Order of the axes of the network's input. Default "NCHW". */
  readonly layout?: "NCHW" | "NHWC";
  /** Order of the network's colour channels. Default "RGB". `mean` and `std` are always in the order RGB. */
  readonly colours?: "RGB" | "BGR";
}

/** A preprocessing with all defaults filled in; `mean` and `std` have one number per channel. */
export type CompletePreprocessing = Preprocessing &
  Required<Pick<Preprocessing, "scale" | "mean" | "std" | "layout" | "colours">>;

const IMAGENET_CROP = 0.875;

/** Preprocessings of published networks by name. */
export const PREPROCESSINGS = {
  /** Values from 0 to 1. */
  unit: {},
  /** Values from 0 to 255. */
  raw: { scale: 255 },
  /** Values from -1 to 1. */
  symmetric: { mean: [0.5], std: [0.5] },
  /**
   * For ImageNet networks of torchvision and timm: images are resized to 256 pixels, and the centre of 224
   * pixels is used.
   */
  imagenet: { cropFraction: IMAGENET_CROP, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** For ImageNet networks of Keras and TensorFlow: the same crop, and values from -1 to 1. */
  "imagenet-symmetric": { cropFraction: IMAGENET_CROP, mean: [0.5], std: [0.5] },
  /** Mean and standard deviation over all pixels of CIFAR-10's training images. */
  cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  /** As `cifar10`, but `std` is the mean of the images' own standard deviations; many public networks use it. */
  "cifar10-per-image": { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  /** Mean and standard deviation over all pixels of MNIST's training images. */
  mnist: { mean: [0.1307], std: [0.3081] },
} as const satisfies Readonly<Record<string, Preprocessing>>;

/** Name of a common preprocessing. */
export type PreprocessingName = keyof typeof PREPROCESSINGS;

/** The names of all common preprocessings. */
export const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as readonly PreprocessingName[];

/** Returns a common preprocessing by its name. Throws {@link StriateError} for an unknown name. */
export function preprocessingPreset(name: string): Preprocessing {
  const known: Readonly<Record<string, Preprocessing>> = PREPROCESSINGS;
  const preset = Object.hasOwn(known, name) ? known[name] : undefined;
  check(preset, () => unknownName("preprocessing", name, PREPROCESSING_NAMES));
  return preset;
}

/**
 * Smallest accepted difference between the highest and the lowest possible value of a network's input. With a
 * smaller one, all images would look the same to the network.
 */
const NARROWEST = 0.1;
/**
 * Largest accepted difference, slightly larger than that of bytes (0 to 255). This limit rejects standard
 * deviations that are meant for values of 0..1 but applied to values of 0..255.
 */
const WIDEST = 256;

/**
 * Fills in all defaults of a preprocessing for images with `channels` channels.
 *
 * @throws StriateError for numbers that are invalid, do not match the number of channels, or do not fit the
 * scale: a mean outside the range of the pixels, or a standard deviation that leaves no contrast.
 */
export function completePreprocessing(preprocessing: Preprocessing, channels: number): CompletePreprocessing {
  const { scale = 1, layout = "NCHW", colours = "RGB", resize, cropFraction } = preprocessing;
  checkPositive("preprocessing: scale", scale);
  const mean = perChannel("mean", preprocessing.mean ?? [0], channels);
  const std = perChannel("standard deviation", preprocessing.std ?? [1], channels);
  for (const value of std) checkPositive("preprocessing: standard deviation", value);
  if (resize !== undefined) checkWhole("preprocessing: resize", resize);
  check(
    cropFraction === undefined || (cropFraction > 0 && cropFraction <= 1),
    () => `preprocessing: expected a crop fraction above 0 and up to 1, got ${cropFraction}`,
  );
  check(
    resize === undefined || cropFraction === undefined,
    () => `preprocessing: expected resize (${resize}) or a crop fraction (${cropFraction}), got both`,
  );
  checkMeant(scale, mean, std);
  return { ...preprocessing, scale, mean, std, layout, colours };
}

function perChannel(name: string, values: readonly number[], channels: number): readonly number[] {
  check(
    (values.length === 1 || values.length === channels) && values.every(Number.isFinite),
    () =>
      `preprocessing: expected one ${name} or ${channels} (one for each channel), got [${values.join(", ")}]`,
  );
  return values.length === channels ? values : Array<number>(channels).fill(values[0]!);
}

function checkMeant(scale: number, mean: readonly number[], std: readonly number[]): void {
  const outside = mean.find((value) => value < 0 || value > scale);
  check(
    outside === undefined,
    () =>
      `preprocessing: expected means within the images' range of 0 to ${scale}, got ${outside}: ` +
      (outside! > scale && outside! <= 255
        ? "give the scale to which it belongs (scale 255 for bytes), or give the mean for this range"
        : "give the mean for this range"),
  );
  const odd = std.find((value) => scale / value < NARROWEST || scale / value > WIDEST);
  check(
    odd === undefined,
    () =>
      `preprocessing: expected standard deviations for images in 0 to ${scale}, got ${odd}: ` +
      `the network's input would span a range of ${(scale / odd!).toPrecision(3)}; give scale and standard deviation in the same units`,
  );
}

/**
 * Length in pixels to which an image's short side is resized for a network whose images have a short side of
 * `side`.
 */
export function resizedShortSide({ resize, cropFraction = 1 }: Preprocessing, side: number): number {
  return resize ?? Math.round(side / cropFraction);
}

// ---- in files ----------------------------------------------------------------------------------------------------------

/** Key of the entry in an ONNX file's metadata that holds the preprocessing. */
const METADATA_KEY = "striate.preprocessing";

/** Metadata that store the preprocessing in an exported ONNX file, so that every command finds it there. */
export function preprocessingMetadata(preprocessing: Preprocessing): Record<string, string> {
  return { [METADATA_KEY]: JSON.stringify(preprocessing) };
}

/**
 * Reads the preprocessing from the metadata of an ONNX file; undefined if they have none.
 *
 * @throws StriateError for an entry that is not a preprocessing.
 */
export function preprocessingFromMetadata(
  metadata: Readonly<Record<string, string>>,
  what: string,
): Preprocessing | undefined {
  if (!Object.hasOwn(metadata, METADATA_KEY)) return undefined;
  const where = `${what}: its metadata "${METADATA_KEY}"`;
  const value = parseStrictJson(metadata[METADATA_KEY]!, where);
  check(isJsonObject(value), () => `${where}: expected an object, got ${JSON.stringify(value)}`);
  for (const [key, entry] of Object.entries(value)) {
    const fits = Object.hasOwn(FIELDS, key) && FIELDS[key as keyof Preprocessing](entry);
    check(fits, () => `${where}: ${key}: ${JSON.stringify(entry)} is not a value of a preprocessing`);
  }
  return value;
}

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(isNumber);
const FIELDS: Readonly<Record<keyof Preprocessing, (value: unknown) => boolean>> = {
  resize: isNumber,
  cropFraction: isNumber,
  scale: isNumber,
  mean: isNumbers,
  std: isNumbers,
  layout: (value) => value === "NCHW" || value === "NHWC",
  colours: (value) => value === "RGB" || value === "BGR",
};

/** A preprocessing and its source, for reports. */
export interface KnownPreprocessing {
  readonly preprocessing: CompletePreprocessing;
  readonly from: "stated" | "the file";
}

/**
 * Fills in the defaults of the preprocessing from a file's metadata. Errors name the file and the metadata
 * entry.
 */
function ofFile(file: Preprocessing, channels: number, side: number, what: string): CompletePreprocessing {
  try {
    const complete = completePreprocessing(file, channels);
    checkReaches(complete, side);
    return complete;
  } catch (cause) {
    if (!(cause instanceof StriateError)) throw cause;
    throw new StriateError(`${what}: its metadata "${METADATA_KEY}": ${cause.message}`, { cause });
  }
}

/**
 * Throws `StriateError` if images would be resized to a short side below the network's and would then have to
 * be enlarged again.
 */
function checkReaches({ resize }: Preprocessing, side: number): void {
  check(
    resize === undefined || resize >= side,
    () => `preprocessing: expected resize of at least the network's ${side} pixels, got ${resize!}`,
  );
}

/**
 * Combines the preprocessing that the user gave with the one in a network's file; undefined if there is
 * neither.
 *
 * @param shape [channels, height, width] of the network's images
 * @throws StriateError if a value that the user gave contradicts the file; the message shows both.
 */
export function knownPreprocessing(
  stated: Preprocessing | undefined,
  file: Preprocessing | undefined,
  [channels, height, width]: readonly [channels: number, height: number, width: number],
  what: string,
): KnownPreprocessing | undefined {
  const side = Math.min(height, width);
  const fromFile = file && ofFile(file, channels, side, what);
  if (stated === undefined) return fromFile && { preprocessing: fromFile, from: "the file" };
  const completed = completePreprocessing(stated, channels);
  checkReaches(completed, side);
  if (fromFile === undefined) return { preprocessing: completed, from: "stated" };
  const differing = (Object.keys(stated) as (keyof Preprocessing)[]).filter((key) =>
    key === "resize" || key === "cropFraction"
      ? resizedShortSide(completed, side) !== resizedShortSide(fromFile, side)
      : JSON.stringify(completed[key]) !== JSON.stringify(fromFile[key]),
  );
  if (differing.length > 0) {
    throw new StriateError(
      `${what}: the given preprocessing contradicts the file in ${differing.join(", ")}: ` +
        `the file has ${describePreprocessing(fromFile)}; given was ${describePreprocessing(completed)}`,
    );
  }
  return { preprocessing: fromFile, from: "the file" };
}

/**
 * Describes a preprocessing, for example "short side to 256, centre crop · scale 1 · mean [0.485, 0.456, 0.406] · std
 * [0.229, 0.224, 0.225] · NCHW · RGB".
 */
export function describePreprocessing(preprocessing: Preprocessing): string {
  const { resize, cropFraction, scale = 1, mean = [0], std = [1] } = preprocessing;
  const same = (values: readonly number[]) => new Set(values).size === 1;
  const list = (values: readonly number[]) => (same(values) ? String(values[0]) : `[${values.join(", ")}]`);
  return [
    ...(resize === undefined ? [] : [`short side to ${resize}, centre crop`]),
    ...(cropFraction === undefined || cropFraction === 1 ? [] : [`centre crop of ${cropFraction}`]),
    `scale ${scale}`,
    `mean ${list(mean)}`,
    `std ${list(std)}`,
    preprocessing.layout ?? "NCHW",
    preprocessing.colours ?? "RGB",
  ].join(" · ");
}
