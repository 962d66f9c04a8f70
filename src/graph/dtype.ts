import { StriateError } from "../util/errors.js";
import { float32ToBfloat16, float32ToFloat16 } from "../util/half.js";

/** Element types, in ONNX's own names (lower case). */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool"
  | "bfloat16"
  | "float8e4m3fn"
  | "float8e4m3fnuz"
  | "float8e5m2"
  | "float8e5m2fnuz"
  | "float8e8m0"
  | "float4e2m1"
  | "int4"
  | "uint4"
  | "int2"
  | "uint2";

/** The arrays that hold elements of tensors. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/**
 * Values of a tensor, in row-major order. Elements of type `bool` are bytes. Elements of type `float16` or
 * `bfloat16` are raw bits in a Uint16Array, those of narrower floating-point types are raw bits in a
 * Uint8Array. Elements of 4 or 2 bits are packed into bytes, the first element in the lowest bits.
 */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

interface DTypeInfo {
  readonly code: number;
  readonly bytes: number;
  /** Number of elements in one entry of the array (default 1). */
  readonly packed?: number;
  readonly make: (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray;
}

const words = (b: ArrayBufferLike, o: number, n: number) => new Uint16Array(b, o, n);
const octets = (b: ArrayBufferLike, o: number, n: number) => new Uint8Array(b, o, n);

/**
 * `code` is the number of the type in ONNX's TensorProto.DataType; `bytes` is the size of one entry of the
 * array.
 */
const INFO: Readonly<Record<DType, DTypeInfo>> = {
  float32: { code: 1, bytes: 4, make: (b, o, n) => new Float32Array(b, o, n) },
  uint8: { code: 2, bytes: 1, make: (b, o, n) => new Uint8Array(b, o, n) },
  int8: { code: 3, bytes: 1, make: (b, o, n) => new Int8Array(b, o, n) },
  uint16: { code: 4, bytes: 2, make: (b, o, n) => new Uint16Array(b, o, n) },
  int16: { code: 5, bytes: 2, make: (b, o, n) => new Int16Array(b, o, n) },
  int32: { code: 6, bytes: 4, make: (b, o, n) => new Int32Array(b, o, n) },
  int64: { code: 7, bytes: 8, make: (b, o, n) => new BigInt64Array(b, o, n) },
  bool: { code: 9, bytes: 1, make: (b, o, n) => new Uint8Array(b, o, n) },
  float16: { code: 10, bytes: 2, make: (b, o, n) => new Uint16Array(b, o, n) },
  float64: { code: 11, bytes: 8, make: (b, o, n) => new Float64Array(b, o, n) },
  uint32: { code: 12, bytes: 4, make: (b, o, n) => new Uint32Array(b, o, n) },
  uint64: { code: 13, bytes: 8, make: (b, o, n) => new BigUint64Array(b, o, n) },
  bfloat16: { code: 16, bytes: 2, make: words },
  float8e4m3fn: { code: 17, bytes: 1, make: octets },
  float8e4m3fnuz: { code: 18, bytes: 1, make: octets },
  float8e5m2: { code: 19, bytes: 1, make: octets },
  float8e5m2fnuz: { code: 20, bytes: 1, make: octets },
  uint4: { code: 21, bytes: 1, packed: 2, make: octets },
  int4: { code: 22, bytes: 1, packed: 2, make: octets },
  float4e2m1: { code: 23, bytes: 1, packed: 2, make: octets },
  float8e8m0: { code: 24, bytes: 1, make: octets },
  uint2: { code: 25, bytes: 1, packed: 4, make: octets },
  int2: { code: 26, bytes: 1, packed: 4, make: octets },
};

/** ONNX's other element types, by their numbers. */
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [8, "string"],
  [14, "complex64"],
  [15, "complex128"],
]);

const BY_CODE = new Map(Object.entries(INFO).map(([dtype, info]) => [info.code, dtype as DType]));

export function onnxTypeCode(dtype: DType): number {
  return INFO[dtype].code;
}

export function dtypeFromOnnx(code: number, what: string): DType {
  const dtype = BY_CODE.get(code);
  if (dtype === undefined) {
    const name = OTHER_TYPES.get(code);
    throw new StriateError(
      `${what}: ${name === undefined ? `ONNX element type ${code}` : `the element type ${name}`} is not supported`,
    );
  }
  return dtype;
}

/** Number of bytes per element. It is less than 1 if several elements share a byte. */
export function bytesPerElement(dtype: DType): number {
  const { bytes, packed = 1 } = INFO[dtype];
  return bytes / packed;
}

/** Number of array entries that are needed for `elements` elements. */
export function storedLength(dtype: DType, elements: number): number {
  return Math.ceil(elements / (INFO[dtype].packed ?? 1));
}

export function isFloat(dtype: DType): boolean {
  return dtype.includes("float");
}

/** Whether the entries of the array are the elements themselves and not their raw bits. */
export function holdsNumbers(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || (!isFloat(dtype) && INFO[dtype].packed === undefined);
}

/** Raw bytes as an array of elements: a view if the bytes are aligned, otherwise a copy. */
export function viewBytes(dtype: DType, bytes: Uint8Array): TypedArray {
  const { bytes: width, make } = INFO[dtype];
  // Do not use `bytes.slice()` to copy: if `bytes` is a Buffer of Node, it returns a view.
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return make(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}

/**
 * Allocates an array for `length` elements: zeros in a new buffer, or a view of `buffer` from byte `offset`.
 */
export function allocate(dtype: DType, length: number, buffer?: ArrayBufferLike, offset = 0): TypedArray {
  const { bytes: width, make } = INFO[dtype];
  const entries = storedLength(dtype, length);
  return make(buffer ?? new ArrayBuffer(entries * width), offset, entries);
}

/**
 * Converts numbers to elements of a type. Throws {@link StriateError} for floating-point types of 8 bits or
 * fewer and for types of which several elements share a byte.
 */
export function fromNumbers(dtype: DType, values: readonly number[] | Float64Array): TypedArray {
  const data = allocate(dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    values.forEach((value, i) => (data[i] = BigInt(value)));
  } else if (dtype === "float16") data.set(float32ToFloat16(Float32Array.from(values)));
  else if (dtype === "bfloat16") data.set(float32ToBfloat16(Float32Array.from(values)));
  else if (holdsNumbers(dtype)) data.set(values);
  else throw new StriateError(`numbers cannot be converted to ${dtype}: give the raw bits`);
  return data;
}

/**
 * Makes tensor values from numbers. By default, the shape is a vector of all values.
 *
 * @example
 * ```ts
 * import { tensorData } from "striate/graph";
 *
 * const { dtype, shape, data } = tensorData([1, 2, 3, 4, 5, 6], [2, 3]);
 * console.log(dtype, shape.join(" x "), data.length); // float32 2 x 3 6
 * ```
 */
export function tensorData(
  values: readonly number[] | TypedArray,
  shape?: readonly number[],
  dtype: DType = "float32",
): TensorData {
  const data = Array.isArray(values) ? fromNumbers(dtype, values as number[]) : (values as TypedArray);
  const dims = shape ?? [data.length];
  const size = storedLength(
    dtype,
    dims.reduce((a, b) => a * b, 1),
  );
  if (size !== data.length) {
    throw new StriateError(
      `values for shape [${dims.join(", ")}]: expected ${size} elements, got ${data.length}`,
    );
  }
  return { dtype, shape: dims, data };
}

/** A float32 scalar, whose shape is []. */
export function scalarData(value: number): TensorData {
  return { dtype: "float32", shape: [], data: new Float32Array([value]) };
}
