import { open } from "node:fs/promises";
import { StriateError, check } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";
import type { NpyArray, NpyHeader } from "./npy.js";
import { NPY_PREFIX, checkNpySize, npyElements, npyHeaderBytes, parseNpyHeader } from "./npy.js";

/** Which rows of a NumPy file are read. */
export interface ReadNpyOptions {
  /** Only the rows first..end-1 along the first axis. Default: all. */
  readonly rows?: readonly [first: number, end: number];
  /** Largest part read, in bytes. Default 2 GiB. */
  readonly maxBytes?: number;
}

/** The header of a NumPy file, checked against the file's size. Throws {@link StriateError}. */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  return withFile(path, (read, size) => headerOf(path, read, size));
}

/**
 * Reads a NumPy file, or some rows of it: what is left out never enters memory. Throws {@link StriateError} when the file
 * is missing, damaged, cut off, of a type that is not read, or has no such rows.
 */
export async function readNpy(path: string, options: ReadNpyOptions = {}): Promise<NpyArray> {
  const { maxBytes = 2 ** 31 } = options;
  return withFile(path, async (read, size) => {
    const header = await headerOf(path, read, size);
    const [length = 1, ...rest] = header.shape;
    const [first, end] = options.rows ?? [0, length];
    check(
      Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= length,
      () => `${path}: expected rows within 0 to ${length}, got ${first} to ${end}`,
    );
    const rowBytes = rest.reduce((product, n) => product * n, header.itemBytes);
    const bytes = (end - first) * rowBytes;
    check(bytes <= maxBytes, () => `${path}: ${bytes} bytes are more than the limit of ${maxBytes}`);
    const data = npyElements(await read(header.offset + first * rowBytes, bytes), header, path);
    return { shape: header.shape.length === 0 ? [] : [end - first, ...rest], data };
  });
}

type Read = (at: number, bytes: number) => Promise<Uint8Array>;

async function headerOf(path: string, read: Read, size: number): Promise<NpyHeader> {
  check(size >= NPY_PREFIX, () => `${path}: not a NumPy file: it has only ${size} bytes`);
  const length = npyHeaderBytes(await read(0, NPY_PREFIX), path);
  check(size >= length, () => `${path}: truncated: the header needs ${length} bytes, got ${size}`);
  const header = parseNpyHeader(await read(0, length), path);
  checkNpySize(header, size - header.offset, path);
  return header;
}

async function withFile<T>(path: string, use: (read: Read, size: number) => Promise<T>): Promise<T> {
  try {
    const handle = await open(path, "r");
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      const read: Read = async (at, bytes) => {
        const out = new Uint8Array(bytes);
        let filled = 0;
        while (filled < bytes) {
          const { bytesRead } = await handle.read(
            out,
            filled,
            Math.min(bytes - filled, 1 << 28),
            at + filled,
          );
          if (bytesRead === 0) throw new StriateError(`${path}: shrank while it was read`);
          filled += bytesRead;
        }
        return out;
      };
      return await use(read, stat.size);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileError("read the NumPy file", path, cause);
  }
}
