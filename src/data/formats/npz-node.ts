import { check } from "../../util/errors.js";
import { GrowingBytes } from "../../util/growing-bytes.js";
import type { DataArray } from "../dataset.js";
import type { NpyArray, NpyHeader } from "./npy.js";
import { NPY_PREFIX, npyElements, npyHeaderBytes, parseNpyHeader } from "./npy.js";
import type { ZipArchive } from "./zip-node.js";
import { openZip } from "./zip-node.js";

/** A NumPy archive (`numpy.savez`), compressed or not. */
export interface Npz {
  readonly path: string;
  /** Names of its arrays, without `.npy`. */
  readonly names: readonly string[];
  /**
   * Reads a whole array. Throws `StriateError` as {@link Npz.elements} does, and for arrays larger than
   * 2 GiB.
   */
  read(name: string): Promise<NpyArray>;
  /**
   * Reads an array in pieces, for arrays that do not fit into memory. The result is its header, and its
   * elements in order. Throws `StriateError` for an array that does not exist, is damaged or cut off,
   * or has an unsupported element type.
   */
  elements(name: string): Promise<{
    readonly header: NpyHeader;
    readonly pieces: AsyncGenerator<DataArray, void, undefined>;
  }>;
}

const LARGEST = 2 ** 31;

/** Opens a NumPy archive. Throws `StriateError` for a file that is not a ZIP archive, or is cut off. */
export async function openNpz(path: string): Promise<Npz> {
  const zip = await openZip(path);
  const elements = (name: string) => openArray(zip, name);
  return {
    path,
    names: zip.names.flatMap((name) => (name.endsWith(".npy") ? [name.slice(0, -".npy".length)] : [])),
    elements,
    read: async (name) => {
      const { header, pieces } = await elements(name);
      const count = elementCount(header);
      check(
        count * header.itemBytes <= LARGEST,
        () => `"${path}": expected at most ${LARGEST} bytes for ${name}, got more; read it in pieces`,
      );
      const none = npyElements(new Uint8Array(0), header, name);
      // The header may promise more than the file holds: memory is taken only for numbers that have come.
      const bytes = new GrowingBytes(count * none.BYTES_PER_ELEMENT);
      for await (const { buffer, byteOffset, byteLength } of pieces)
        bytes.append(new Uint8Array(buffer, byteOffset, byteLength));
      const make = none.constructor as new (bytes: ArrayBuffer, at: number, count: number) => DataArray;
      return { shape: header.shape, data: new make(bytes.bytes.buffer, 0, count) };
    },
  };
}

/** The number of elements of an array. */
export function elementCount({ shape }: NpyHeader): number {
  return shape.reduce((product, length) => product * length, 1);
}

async function openArray(zip: ZipArchive, name: string) {
  const file = `${name}.npy`;
  check(
    zip.names.includes(file),
    () => `"${zip.path}": expected an array "${name}", got ${zip.names.join(", ") || "nothing"}`,
  );
  const what = `"${zip.path}": ${name}`;
  let head: Uint8Array = new Uint8Array(0);
  const needed = () => (head.length < NPY_PREFIX ? NPY_PREFIX : npyHeaderBytes(head, what));
  for await (const piece of zip.pieces(file)) {
    head = Buffer.concat([head, piece]);
    if (head.length >= needed()) break;
  }
  check(head.length >= needed(), () => `${what}: truncated: the file ends inside the header`);
  const header = parseNpyHeader(head, what);
  return { header, pieces: wholeElements(zip.pieces(file), header, what) };
}

/** The bytes after the header, in pieces that hold whole elements. */
async function* wholeElements(
  all: AsyncIterable<Uint8Array>,
  header: NpyHeader,
  what: string,
): AsyncGenerator<DataArray, void, undefined> {
  const needed = elementCount(header) * header.itemBytes;
  let [rest, present]: [Uint8Array, number] = [new Uint8Array(0), -header.offset];
  for await (const piece of all) {
    const skipped = Math.min(piece.length, Math.max(0, -present));
    present += piece.length;
    check(present <= needed, () => `${what}: the shape needs ${needed} bytes of data, got more`);
    const joined = rest.length === 0 ? piece.subarray(skipped) : Buffer.concat([rest, piece]);
    const whole = joined.length - (joined.length % header.itemBytes);
    if (whole > 0) yield npyElements(joined.subarray(0, whole), header, what);
    rest = joined.subarray(whole);
  }
  check(present === needed, () => `${what}: truncated: the shape needs ${needed} bytes, got ${present}`);
}
