import { StriateError, check } from "../../util/errors.js";
import { isJsonObject, parseStrictJson } from "../../util/json.js";
import { unknownName } from "../../util/suggest.js";

/**
 * How pixels reach a network: bytes / 255 give an image in [0, 1]; x = (image * scale - mean) / std. Training, Predify,
 * attacks and reports all read this one type. Attacks and corruptions act on the image in [0, 1], so that a radius
 * means the same for every network.
 */
export interface Preprocessing {
  /** Short side in pixels that images are resized to before the centre crop. */
  readonly resize?: number;
  /**
   * The same as a share: 0.875 resizes the short side to 256 pixels for a network of 224. Default 1: images are
   * resized to cover the network's size. An image that has the network's size already is never resized.
   */
  readonly cropFraction?: number;
  /** Factor of the image in [0, 1]: 1 (default), or 255 for a network that takes bytes. */
  readonly scale?: number;
  /** Subtracted after scaling; one number, or one for each of red, green and blue. Default 0. */
  readonly mean?: readonly number[];
  /** Divided by at the end; one number, or one for each of red, green and blue. Default 1. */
  readonly std?: readonly number[];
  /** Order of the network's axes; default "NCHW". */
  readonly layout?: "NCHW" | "NHWC";
  /** Order of the network's colour channels; default "RGB". Means and deviations stay in the order of RGB. */
  readonly colours?: "RGB" | "BGR";
}

/** A preprocessing with everything written out; `mean` and `std` have one number for each channel. */
export type CompletePreprocessing = Preprocessing &
  Required<Pick<Preprocessing, "scale" | "mean" | "std" | "layout" | "colours">>;

const IMAGENET_CROP = 0.875;

