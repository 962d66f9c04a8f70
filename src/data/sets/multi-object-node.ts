import { check } from "../../util/errors.js";
import type { SegmentedScenes } from "../scenes/segmented-scenes.js";
import { parseExample } from "../formats/tf-example.js";
import type { Feature } from "../formats/tf-example.js";
import { readTfRecords } from "../formats/tfrecord-node.js";

/** Name of a data set of the Multi-Object Datasets (Kabra et al. 2019). */
export type MultiObjectSet = "tetrominoes" | "multi-dsprites" | "clevr";
/** A part of a Multi-Object data set. */
export type MultiObjectPart = "eval" | "test" | "validation" | "train";

/** Options for reading a Multi-Object data set. */
export interface MultiObjectOptions {
  /** Largest number of scenes to read, from the start of the part. Default: all. */
  readonly count?: number;
  readonly onProgress?: (scenes: number) => void;
}

interface Layout {
  readonly title: string;
  readonly height: number;
  readonly width: number;
  /**
   * Layout of the masks in the file: one plane per mask ("planes"), or for each pixel the values of all masks
   * ("interleaved").
   */
  readonly masks: "planes" | "interleaved";
  /** The square window, in pixels, to which images are cropped. */
  readonly window: { readonly top: number; readonly left: number; readonly side: number };
  /** Side of the result in pixels; the window is resized by the nearest pixel. */
  readonly size: number;
  /** Largest number of objects; scenes with more objects are left out. */
  readonly mostObjects?: number;
  /** Largest number of training scenes. */
  readonly train: number;
}

const LAYOUTS: Readonly<Record<MultiObjectSet, Layout>> = {
  tetrominoes: {
    title: "Tetrominoes",
    height: 35,
    width: 35,
    masks: "planes",
    window: { top: 1, left: 1, side: 32 },
    size: 32,
    train: 60_000,
  },
  "multi-dsprites": {
    title: "multi-dSprites",
    height: 64,
    width: 64,
    masks: "interleaved",
    window: { top: 0, left: 0, side: 64 },
    size: 64,
    train: 60_000,
  },
  clevr: {
    title: "CLEVR6",
    height: 240,
    width: 320,
    masks: "planes",
    window: { top: 29, left: 64, side: 192 },
    size: 128,
    mostObjects: 6,
    train: 70_000,
  },
};

/** For each part, the position of its first scene in the file, not counting scenes that are left out. */
const FIRST: Readonly<Record<MultiObjectPart, number>> = {
  eval: 0,
  test: 64,
  validation: 64 + 320,
  train: 64 + 320 + 10_000,
};
const WANTED = new Set(["image", "mask"]);

/**
 * Reads a TFRecord file of the Multi-Object Datasets (Kabra et al. 2019), and prepares and splits it as the
 * authors of AKOrN do. Tetrominoes is cropped to 32 x 32 pixels. Multi-dSprites (any variant) keeps its 64 x
 * 64 pixels. CLEVR (with masks) is cropped to its centre and resized to 128 x 128 by the nearest pixel;
 * scenes of more than 6 objects are left out. In the order of the file, the first 64 scenes are "eval", the
 * next 320 are "test", the next 10,000 are "validation", and the rest is "train" (at most 60,000 scenes, or
 * 70,000 for CLEVR). The label of a pixel is the last mask that contains it.
 *
 * @throws StriateError for a file that is missing, damaged, cut off, of another set, or too short for the part.
 */
export async function loadMultiObject(
  set: MultiObjectSet,
  path: string,
  part: MultiObjectPart,
  { count = Infinity, onProgress }: MultiObjectOptions = {},
): Promise<SegmentedScenes> {
  const layout = LAYOUTS[set];
  const { title, size } = layout;
  const plane = size * size;
  const most = Math.min(count, partSize(part, layout));
  // These arrays may be too long for the file. This costs nothing, because the operating system provides only
  // the memory that is written to.
  const images = new Uint8Array(most * 3 * plane);
  const labels = new Int8Array(most * plane);
  const scratch = new Int8Array(plane);
  let [record, scene, selected, objects] = [0, 0, 0, layout.mostObjects ?? 0];
  for await (const bytes of readTfRecords(path)) {
    const what = `"${path}": record ${record++}`;
    const features = parseExample(bytes, what, WANTED);
    const found = readLabels(features.get("mask"), layout, scratch, what);
    if (layout.mostObjects !== undefined && scratch.some((label) => label > layout.mostObjects!)) continue;
    if (scene++ < FIRST[part]) continue;
    labels.set(scratch, selected * plane);
    readPixels(features.get("image"), layout, images.subarray(3 * selected * plane), what);
    objects = layout.mostObjects ?? Math.max(objects, found);
    selected++;
    onProgress?.(selected);
    if (selected >= most) break;
  }
  check(
    selected > 0,
    () => `"${path}": expected more than ${FIRST[part]} scenes for the part "${part}", got ${scene}`,
  );
  return {
    name: `${title} ${part}`,
    count: selected,
    size,
    objects,
    images: images.subarray(0, 3 * selected * plane),
    labels: labels.subarray(0, selected * plane),
  };
}

function partSize(part: MultiObjectPart, { train }: Layout): number {
  return part === "train"
    ? train
    : { eval: FIRST.test, test: FIRST.validation, validation: FIRST.train }[part] - FIRST[part];
}

/** The index of the pixel in the published image that pixel i of the result shows. */
function sourceOf(i: number, { window, size, width }: Layout): number {
  const at = (pixel: number) => Math.floor(((pixel + 0.5) * window.side) / size);
  return (window.top + at(Math.floor(i / size))) * width + window.left + at(i % size);
}

/** Reads the labels of a scene, and returns the number of objects that have a mask in the file. */
function readLabels(feature: Feature | undefined, layout: Layout, out: Int8Array, what: string): number {
  const plane = layout.height * layout.width;
  check(feature?.kind === "bytes", () => `${what}: expected a feature "mask" of bytes`);
  const { bytes } = feature;
  const masks = bytes.length / plane;
  check(
    Number.isInteger(masks) && masks >= 1 && masks <= 128,
    () =>
      `${what}: expected masks of ${layout.height} x ${layout.width} as in ${layout.title}, got ${bytes.length} bytes`,
  );
  for (let i = 0; i < out.length; i++) {
    const pixel = sourceOf(i, layout);
    let label = masks - 1;
    while (
      label > 0 &&
      bytes[layout.masks === "planes" ? label * plane + pixel : pixel * masks + label] === 0
    )
      label--;
    out[i] = label;
  }
  return masks - 1;
}

function readPixels(feature: Feature | undefined, layout: Layout, out: Uint8Array, what: string): void {
  const plane = layout.height * layout.width;
  check(feature?.kind === "bytes", () => `${what}: expected a feature "image" of bytes`);
  const { bytes } = feature;
  const channels = bytes.length / plane;
  check(
    channels === 3 || channels === 1,
    () =>
      `${what}: expected an image of ${layout.height} x ${layout.width} as in ${layout.title}, got ${bytes.length} bytes`,
  );
  const length = layout.size ** 2;
  for (let i = 0; i < length; i++) {
    const from = sourceOf(i, layout) * channels;
    for (let c = 0; c < 3; c++) out[c * length + i] = bytes[from + Math.min(c, channels - 1)]!;
  }
}
