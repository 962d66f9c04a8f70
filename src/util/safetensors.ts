import { check, StriateError } from "./errors.js";
import { bfloat16ToFloat32, float16ToFloat32 } from "./half.js";
import { isJsonObject, parseStrictJson, shorten } from "./json.js";

/** Bytes per element of each supported dtype. */
const itemBytes = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

export type SafetensorsDtype = keyof typeof itemBytes;

export type StoredArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

type ArrayConstructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => StoredArray;

const arrayOf: Readonly<Record<SafetensorsDtype, ArrayConstructor>> = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** One tensor of a file. F16 and BF16 are raw 16-bit words, BOOL is one byte per element. */
export interface StoredTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: StoredArray;
}

export interface Safetensors {
  /** Tensors by name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The file's `__metadata__`; empty if it has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Largest header that the reference reader accepts, 100 MB. */
const maxHeaderBytes = 100_000_000;

interface Entry extends Pick<StoredTensor, "dtype" | "shape"> {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file (format: github.com/huggingface/safetensors, "Format"). Arrays are views of `bytes` if their
 * alignment allows it, otherwise copies. `what` names the file in messages.
 *
 * Throws {@link StriateError} for anything that the format forbids: truncation, a header that is too long or not JSON,
 * duplicate names, offsets that overlap, leave a gap or lie outside the file, and sizes that do not match the shape.
 */
export function decodeSafetensors(bytes: Uint8Array, what = "safetensors data"): Safetensors {
  const { header, dataStart } = readHeader(bytes, what);
  const { __metadata__: metadata, ...infos } = header;
  const entries = Object.entries(infos).map(([name, info]) => readEntry(name, info, what));
  // An empty tensor has the same offset as the tensor after it, and must come first.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(entries, bytes.length - dataStart, what);
  const tensors = new Map(entries.map((entry) => [entry.name, viewTensor(bytes, dataStart, entry)]));
  return { tensors, metadata: readMetadata(metadata, what) };
}

/**
 * The number of bytes up to the end of the header, read from the first 8 bytes. Throws {@link StriateError} if a file
 * cannot have such a header.
 */
export function safetensorsHeaderBytes(bytes: Uint8Array, what = "safetensors data"): number {
  check(
    bytes.length >= 8,
    () => `${what} is truncated: expected at least 8 bytes of header, got ${bytes.length}.`,
  );
  const size = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  check(
    size <= maxHeaderBytes,
    () =>
      `${what} is not a safetensors file: expected a header of at most ${maxHeaderBytes} bytes, it states ${String(size)}.`,
  );
  return 8 + Number(size);
}

/** The `__metadata__` of a file of which only the header needs to be there. Throws {@link StriateError}. */
export function decodeSafetensorsMetadata(
  bytes: Uint8Array,
  what = "safetensors data",
): Readonly<Record<string, string>> {
  return readMetadata(readHeader(bytes, what).header.__metadata__, what);
}

function readHeader(bytes: Uint8Array, what: string): { header: Record<string, unknown>; dataStart: number } {
  const dataStart = safetensorsHeaderBytes(bytes, what);
  check(
    dataStart <= bytes.length,
    () =>
      `${what} is truncated: its header ends at byte ${dataStart}, but the file ends at byte ${bytes.length}.`,
  );
  check(
    bytes[8] === 0x7b && dataStart > 8,
    () => `${what} is not a safetensors file: its header does not begin with "{".`,
  );
  const header = parseStrictJson(decodeUtf8(bytes.slice(8, dataStart), what), `The header of ${what}`);
  check(isJsonObject(header), () => `The header of ${what} is not a JSON object.`);
  return { header: { ...header }, dataStart };
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new StriateError(`The header of ${what} is not valid UTF-8.`, { cause });
  }
}

function readMetadata(value: unknown, what: string): Record<string, string> {
  if (value === undefined) return {};
  check(isJsonObject(value), () => `The __metadata__ of ${what} is not a JSON object.`);
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      check(
        typeof text === "string",
        () => `The __metadata__ of ${what}: "${shorten(key)}" is not a string.`,
      );
      return [key, text];
    }),
  );
}

function readEntry(name: string, info: unknown, what: string): Entry {
  const where = (): string => `Tensor "${shorten(name)}" of ${what}`;
  check(isJsonObject(info), () => `${where()}: expected an object with dtype, shape and data_offsets.`);
  const { dtype, shape, data_offsets: offsets, ...others } = info;
  const unknownKey = Object.keys(others)[0];
  check(unknownKey === undefined, () => `${where()}: unknown key "${shorten(unknownKey ?? "")}".`);
  check(
    isDtype(dtype),
    () => `${where()}: unknown dtype ${show(dtype)}, expected one of ${Object.keys(itemBytes).join(" ")}.`,
  );
  check(isCountArray(shape), () => `${where()}: shape ${show(shape)} is not a list of whole numbers.`);
  check(
    isCountArray(offsets) && offsets.length === 2,
    () => `${where()}: data_offsets ${show(offsets)} is not a pair of whole numbers.`,
  );
  const [begin = 0, end = 0] = offsets;
  const expected = byteLength(dtype, shape);
  check(
    end - begin === expected,
    () =>
      `${where()}: ${dtype} of shape [${shape}] needs ${expected} bytes, but its data_offsets state ${end - begin}.`,
  );
  return { name, dtype, shape, begin, end };
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === "string" && Object.hasOwn(itemBytes, value);
}

function isCountArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function show(value: unknown): string {
  return value === undefined ? "(missing)" : shorten(JSON.stringify(value));
}

