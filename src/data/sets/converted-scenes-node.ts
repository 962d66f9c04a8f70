import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import type { DataArray } from "../dataset.js";
import { readNpy } from "../formats/npy-node.js";
import { openNpz } from "../formats/npz-node.js";
import type { SegmentedScenes } from "../scenes/segmented-scenes.js";
import { MOST_OBJECTS, segmentedScenes } from "../scenes/segmented-scenes.js";

interface Source {
  readonly shape: readonly number[];
  readonly pieces: AsyncIterable<DataArray> | Iterable<DataArray>;
}

/**
 * Reads scenes in the format that the authors of AKOrN use: an `.npz` file with the arrays `images` and
 * `labels`, or a folder with `images.npy` and `labels.npy`. The images have the shape `[N, 3, S, S]` (or `[N,
 * S, S]` if grey) and are bytes or numbers from 0 to 1; the labels have the shape `[N, S, S]`. An `.npz` file
 * is read in pieces, so a file in double precision takes only an eighth of its size in memory.
 *
 * @throws StriateError for files that are missing, damaged or cut off, for numbers outside 0 to 1, and for
 * masks whose size differs from that of the images.
 */
export async function loadConvertedScenes(
  path: string,
  options: { readonly name?: string } = {},
): Promise<SegmentedScenes> {
  const { name = basename(path).replace(/\.npz$/, "") } = options;
  const [images, labels] = await sources(path);
  const [count = 0, ...rest] = images.shape;
  const channels = rest.length === 2 ? 1 : rest[0];
  const [height, size] = rest.slice(-2);
  check(
    (rest.length === 2 || rest.length === 3) && (channels === 1 || channels === 3) && height === size,
    () => `"${path}": expected square images [N, 3, S, S], got [${images.shape.join(", ")}]`,
  );
  check(
    labels.shape.join() === [count, size, size].join(),
    () =>
      `"${path}": expected masks [${[count, size, size].join(", ")}] to match the images, ` +
      `got [${labels.shape.join(", ")}]`,
  );
  const plane = size! * size!;
  const storedPixels = new Uint8Array(count * channels * plane);
  await collect(storedPixels, images, (value) => toByte(value, path));
  const pixels = channels === 3 ? storedPixels : greyToRgb(storedPixels, plane);
  const masks = new Int8Array(count * plane);
  // In unsigned bytes, values above 127 are negative labels that were stored as unsigned.
  await collect(masks, labels, (value) => toLabel(value, path));
  const objects = masks.reduce((most, label) => Math.max(most, label), 0);
  return segmentedScenes({ name, size: size!, objects, images: pixels, labels: masks });
}

async function sources(path: string): Promise<[images: Source, labels: Source]> {
  if (path.endsWith(".npz")) {
    const archive = await openNpz(path);
    const open = async (name: string): Promise<Source> => {
      const { header, pieces } = await archive.elements(name);
      return { shape: header.shape, pieces };
    };
    return [await open("images"), await open("labels")];
  }
  const files = ["images.npy", "labels.npy"].map((name) => join(path, name));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined)
    throw new StriateError(`"${path}": expected an .npz file, or a folder with images.npy and labels.npy`);
  const arrays = await Promise.all(files.map((file) => readNpy(file)));
  const [images, labels] = arrays.map(({ shape, data }) => ({ shape, pieces: [data] }));
  return [images!, labels!];
}

async function collect(
  out: Uint8Array | Int8Array,
  { pieces }: Source,
  convert: (value: number) => number,
): Promise<void> {
  let at = 0;
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array) out.set(piece, at);
    else for (let i = 0; i < piece.length; i++) out[at + i] = convert(piece[i]!);
    at += piece.length;
  }
}

function toByte(value: number, path: string): number {
  check(value >= 0 && value <= 1, () => `"${path}": expected pixels from 0 to 1, got ${value}`);
  return Math.round(255 * value);
}

function toLabel(value: number, path: string): number {
  check(
    Number.isInteger(value) && value >= -1 && value <= MOST_OBJECTS,
    () => `"${path}": expected labels from -1 to ${MOST_OBJECTS}, got ${value}`,
  );
  return value;
}

function greyToRgb(grey: Uint8Array, plane: number): Uint8Array {
  const out = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i += plane)
    for (let c = 0; c < 3; c++) out.set(grey.subarray(i, i + plane), 3 * i + c * plane);
  return out;
}
