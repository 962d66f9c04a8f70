import { StriateError, check } from "../../util/errors.js";
import { decodeFloat16 } from "../../util/half.js";
import type { DataArray } from "../dataset.js";

/** An array read from a NumPy file. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** What the header of a NumPy file says. */
export interface NpyHeader {
  readonly shape: readonly number[];
  /** NumPy's own name of the element type, such as "|u1" or "<f4". */
  readonly descr: string;
  readonly itemBytes: number;
  /** Position of the first element in the file. */
  readonly offset: number;
}

interface Element {
  readonly bytes: number;
  make(length: number): DataArray;
  read(view: DataView, at: number, little: boolean): number;
}

const ELEMENTS: Readonly<Record<string, Element>> = {
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (v, at, little) => v.getUint16(at, little) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (v, at, little) => v.getInt16(at, little) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (v, at, little) => v.getUint32(at, little) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (v, at, little) => v.getInt32(at, little) },
  u8: {
    bytes: 8,
    make: (n) => new Int32Array(n),
    read: (v, at, little) => narrow(v.getBigUint64(at, little)),
  },
  i8: {
    bytes: 8,
    make: (n) => new Int32Array(n),
    read: (v, at, little) => narrow(v.getBigInt64(at, little)),
  },
  f2: {
    bytes: 2,
    make: (n) => new Float32Array(n),
    read: (v, at, little) => decodeFloat16(v.getUint16(at, little)),
  },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (v, at, little) => v.getFloat32(at, little) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (v, at, little) => v.getFloat64(at, little) },
};

const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function narrow(value: bigint): number {
  check(
    BigInt.asIntN(32, value) === value,
    () => `64-bit number ${value.toString()} does not fit into 32 bits`,
  );
  return Number(value);
}

/** Bytes that always hold the whole header, unless its length says otherwise ({@link npyHeaderBytes}). */
export const NPY_PREFIX = 12;

/** How many bytes of the file the header takes, from its first {@link NPY_PREFIX} bytes. Throws {@link StriateError}. */
export function npyHeaderBytes(bytes: Uint8Array, name: string): number {
  check(
    bytes.length >= NPY_PREFIX &&
      bytes[0] === 0x93 &&
      String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY",
    () => `${name}: not a NumPy file: it does not begin with \\x93NUMPY`,
  );
  const version = bytes[6]!;
  check(version >= 1 && version <= 3, () => `${name}: NumPy format ${version} is not known (1, 2 and 3 are)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  check(length <= 65536, () => `${name}: its header claims ${length} bytes, at most 65536 are read`);
  return (version === 1 ? 10 : 12) + length;
}

/**
 * Reads the header of a NumPy file, versions 1 to 3. `name` is used in errors. Throws {@link StriateError} when it is
 * damaged, or the array holds objects, structures, text or complex numbers, or lies in Fortran order.
 */
export function parseNpyHeader(bytes: Uint8Array, name: string): NpyHeader {
  const offset = npyHeaderBytes(bytes, name);
  check(
    bytes.length >= offset,
    () => `${name}: truncated: the header needs ${offset} bytes, got ${bytes.length}`,
  );
  const text = new TextDecoder().decode(bytes.subarray(bytes[6] === 1 ? 10 : 12, offset));
  const descr = /'descr': *'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const list = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1];
  if (descr === undefined || fortran === undefined || list === undefined) {
    throw new StriateError(
      `${name}: expected a NumPy header with descr, fortran_order and shape, got ${JSON.stringify(text.trim().slice(0, 120))}`,
    );
  }
  const element = elementOf(descr);
  check(
    element,
    () =>
      `${name}: element type "${descr}" is not read, only booleans, integers and floats of 16, 32 and 64 bits`,
  );
  const shape = list.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  const count = shape.reduce((product, length) => product * length, 1);
  check(
    Number.isSafeInteger(count * element.bytes),
    () => `${name}: its shape ${shape.join("x")} is too large`,
  );
  check(
    fortran === "False" || shape.filter((length) => length > 1).length < 2,
    () => `${name}: is in Fortran order; save it with numpy.ascontiguousarray`,
  );
  return { shape, descr, itemBytes: element.bytes, offset };
}

function elementOf(descr: string): Element | undefined {
  return /^[<>=|]/.test(descr) ? ELEMENTS[descr.slice(1)] : undefined;
}

/** Elements that lie one after another in `bytes`. 64-bit integers become 32-bit ones; throws where they do not fit. */
export function npyElements(bytes: Uint8Array, header: NpyHeader, name: string): DataArray {
  const element = elementOf(header.descr)!;
  const out = element.make(bytes.length / element.bytes);
  const little = !header.descr.startsWith(">");
  if (out.BYTES_PER_ELEMENT === element.bytes && (element.bytes === 1 || little === HOST_IS_LITTLE)) {
    new Uint8Array(out.buffer).set(bytes);
    return out;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    for (let i = 0; i < out.length; i++) out[i] = element.read(view, i * element.bytes, little);
  } catch (cause) {
    throw cause instanceof StriateError ? new StriateError(`${name}: ${cause.message}`) : cause;
  }
  return out;
}

/**
 * Reads the bytes of a whole NumPy file. Throws {@link StriateError} as `parseNpyHeader` does, or if the file is cut off.
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const header = parseNpyHeader(bytes, name);
  const size = header.shape.reduce((product, length) => product * length, header.itemBytes);
  const present = bytes.length - header.offset;
  checkNpySize(header, present, name);
  return {
    shape: header.shape,
    data: npyElements(bytes.subarray(header.offset, header.offset + size), header, name),
  };
}

/** Throws {@link StriateError} unless `present` bytes are what the header promises. */
export function checkNpySize({ shape, itemBytes }: NpyHeader, present: number, name: string): void {
  const size = shape.reduce((product, length) => product * length, itemBytes);
  check(
    present >= size,
    () => `${name}: truncated: shape ${shape.join("x")} needs ${size} bytes of data, got ${present}`,
  );
  check(
    present === size,
    () => `${name}: shape ${shape.join("x")} needs ${size} bytes of data, got ${present - size} more`,
  );
}