/** Number of bytes of a tensor. Absurd shapes give infinity or an unsafe integer, which no file length equals. */
function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, itemBytes[dtype]);
}

/** Checks that the tensors cover the data without overlaps and gaps, which the format forbids. */
function checkTiling(entries: readonly Entry[], dataBytes: number, what: string): void {
  let at = 0;
  for (const { name, begin, end } of entries) {
    const where = `Tensor "${shorten(name)}" of ${what}`;
    check(begin >= at, () => `${where} begins at byte ${begin} of the data, inside the tensor before it.`);
    check(
      begin === at,
      () => `${where} begins at byte ${begin} of the data; bytes ${at} to ${begin} belong to no tensor.`,
    );
    check(
      end <= dataBytes,
      () =>
        `${where} ends at byte ${end} of the data, but the data end at byte ${dataBytes}: the file is truncated.`,
    );
    at = end;
  }
  check(at === dataBytes, () => `${what} has ${dataBytes - at} bytes after its last tensor.`);
}

function viewTensor(bytes: Uint8Array, dataStart: number, entry: Entry): StoredTensor {
  const { dtype, shape, begin, end } = entry;
  const size = itemBytes[dtype];
  const length = (end - begin) / size;
  const offset = bytes.byteOffset + dataStart + begin;
  const data =
    offset % size === 0
      ? new arrayOf[dtype](bytes.buffer, offset, length)
      : new arrayOf[dtype](bytes.slice(dataStart + begin, dataStart + end).buffer, 0, length);
  return { dtype, shape, data };
}

/**
 * Writes tensors and metadata as one safetensors file. The same content always gives the same bytes: tensors are sorted
 * by element size (largest first, so that every array is aligned), then by name; metadata are sorted by key. Throws
 * {@link StriateError} if an array does not match its dtype and shape.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort(
    ([a, left], [b, right]) => itemBytes[right.dtype] - itemBytes[left.dtype] || compareText(a, b),
  );
  const fields: string[] = [];
  const pairs = Object.entries(metadata).sort(([a], [b]) => compareText(a, b));
  // The JSON is written by hand, because an object would move keys that look like numbers to the front and lose
  // "__proto__".
  const pair = (key: string, value: string): string => `${quote(key)}:${value}`;
  if (pairs.length > 0) {
    fields.push(pair("__metadata__", `{${pairs.map(([key, value]) => pair(key, quote(value))).join(",")}}`));
  }
  let at = 0;
  for (const [name, tensor] of ordered) {
    checkTensor(name, tensor);
    const info = {
      dtype: tensor.dtype,
      shape: tensor.shape,
      data_offsets: [at, at + tensor.data.byteLength],
    };
    fields.push(pair(name, JSON.stringify(info)));
    at += tensor.data.byteLength;
  }
  return assemble(`{${fields.join(",")}}`, ordered, at);
}

function assemble(
  json: string,
  ordered: readonly [string, StoredTensor][],
  dataBytes: number,
): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(json);
  const padded = Math.ceil(header.length / 8) * 8;
  check(
    padded <= maxHeaderBytes,
    () => `The safetensors header is too large: expected at most ${maxHeaderBytes} bytes, got ${padded}.`,
  );
  const bytes = new Uint8Array(8 + padded + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded);
  bytes.set(header, 8);
  let at = 8 + padded;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function checkTensor(name: string, tensor: StoredTensor): void {
  const { dtype, shape, data } = tensor;
  check(
    name !== "__metadata__",
    () => `A tensor cannot be named "__metadata__": the format reserves that name.`,
  );
  check(isDtype(dtype), () => `Tensor "${name}": unknown dtype ${show(dtype)}.`);
  check(isCountArray(shape), () => `Tensor "${name}": shape ${show(shape)} is not a list of whole numbers.`);
  const array = arrayOf[dtype];
  check(
    data instanceof array,
    () => `Tensor "${name}": ${dtype} needs a ${array.name}, got ${data.constructor.name}.`,
  );
  const expected = byteLength(dtype, shape) / itemBytes[dtype];
  check(
    data.length === expected,
    () => `Tensor "${name}" of shape [${shape.join(",")}] needs ${expected} values, got ${data.length}.`,
  );
}

function quote(text: string): string {
  // A lone surrogate has no UTF-8 form; JSON.stringify would escape it, but other readers would refuse it.
  check(!/\p{Surrogate}/u.test(text), () => `${JSON.stringify(text)} is not valid Unicode text.`);
  return JSON.stringify(text);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Float32 values by name as the tensors of a file, whose names start with `prefix`. */
export function storedFloats(
  values: Iterable<
    readonly [string, { readonly shape: readonly number[]; readonly data: ArrayLike<unknown> }]
  >,
  prefix = "",
): Map<string, StoredTensor> {
  return new Map(
    Array.from(values, ([name, { shape, data }]) => [
      prefix + name,
      { dtype: "F32", shape: [...shape], data: data as Float32Array },
    ]),
  );
}

/**
 * The values of a floating-point tensor (F64, F32, F16 or BF16) as float32; an F32 array is returned without a copy.
 */
export function storedToFloat32(tensor: StoredTensor): Float32Array {
  const { dtype, data } = tensor;
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (dtype === "F16" && data instanceof Uint16Array) return float16ToFloat32(data);
  if (dtype === "BF16" && data instanceof Uint16Array) return bfloat16ToFloat32(data);
  throw new StriateError(`Expected a floating-point tensor (F64, F32, F16 or BF16), got ${dtype}.`);
}
