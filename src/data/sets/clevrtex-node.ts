import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decode } from "fast-png";
import { checkPixels } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { fileError, readFileChecked } from "../../util/files-node.js";
import { readImage } from "../images/images-node.js";
import { resizeImage } from "../images/resize.js";
import { centreCrop, roundHalfEven } from "../images/rgb-image.js";
import type { SegmentedScenes } from "../scenes/segmented-scenes.js";
import { segmentedScenes } from "../scenes/segmented-scenes.js";

/** Options for reading a ClevrTex data set. */
export interface ClevrTexOptions {
  /** Largest number of scenes to read, from the start of the part. Default: all. */
  readonly count?: number;
  readonly onProgress?: (done: number, count: number) => void;
}

/** A part of a ClevrTex data set, as its authors split it. */
export type ClevrTexPart = "test" | "validation" | "train" | "all";

/**
 * For each part, where it starts and ends among the scenes in the order of their numbers, as shares of all
 * scenes.
 */
const PARTS: Readonly<Record<ClevrTexPart, readonly [number, number]>> = {
  test: [0, 0.1],
  validation: [0.1, 0.2],
  train: [0.2, 1],
  all: [0, 1],
};
const MOST_OBJECTS = 10;
const SIZE = 128;
const CROP = 192;
const AHEAD = 8;
const MASK = /^(CLEVRTEX_[a-z]+_)(\d+)_flat\.png$/;

/**
 * Reads a folder of CLEVRTex (Karazija et al. 2021; `clevrtex_full`, `clevrtex_outd` or `clevrtex_camo`). It
 * holds images such as `NUMBER/CLEVRTEX_full_000123.png`, and masks `..._flat.png`, in which the palette
 * index of a pixel is its object. Both are cropped to the central 192 x 192 and resized to 128 x 128: images
 * bilinearly with antialiasing, masks by the nearest pixel. Of the scenes in the order of their numbers, the
 * first tenth is "test", the second tenth is "validation" and the rest is "train". This split is meant for
 * `clevrtex_full`; for the other two sets, use "all".
 *
 * @throws StriateError for a folder without scenes, files that are damaged or missing, and masks whose size
 * differs from the image's.
 */
export async function loadClevrTex(
  folder: string,
  part: ClevrTexPart,
  { count = Infinity, onProgress }: ClevrTexOptions = {},
): Promise<SegmentedScenes> {
  const all = await findMasks(folder);
  const [first, end] = PARTS[part].map((share) => Math.floor(share * all.length)) as [number, number];
  const masks = all.slice(first, Math.min(end, first + count));
  check(masks.length > 0, () => `"${folder}": the part "${part}" of its ${all.length} scenes is empty`);
  const plane = SIZE * SIZE;
  const images = new Uint8Array(masks.length * 3 * plane);
  const labels = new Int8Array(masks.length * plane);
  let done = 0;
  const read = async (n: number): Promise<void> => {
    const mask = masks[n]!;
    const [pixels, objects] = await readScene(mask.replace(/_flat\.png$/, ".png"), mask);
    for (let i = 0; i < plane; i++)
      for (let c = 0; c < 3; c++) images[(3 * n + c) * plane + i] = pixels[3 * i + c]!;
    labels.set(objects, n * plane);
    done++;
    onProgress?.(done, masks.length);
  };
  for (let n = 0; n < masks.length; n += AHEAD)
    await Promise.all(masks.slice(n, n + AHEAD).map((_, i) => read(n + i)));
  return segmentedScenes({
    name: `CLEVRTex ${part}`,
    size: SIZE,
    objects: MOST_OBJECTS,
    images,
    labels,
  });
}

/** Paths of all masks in the order of the numbers in their names. */
async function findMasks(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw fileError("read the folder", folder, cause);
  });
  const found = names.flatMap((name) => {
    const [, , number] = MASK.exec(name.split(/[/\\]/).at(-1)!) ?? [];
    return number === undefined ? [] : [{ number: Number(number), path: join(folder, name) }];
  });
  check(found.length > 0, () => `"${folder}": expected masks CLEVRTEX_..._flat.png in it, found none`);
  return found.sort((a, b) => a.number - b.number).map(({ path }) => path);
}

async function readScene(path: string, maskPath: string): Promise<[Uint8Array, Uint8Array]> {
  const [image, mask] = await Promise.all([readImage(path), readMask(maskPath)]);
  checkPixels(`mask "${maskPath}", compared with its image`, mask, image.width, image.height);
  const { data } = resizeImage(centreCrop(image, CROP), SIZE, SIZE);
  const [top, left] = [roundHalfEven((mask.height - CROP) / 2), roundHalfEven((mask.width - CROP) / 2)];
  const at = (pixel: number) => Math.floor(((pixel + 0.5) * CROP) / SIZE);
  const labels = Uint8Array.from(
    { length: SIZE * SIZE },
    (_, i) => mask.labels[(top + at(Math.floor(i / SIZE))) * mask.width + left + at(i % SIZE)]!,
  );
  return [data, labels];
}

/** Reads the palette indices (or grey values) of a PNG file. */
async function readMask(path: string) {
  const bytes = await readFileChecked(path, { what: "mask", maxBytes: 2 ** 26 });
  try {
    const { width, height, channels, depth, data } = decode(bytes);
    check(
      channels === 1 && depth <= 8,
      () => `"${path}": expected a mask with a palette, got ${channels} channels of ${depth} bits`,
    );
    return { width, height, labels: unpacked(data as Uint8Array, width, height, depth) };
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StriateError(`"${path}" cannot be read as a mask: ${why}`, { cause });
  }
}

/**
 * Unpacks values of 1, 2 or 4 bits, several of which are packed into a byte, highest bits first. Every row
 * begins with a new byte.
 */
function unpacked(data: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  if (depth === 8) return data;
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const byte = data[y * rowBytes + Math.floor(x / perByte)]!;
    return (byte >> (8 - depth * ((x % perByte) + 1))) & ((1 << depth) - 1);
  });
}
