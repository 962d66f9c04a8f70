import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { StriateError, check } from "../../util/errors.js";
import { errorCode, readFileChecked } from "../../util/files-node.js";
import type { DataArray } from "../dataset.js";
import { type DigitImages, digitImages } from "../scenes/digit-images.js";

/** An array read from an IDX file. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** Limits for reading a file that may be hostile. */
export interface IdxOptions {
  /** Largest content accepted, in bytes after decompression. Default 1 GiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

const ELEMENTS = new Map<
  number,
  { bytes: number; read: (view: DataView, at: number, count: number) => DataArray }
>([
  [0x08, { bytes: 1, read: (v, at, n) => new Uint8Array(v.buffer, v.byteOffset + at, n).slice() }],
  [0x09, { bytes: 1, read: (v, at, n) => new Int8Array(v.buffer, v.byteOffset + at, n).slice() }],
  [0x0b, { bytes: 2, read: (v, at, n) => Int16Array.from({ length: n }, (_, i) => v.getInt16(at + 2 * i)) }],
  [0x0c, { bytes: 4, read: (v, at, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(at + 4 * i)) }],
  [
    0x0d,
    { bytes: 4, read: (v, at, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(at + 4 * i)) },
  ],
  [
    0x0e,
    { bytes: 8, read: (v, at, n) => Float64Array.from({ length: n }, (_, i) => v.getFloat64(at + 8 * i)) },
  ],
]);

/**
 * Reads the bytes of an IDX file (the format of MNIST: two zero bytes, element type, number of dimensions, big-endian
 * sizes, big-endian elements). `name` is used in errors. Throws {@link StriateError} when the bytes are compressed,
 * not IDX, shorter or longer than the header says, or larger than allowed.
 */
export function parseIdx(bytes: Uint8Array, name: string, options: IdxOptions = {}): IdxArray {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  check(bytes.length >= 4, () => `${name}: expected an IDX file, got only ${bytes.length} bytes`);
  const [zero0, zero1, type, rank] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  check(
    !isGzip(bytes),
    () =>
      `${name}: is compressed with gzip; decompress it, or let its name end in .gz so that it is read as such`,
  );
  const element = ELEMENTS.get(type);
  check(
    zero0 === 0 && zero1 === 0 && element !== undefined && rank > 0,
    () =>
      `${name}: not an IDX file: expected magic bytes 00 00 (08|09|0b|0c|0d|0e) (01 or more), got ${hex(bytes)}`,
  );
  const header = 4 + 4 * rank;
  check(
    bytes.length >= header,
    () => `${name}: truncated: the header needs ${header} bytes, got ${bytes.length}`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, size) => product * size, 1);
  const size = count * element.bytes;
  check(
    size <= maxBytes,
    () =>
      `${name}: its header claims ${size} bytes of data (shape ${shape.join("x")}), more than the limit ${maxBytes}`,
  );
  const present = bytes.length - header;
  check(
    present >= size,
    () => `${name}: truncated: shape ${shape.join("x")} needs ${size} bytes of data, got ${present}`,
  );
  check(
    present === size,
    () => `${name}: shape ${shape.join("x")} needs ${size} bytes of data, got ${present - size} more`,
  );
  return { shape, data: element.read(view, header, count) };
}

/** Reads an IDX file; one whose name ends in `.gz` is decompressed. Errors as {@link parseIdx}, and when it is absent. */
export async function readIdx(path: string, options: IdxOptions = {}): Promise<IdxArray> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  let bytes: Uint8Array = await readFileChecked(path, { what: "IDX file", maxBytes: maxBytes + HEADER_ROOM });
  if (path.endsWith(".gz")) {
    check(isGzip(bytes), () => `${path}: its name ends in .gz, but it is not compressed with gzip`);
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: maxBytes + HEADER_ROOM });
    } catch (error) {
      throw new StriateError(
        errorCode(error) === "ERR_BUFFER_TOO_LARGE"
          ? `${path}: decompresses to more than the limit of ${maxBytes} bytes`
          : `${path}: damaged gzip data (${(error as Error).message})`,
      );
    }
  }
  return parseIdx(bytes, path, options);
}

/**
 * Reads a pair of IDX files into digit pictures. Throws {@link StriateError} unless they are bytes `[N, H, W]` and `[N]`
 * with the same N and labels 0..9.
 */
export async function readIdxDigits(
  imagesPath: string,
  labelsPath: string,
  options: IdxOptions = {},
): Promise<DigitImages> {
  const [images, labels] = await Promise.all([readIdx(imagesPath, options), readIdx(labelsPath, options)]);
  const [count, height, width] = images.shape;
  check(
    images.data instanceof Uint8Array && images.shape.length === 3,
    () => `${imagesPath}: expected unsigned bytes of shape NxHxW, got ${describe(images)}`,
  );
  check(
    labels.data instanceof Uint8Array && labels.shape.length === 1,
    () => `${labelsPath}: expected unsigned bytes of shape N, got ${describe(labels)}`,
  );
  check(
    count === labels.data.length,
    () => `${labelsPath}: ${labels.data.length} labels for the ${count!} pictures of ${imagesPath}`,
  );
  return digitImages(imagesPath, images.data, labels.data, height!, width!);
}

const HEADER_ROOM = 4 + 4 * 255;

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function describe({ data, shape }: IdxArray): string {
  return `${data.constructor.name} of shape ${shape.join("x")}`;
}
