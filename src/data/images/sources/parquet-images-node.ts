import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open, rename, stat, unlink } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { ParquetFile } from "../../formats/parquet-node.js";
import { openParquet } from "../../formats/parquet-node.js";
import { readRange } from "../../formats/tar-index-node.js";
import { StriateError, check } from "../../../util/errors.js";
import { ensureFolder, fileError, readFileChecked, writeFileAtomic } from "../../../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../../../util/json.js";
import { acquireLock } from "../../../util/lock-node.js";
import type { ImageSource } from "../image-source.js";
import { decodeImage } from "../images-node.js";
import type { ClassOptions } from "./image-folder.js";
import { labelsFor } from "./image-folder.js";
import type { ParquetPlace } from "./parquet-files-node.js";
import { parquetFiles } from "./parquet-files-node.js";

const LARGEST_INDEX = 2 ** 30;

/** What is known of the images that were unpacked from Parquet files. */
interface Index {
  /** The number of rows of each file. */
  readonly rows: readonly number[];
  /** Where each image ends among the unpacked ones. */
  readonly ends: readonly number[];
  readonly labels: readonly number[];
  readonly classes: readonly string[];
}

/** The columns of a Parquet file with the images and the labels. */
interface Columns {
  readonly image: string;
  readonly label: string;
  /** Names of the classes, if the file's metadata has them. */
  readonly classes: readonly string[] | undefined;
}

/**
 * Reads labelled images from Parquet files as the Hugging Face hub stores them: a column of images, {bytes, path}, and a
 * column of labels. The metadata of the files name the classes; without them, the labels are the classes. The rows are
 * read from the first to the last once, one row group at a time, and the images are unpacked into the data cache, where
 * they are read when they are requested: a Parquet file has no access to a single row.
 *
 * @param root the folder of a downloaded data set, or one file
 * @param part the part, such as "train". Default: all files
 * @param cache the folder of unpacked images
 * @throws StriateError for folders without such files, other columns, images without bytes, and rows without a label
 */
export async function parquetImages(
  root: string,
  part: string | undefined,
  cache: string,
  options: ClassOptions = {},
): Promise<ImageSource> {
  const all = await parquetFiles(root);
  const own = part === undefined ? all : all.filter((place) => place.part === part);
  check(
    own.length > 0,
    () =>
      `"${root}": expected Parquet files${part === undefined ? "" : ` of the part "${part}"`}, found none`,
  );
  const folder = join(cache, await addressOf(own));
  const [images, index] = [join(folder, "images.bin"), await unpacked(own, folder)];
  const { classes, places, labelling } = labelsFor(
    index.classes.map((name) => ({ name })),
    options,
    `"${root}"`,
    { own: "the column of labels in the Parquet files" },
  );
  const range = (at: number) => {
    const offset = at === 0 ? 0 : index.ends[at - 1]!;
    return { offset, size: index.ends[at]! - offset };
  };
  const nameOf = (at: number): string => {
    let row = at;
    const file = index.rows.findIndex((rows) => {
      if (row < rows) return true;
      row -= rows;
      return false;
    });
    return `${basename(own[file]!.path)}/row ${row}`;
  };
  return {
    name: part === undefined ? root : `${root} (${part})`,
    count: index.labels.length,
    classes,
    labels: Int32Array.from(index.labels, (label) => places[label]!),
    labelling,
    nameOf,
    bytes: (at) => readRange(images, range(at)),
    read: async (at) => decodeImage(await readRange(images, range(at)), nameOf(at)),
  };
}