/** The preprocessings of published networks. */
export const PREPROCESSINGS = {
  /** 0 to 1. */
  unit: {},
  /** 0 to 255. */
  raw: { scale: 255 },
  /** -1 to 1. */
  symmetric: { mean: [0.5], std: [0.5] },
  /** Networks of torchvision and timm for ImageNet: 256 pixels, centre crop of 224. */
  imagenet: { cropFraction: IMAGENET_CROP, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** Networks of Keras and TensorFlow for ImageNet: the same crop, -1 to 1. */
  "imagenet-symmetric": { cropFraction: IMAGENET_CROP, mean: [0.5], std: [0.5] },
  /** Mean and standard deviation over all pixels of CIFAR-10's training images. */
  cifar10: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  /** As `cifar10`, with the mean over images of each image's own standard deviation: many public networks use it. */
  "cifar10-per-image": { mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  /** Mean and standard deviation over all pixels of MNIST's training images. */
  mnist: { mean: [0.1307], std: [0.3081] },
} as const satisfies Readonly<Record<string, Preprocessing>>;

/** Name of a common way in which pixels reach a network. */
export type PreprocessingName = keyof typeof PREPROCESSINGS;

/** The names of all preprocessings. */
export const PREPROCESSING_NAMES = Object.keys(PREPROCESSINGS) as readonly PreprocessingName[];

/** A preprocessing of the table by its name. Throws {@link StriateError} for a name that is not in it. */
export function preprocessingPreset(name: string): Preprocessing {
  const known: Readonly<Record<string, Preprocessing>> = PREPROCESSINGS;
  const preset = Object.hasOwn(known, name) ? known[name] : undefined;
  check(preset, () => unknownName("preprocessing", name, PREPROCESSING_NAMES));
  return preset;
}

/** Narrower than this, every image would look the same to the network. */
const NARROWEST = 0.1;
/** Wider than bytes are (0 to 255), with room for rounding: means and deviations of 0..1 on values of 0..255. */
const WIDEST = 256;

/**
 * Everything written out for a number of channels.
 *
 * @throws StriateError for numbers that make no sense, do not fit the channels, or cannot be meant for the scale: a mean
 * outside the pixels' range, a deviation that leaves no contrast.
 */
export function completePreprocessing(preprocessing: Preprocessing, channels: number): CompletePreprocessing {
  const { scale = 1, layout = "NCHW", colours = "RGB", resize, cropFraction } = preprocessing;
  check(Number.isFinite(scale) && scale > 0, () => `preprocessing: expected a scale above 0, got ${scale}`);
  const mean = perChannel("mean", preprocessing.mean ?? [0], channels);
  const std = perChannel("standard deviation", preprocessing.std ?? [1], channels);
  check(
    std.every((value) => value > 0),
    () => `preprocessing: expected standard deviations above 0, got [${std.join(", ")}]`,
  );
  check(
    resize === undefined || (Number.isInteger(resize) && resize > 0),
    () => `preprocessing: expected a whole number of pixels to resize to, got ${resize}`,
  );
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
      `preprocessing: a mean of ${outside} lies outside images in 0 to ${scale}: ` +
      (outside! > scale && outside! <= 255
        ? "state the scale that it is meant for (scale 255 for bytes), or the mean on that scale"
        : "state it on that scale"),
  );
  const odd = std.find((value) => scale / value < NARROWEST || scale / value > WIDEST);
  check(
    odd === undefined,
    () =>
      `preprocessing: a standard deviation of ${odd} cannot be meant for images in 0 to ${scale}: ` +
      `the network would get numbers over a range of ${(scale / odd!).toPrecision(3)}; state both on one scale`,
  );
}

/** Short side in pixels that images are resized to for a network whose own short side is `side`. */
export function resizedShortSide({ resize, cropFraction = 1 }: Preprocessing, side: number): number {
  return resize ?? Math.round(side / cropFraction);
}

// ---- in files ----------------------------------------------------------------------------------------------------------

/** Key of the metadata of an ONNX file that says how pixels reach the network in it. */
const METADATA_KEY = "striate.preprocessing";

/** Metadata for an exported ONNX file, from which every command knows the preprocessing. */
export function preprocessingMetadata(preprocessing: Preprocessing): Record<string, string> {
  return { [METADATA_KEY]: JSON.stringify(preprocessing) };
}

/**
 * What the metadata of an ONNX file says, undefined where it says nothing.
 *
 * @throws StriateError for an entry that is no preprocessing.
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
    check(fits, () => `${where}: ${key}: ${JSON.stringify(entry)} is no value of a preprocessing`);
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

/** The preprocessing that a file's metadata state; errors name the file and the entry. */
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

/** Images whose short side is less than the network's would have to be enlarged again. */
function checkReaches({ resize }: Preprocessing, side: number): void {
  check(
    resize === undefined || resize >= side,
    () => `preprocessing: resize to ${resize!} pixels is less than the network's ${side}`,
  );
}

/**
 * The preprocessing of a network from what is stated and what its file says; undefined where neither says anything.
 *
 * @param shape [channels, height, width] of the network's images
 * @throws StriateError where a stated value contradicts the file's; it shows both.
 */
export function knownPreprocessing(
  stated: Preprocessing | undefined,
  file: Preprocessing | undefined,
  [channels, height, width]: readonly [channels: number, height: number, width: number],
  what: string,
): KnownPreprocessing | undefined {
  const side = Math.min(height, width);
  const says = file && ofFile(file, channels, side, what);
  if (stated === undefined) return says && { preprocessing: says, from: "the file" };
  const own = completePreprocessing(stated, channels);
  checkReaches(own, side);
  if (says === undefined) return { preprocessing: own, from: "stated" };
  const differing = (Object.keys(stated) as (keyof Preprocessing)[]).filter((key) =>
    key === "resize" || key === "cropFraction"
      ? resizedShortSide(own, side) !== resizedShortSide(says, side)
      : JSON.stringify(own[key]) !== JSON.stringify(says[key]),
  );
  if (differing.length > 0) {
    throw new StriateError(
      `${what}: the file and what was stated contradict each other about ${differing.join(", ")}: ` +
        `the file says ${describePreprocessing(says)}; stated was ${describePreprocessing(own)}`,
    );
  }
  return { preprocessing: says, from: "the file" };
}

/** "short side to 256, centre crop · scale 1 · mean [0.485, 0.456, 0.406] · std [0.229, 0.224, 0.225] · NCHW · RGB" */
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
