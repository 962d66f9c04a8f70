import { check } from "../../util/errors.js";
import type { DataArray } from "../dataset.js";
import { type DigitImages, digitImages } from "../scenes/digit-images.js";

/** An array read from an IDX file. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** Limits that protect against damaged or malicious files. */
export interface IdxOptions {
  /** Largest accepted size in bytes after decompression. Default 1 GiB. */
  readonly maxBytes?: number;
}

export const DEFAULT_MAX_BYTES = 2 ** 30;

/** Largest size of an IDX header in bytes. */
export const HEADER_ROOM = 4 + 4 * 255;

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

/** Size of a whole IDX file by its header; undefined if `bytes` do not begin with a header. */
export function statedBytes(bytes: Uint8Array): number | undefined {
  const element = ELEMENTS.get(bytes[2] ?? 0);
  const header = 4 + 4 * (bytes[3] ?? 0);
  if (element === undefined || bytes.length < header) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Array.from({ length: bytes[3]! }, (_, i) => view.getUint32(4 + 4 * i)).reduce(
    (a, b) => a * b,
    1,
  );
  return header + count * element.bytes;
}

/**
 * Parses an IDX file (the format of MNIST: two zero bytes, element type, number of dimensions, big-endian
 * sizes, big-endian elements). `name` names the file in errors. Throws `StriateError` if the bytes are
 * compressed, not in IDX format, shorter or longer than the header requires, or larger than allowed.
 */
export function parseIdx(bytes: Uint8Array, name: string, options: IdxOptions = {}): IdxArray {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  check(bytes.length >= 4, () => `${name}: expected an IDX file, got only ${bytes.length} bytes`);
  const [zero0, zero1, type, rank] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  check(
    !isGzip(bytes),
    () =>
      `${name}: expected an uncompressed IDX file, got one compressed with gzip; decompress it, or rename it so that its name ends in .gz`,
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
      `${name}: expected at most ${maxBytes} bytes of data, got a header for ${size} (shape ${shape.join("x")})`,
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

/** The two IDX files of a set of digit images, each with its name for errors. */
export interface IdxPair {
  readonly images: IdxArray;
  readonly labels: IdxArray;
  readonly imagesName: string;
  readonly labelsName: string;
}

/**
 * Combines a pair of IDX arrays into digit images. Throws `StriateError` unless they are bytes of shapes `[N, H, W]`
 * and `[N]` with the same N and labels 0..9.
 */
export function idxDigits({ images, labels, imagesName, labelsName }: IdxPair): DigitImages {
  const [count, height, width] = images.shape;
  check(
    images.data instanceof Uint8Array && images.shape.length === 3,
    () => `${imagesName}: expected unsigned bytes of shape NxHxW, got ${describe(images)}`,
  );
  check(
    labels.data instanceof Uint8Array && labels.shape.length === 1,
    () => `${labelsName}: expected unsigned bytes of shape N, got ${describe(labels)}`,
  );
  check(
    count === labels.data.length,
    () =>
      `${labelsName}: expected a label for each of the ${count!} images of ${imagesName}, got ${labels.data.length}`,
  );
  return digitImages(imagesName, images.data, labels.data, height!, width!);
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function describe({ data, shape }: IdxArray): string {
  return `${data.constructor.name} of shape ${shape.join("x")}`;
}