/** Name of the folder of the unpacked images: a hash of the files' paths, sizes and times. */
async function addressOf(places: readonly ParquetPlace[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { path } of places) {
    const { size, mtimeMs } = await stat(path).catch((cause: unknown) => {
      throw fileError("read", path, cause);
    });
    hash.update(JSON.stringify([resolve(path), size, mtimeMs]));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The index of the unpacked images, which are unpacked if they are not there. */
async function unpacked(places: readonly ParquetPlace[], folder: string): Promise<Index> {
  const known = await readIndex(folder);
  if (known !== undefined) return known;
  await ensureFolder(folder);
  const lock = await acquireLock(join(folder, "images.bin"), "unpacked images");
  try {
    return (await readIndex(folder)) ?? (await unpack(places, folder));
  } finally {
    await lock.release();
  }
}

async function readIndex(folder: string): Promise<Index | undefined> {
  const path = join(folder, "index.json");
  const size = await stat(join(folder, "images.bin")).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined || (await stat(path).catch(() => undefined)) === undefined) return undefined;
  const bytes = await readFileChecked(path, { what: "index of unpacked images", maxBytes: LARGEST_INDEX });
  const index = parseStrictJson(new TextDecoder().decode(bytes), `"${path}"`) as Index;
  // A file of another length was not written to its end.
  return (index.ends.at(-1) ?? 0) === size ? index : undefined;
}

async function unpack(places: readonly ParquetPlace[], folder: string): Promise<Index> {
  const path = join(folder, "images.bin");
  const part = `${path}.part`;
  const file = await open(part, "w").catch((cause: unknown) => {
    throw fileError("write", part, cause);
  });
  let index: Index;
  try {
    index = await unpackInto(file, places);
    await file.sync();
  } catch (error) {
    await file.close();
    await unlink(part).catch(() => undefined);
    throw error instanceof StriateError ? error : fileError("write", part, error);
  }
  await file.close();
  await rename(part, path).catch((cause: unknown) => {
    throw fileError("write", path, cause);
  });
  await writeFileAtomic(join(folder, "index.json"), JSON.stringify(index));
  return index;
}

async function unpackInto(file: FileHandle, places: readonly ParquetPlace[]): Promise<Index> {
  const [rows, ends]: [number[], number[]] = [[], []];
  const labels: (string | number)[] = [];
  let end = 0;
  let named: readonly string[] | undefined;
  for (const { path } of places) {
    const parquet = await openParquet(path);
    const columns = columnsOf(parquet);
    check(
      rows.length === 0 || JSON.stringify(columns.classes) === JSON.stringify(named),
      () => `"${path}": expected the classes of "${places[0]!.path}", got others`,
    );
    named = columns.classes;
    let row = 0;
    for await (const { [columns.image]: image, [columns.label]: label } of parquet.read([
      columns.image,
      columns.label,
    ])) {
      const at = `"${path}", row ${row}`;
      const bytes = bytesOf(image);
      check(
        bytes !== undefined,
        () => `${at}: expected the bytes of an image in "${columns.image}", got none`,
      );
      labels.push(labelOf(label, named?.length, `${at}: "${columns.label}"`));
      await file.write(bytes);
      end += bytes.length;
      ends.push(end);
      row++;
    }
    rows.push(row);
  }
  check(labels.length > 0, () => `"${places[0]!.path}": expected rows, found none`);
  const values = [...new Set(labels)].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : 1,
  );
  const placeOf = new Map(values.map((value, i) => [value, i]));
  return named === undefined
    ? { rows, ends, labels: labels.map((label) => placeOf.get(label)!), classes: values.map(String) }
    : { rows, ends, labels: labels.map(Number), classes: named };
}

/** Finds the columns of the images and of the labels. */
function columnsOf(file: ParquetFile): Columns {
  const features = featuresOf(file);
  const typed = (type: string) => file.columns.filter(({ name }) => features[name]?.type === type);
  const structs = file.columns.filter(({ fields }) => fields.includes("bytes"));
  const image = typed("Image")[0] ?? structs[0];
  const found = () => file.columns.map(({ name }) => name).join(", ");
  check(
    image,
    () => `"${file.path}": expected a column of images with the field "bytes", got the columns ${found()}`,
  );
  const known = ["label", "labels", "class", "fine_label", "target"];
  const candidates = [...typed("ClassLabel"), ...file.columns].filter(({ fields }) => fields.length === 0);
  const label =
    known.map((name) => candidates.find((column) => column.name === name)).find((one) => one !== undefined) ??
    typed("ClassLabel")[0];
  check(label, () => `"${file.path}": expected a column of labels ("label"), got the columns ${found()}`);
  return { image: image.name, label: label.name, classes: features[label.name]?.names };
}

interface Feature {
  readonly type: string | undefined;
  readonly names: readonly string[] | undefined;
}

/** The features in the hub's metadata of a file; none if there are no such metadata. */
function featuresOf(file: ParquetFile): Readonly<Record<string, Feature | undefined>> {
  const text = file.metadata("huggingface");
  const value =
    text === undefined ? undefined : parseStrictJson(text, `"${file.path}": metadata "huggingface"`);
  const info = isJsonObject(value) && isJsonObject(value.info) ? value.info : {};
  const features = isJsonObject(info.features) ? info.features : {};
  return Object.fromEntries(
    Object.entries(features).map(([name, feature]) => {
      const { _type: type, names } = isJsonObject(feature) ? feature : {};
      return [
        name,
        {
          type: typeof type === "string" ? type : undefined,
          names:
            Array.isArray(names) && names.every((one): one is string => typeof one === "string")
              ? names
              : undefined,
        },
      ];
    }),
  );
}

function bytesOf(image: unknown): Uint8Array | undefined {
  const bytes =
    typeof image === "object" && image !== null ? (image as { bytes?: unknown }).bytes : undefined;
  return bytes instanceof Uint8Array && bytes.length > 0 ? bytes : undefined;
}

function labelOf(value: unknown, classes: number | undefined, what: string): string | number {
  const label = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (classes === undefined && typeof label === "string" && label !== "") return label;
  const number = typeof label === "bigint" || typeof label === "number" ? Number(label) : NaN;
  const most = classes === undefined ? Number.MAX_SAFE_INTEGER : classes - 1;
  check(
    Number.isInteger(number) && number >= 0 && number <= most,
    () =>
      `${what}: expected ${classes === undefined ? "a name or a whole number of at least 0" : `a class from 0 to ${most}`}, got ${String(label)}${number === -1 ? ", the hub's sign for no label" : ""}`,
  );
  return number;
}
