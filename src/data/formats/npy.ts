import { StriateError, check } from "../../util/errors.js";
import { decodeFloat16 } from "../../util/half.js";
import type { DataArray } from "../dataset.js";

/** An array read from a NumPy file. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** The contents of a NumPy file's header. */
export interface NpyHeader {
  readonly shape: readonly number[];
  /** NumPy's code for the element type, such as "|u1" or "<f4". */
  readonly descr: string;
  readonly itemBytes: number;
  /** Position of the first element in the file, in bytes. */
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
    () => `expected 64-bit integers that fit into 32 bits, got ${value.toString()}`,
  );
  return Number(value);
}

/**
 * Number of bytes to read first; from these, {@link npyHeaderBytes} then computes the length of the whole
 * header.
 */
export const NPY_PREFIX = 12;

/**
 * The length of the header in bytes, computed from the file's first {@link NPY_PREFIX} bytes. Throws
 * {@link StriateError}.
 */
export function npyHeaderBytes(bytes: Uint8Array, name: string): number {
  check(
    bytes.length >= NPY_PREFIX &&
      bytes[0] === 0x93 &&
      String.fromCharCode(...bytes.subarray(1, 6)) === "NUMPY",
    () => `${name}: expected a NumPy file, which begins with \\x93NUMPY, got something else`,
  );
  const version = bytes[6]!;
  check(
    version >= 1 && version <= 3,
    () => `${name}: expected version 1, 2 or 3 of the NumPy format, got ${version}`,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  check(length <= 65536, () => `${name}: expected a header of at most 65536 bytes, got one of ${length}`);
  return (version === 1 ? 10 : 12) + length;
}

/**
 * Parses the header of a NumPy file (format versions 1 to 3). `name` names the file in errors. Throws
 * {@link StriateError} if the header is damaged, or if the array holds objects, structures, text or complex numbers,
 * or is in Fortran order.
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
    () => `${name}: expected booleans, integers, or floats of 16, 32 or 64 bits, got element type "${descr}"`,
  );
  const shape = list.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  const count = shape.reduce((product, length) => product * length, 1);
  check(
    Number.isSafeInteger(count * element.bytes),
    () => `${name}: the shape ${shape.join("x")} is too large`,
  );
  check(
    fortran === "False" || shape.filter((length) => length > 1).length < 2,
    () =>
      `${name}: expected C order, got Fortran order; convert the array with numpy.ascontiguousarray and save it again`,
  );
  return { shape, descr, itemBytes: element.bytes, offset };
}

function elementOf(descr: string): Element | undefined {
  return /^[<>=|]/.test(descr) ? ELEMENTS[descr.slice(1)] : undefined;
}

/** Decodes consecutive elements. 64-bit integers become 32-bit integers; the function throws if one does not fit. */
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

/** Parses a whole NumPy file. Throws {@link StriateError} as `parseNpyHeader` does, and if the file is cut off. */
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

/**
 * Throws {@link StriateError} unless `present`, the number of data bytes in the file, is what its header
 * requires.
 */
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
