import { checkSlice } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import type { RgbImage } from "./rgb-image.js";

/** The meaning of a data set's labels. */
export interface Labelling {
  /** Description for reports, such as "one class for each folder, in alphabetical order". */
  readonly text: string;
  /** Cautions about the labels. */
  readonly cautions: readonly string[];
  /**
   * Whether the source's `classes` name every class of the data set, so that a network for this data set has
   * that many outputs. If false, labels are numbers of the network's outputs, read from a list, and the
   * network may have outputs that the list does not contain.
   */
  readonly complete: boolean;
}

/** Labelled images that are read one at a time, so that a data set may be larger than memory. */
export interface ImageSource {
  /** Name for messages and reports, usually the folder. */
  readonly name: string;
  readonly count: number;
  /** Names of the classes; a label is an index into this list. */
  readonly classes: readonly string[];
  /** The label of every image. */
  readonly labels: Int32Array;
  /** The meaning of the labels. Absent for a data set that defines its own classes and their order. */
  readonly labelling?: Labelling;
  /** The name of an image: its path below the folder, or its row, such as "row 3". */
  nameOf(index: number): string;
  /** Reads one image. Throws {@link StriateError} if it cannot be read. */
  read(index: number): Promise<RgbImage>;
  /**
   * The bytes of an image's file, if the source consists of files. Throws {@link StriateError} for a file that cannot
   * be read.
   */
  bytes?(index: number): Promise<Uint8Array>;
}

/** Selects some images of a source, in the given order. */
export function imageSubset(source: ImageSource, indices: ArrayLike<number>): ImageSource {
  return {
    ...source,
    count: indices.length,
    labels: Int32Array.from(indices, (index) => source.labels[index]!),
    nameOf: (index) => source.nameOf(indices[index]!),
    read: (index) => source.read(indices[index]!),
    ...(source.bytes && { bytes: (index: number) => source.bytes!(indices[index]!) }),
  };
}

/** An image with its label and its position in the source. */
export interface LabelledImage {
  readonly index: number;
  readonly label: number;
  readonly name: string;
  readonly image: RgbImage;
}

/** An image that could not be read, and why. */
export interface SkippedImage {
  readonly name: string;
  readonly reason: string;
}

/** Options that say which images of a source are read, and how many in advance. */
export interface ReadImagesOptions {
  /** Position of the first image to read. Default 0. */
  readonly from?: number;
  /** Position after the last image to read. Default: the number of images. */
  readonly to?: number;
  /** Number of images to read in advance. Default 4. */
  readonly ahead?: number;
  /** Receives every image that could not be read. Required, so that no image is left out silently. */
  readonly skipped: SkippedImage[];
}

/**
 * Reads the images of a source in order, and a few of them in advance. An image that cannot be read is added
 * to `skipped` and left out; other errors are thrown. Throws {@link StriateError} at the end if none of the
 * images could be read.
 */
export async function* readImages(
  source: ImageSource,
  options: ReadImagesOptions,
): AsyncGenerator<LabelledImage, void, undefined> {
  const { from = 0, to = source.count, ahead = 4, skipped } = options;
  checkSlice(`${source.name}: images`, from, to, source.count);
  const read = async (index: number): Promise<LabelledImage | SkippedImage> => {
    const name = source.nameOf(index);
    try {
      return { index, label: source.labels[index]!, name, image: await source.read(index) };
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      return { name, reason: error.message };
    }
  };
  const pending: Promise<LabelledImage | SkippedImage>[] = [];
  const before = skipped.length;
  let next = from;
  try {
    while (next < to || pending.length > 0) {
      while (next < to && pending.length < Math.max(1, ahead)) pending.push(read(next++));
      const result = await pending.shift()!;
      if ("image" in result) yield result;
      else skipped.push(result);
    }
  } finally {
    await Promise.allSettled(pending);
  }
  const missing = skipped.length - before;
  check(
    to === from || missing < to - from,
    () =>
      `${source.name}: none of the ${missing} images can be read; the first error: ${skipped[before]!.reason}`,
  );
}

/**
 * Describes skipped images in one sentence, such as "3 of 500 images were skipped: a.jpg (...), ...", with at
 * most five names. Returns undefined if none was skipped.
 */
export function describeSkipped(skipped: readonly SkippedImage[], count: number): string | undefined {
  if (skipped.length === 0) return undefined;
  const shown = skipped.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
  const more = skipped.length > shown.length ? `, and ${skipped.length - shown.length} more` : "";
  return `${skipped.length} of ${count} images were skipped: ${shown.join(", ")}${more}`;
}
