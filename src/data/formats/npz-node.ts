import { StriateError, check } from "../../util/errors.js";
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
   * Reads a whole array. Throws {@link StriateError} as {@link Npz.elements} does, and for arrays larger than
   * 2 GiB.
   */
  read(name: string): Promise<NpyArray>;
  /**
   * Reads an array in pieces, for arrays that do not fit into memory. The result is its header, and its
   * elements in order. Throws {@link StriateError} for an array that does not exist, is damaged or cut off,
   * or has an unsupported element type.
   */
  elements(name: string): Promise<{
    readonly header: NpyHeader;
    readonly pieces: AsyncGenerator<DataArray, void, undefined>;
  }>;
}

const LARGEST = 2 ** 31;

/** Opens a NumPy archive. Throws {@link StriateError} for a file that is not a ZIP archive, or is cut off. */
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
      const data = npyElements(new Uint8Array(count * header.itemBytes), header, name);
      let at = 0;
      for await (const piece of pieces) {
        data.set(piece, at);
        at += piece.length;
      }
      return { shape: header.shape, data };
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
  const bytes = zip.pieces(file);
  let head: Uint8Array = new Uint8Array(0);
  const gather = async (count: number): Promise<void> => {
    while (head.length < count) {
      const next = await bytes.next();
      if (next.done === true) throw new StriateError(`${what}: truncated: the file ends inside the header`);
      head = Buffer.concat([head, next.value]);
    }
  };
  await gather(NPY_PREFIX);
  await gather(npyHeaderBytes(head, what));
  const header = parseNpyHeader(head, what);
  return { header, pieces: wholeElements(head.subarray(header.offset), bytes, header, what) };
}

/** Regroups pieces of bytes so that each piece holds whole elements. */
async function* wholeElements(
  first: Uint8Array,
  more: AsyncGenerator<Uint8Array, void, undefined>,
  header: NpyHeader,
  what: string,
): AsyncGenerator<DataArray, void, undefined> {
  const needed = elementCount(header) * header.itemBytes;
  let [rest, present] = [first, first.length];
  for (;;) {
    check(present <= needed, () => `${what}: the shape needs ${needed} bytes of data, got more`);
    const whole = rest.length - (rest.length % header.itemBytes);
    if (whole > 0) yield npyElements(rest.subarray(0, whole), header, what);
    const next = await more.next();
    if (next.done === true) break;
    rest = whole === rest.length ? next.value : Buffer.concat([rest.subarray(whole), next.value]);
    present += next.value.length;
  }
  check(present === needed, () => `${what}: truncated: the shape needs ${needed} bytes, got ${present}`);
}
