import { open } from "node:fs/promises";
import { checkSlice } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";
import type { NpyArray, NpyHeader } from "./npy.js";
import { NPY_PREFIX, checkNpySize, npyElements, npyHeaderBytes, parseNpyHeader } from "./npy.js";

/** Options that say which rows of a NumPy file to read. */
export interface ReadNpyOptions {
  /** Reads only rows first..end-1 along the first axis. Default: all rows. */
  readonly rows?: readonly [first: number, end: number];
  /** Largest number of bytes to read. Default 2 GiB. */
  readonly maxBytes?: number;
}

/** Reads the header of a NumPy file and checks it against the file's size. Throws {@link StriateError}. */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  return withFile(path, (read, size) => headerOf(path, read, size));
}

/**
 * Reads a NumPy file, or only some of its rows; the other rows never enter memory. Throws
 * {@link StriateError} if the file is missing, damaged or cut off, has an unsupported element type, or does not have
 * the requested rows.
 */
export async function readNpy(path: string, options: ReadNpyOptions = {}): Promise<NpyArray> {
  const { maxBytes = 2 ** 31 } = options;
  return withFile(path, async (read, size) => {
    const header = await headerOf(path, read, size);
    const [length = 1, ...rest] = header.shape;
    const [first, end] = options.rows ?? [0, length];
    checkSlice(`${path}: rows`, first, end, length);
    const rowBytes = rest.reduce((product, n) => product * n, header.itemBytes);
    const bytes = (end - first) * rowBytes;
    check(bytes <= maxBytes, () => `${path}: expected at most ${maxBytes} bytes to read, got ${bytes}`);
    const data = npyElements(await read(header.offset + first * rowBytes, bytes), header, path);
    return { shape: header.shape.length === 0 ? [] : [end - first, ...rest], data };
  });
}

type Read = (at: number, bytes: number) => Promise<Uint8Array>;

async function headerOf(path: string, read: Read, size: number): Promise<NpyHeader> {
  check(size >= NPY_PREFIX, () => `${path}: expected a NumPy file, got only ${size} bytes`);
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
          if (bytesRead === 0) throw new StriateError(`${path}: became shorter while it was being read`);
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
