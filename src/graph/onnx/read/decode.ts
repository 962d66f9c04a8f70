import { StriateError } from "../../../util/errors.js";
import type { DType, TensorData, TypedArray } from "../../dtype.js";
import { allocate, bytesPerElement, dtypeFromOnnx, storedLength, viewBytes } from "../../dtype.js";
import type { Attribute, Attributes } from "../../tensor.js";
import type { AttributeProto, GraphProto, TensorProto } from "../generated/onnx_pb.js";
import { AttributeProto_AttributeType as Kind } from "../generated/onnx_pb.js";
import type { ExternalData } from "./external-data.js";
import { externalBytes, isExternal } from "./external-data.js";

const text = new TextDecoder();

/** Largest length of an axis of a stored tensor, since a protobuf message has at most 2 GB. */
export const LONGEST_AXIS = 2 ** 31 - 1;

/**
 * The values of a stored tensor. They are copied out of the file, unless they may `stay` in its bytes and are
 * aligned for a typed array. Nothing is allocated before the lengths are checked.
 *
 * @throws StriateError for an unsupported element type, for dims that do not fit the values, and if values in
 * another file are not available
 */
export function decodeTensor(
  proto: TensorProto,
  what: string,
  external?: ExternalData,
  { stay = false }: { readonly stay?: boolean | undefined } = {},
): TensorData {
  if (proto.segment !== undefined)
    throw new StriateError(`${what}: values stored in segments are not supported`);
  const dtype = dtypeFromOnnx(proto.dataType, what);
  const shape = proto.dims.map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.some((dim) => dim < 0 || dim > LONGEST_AXIS) || size > LONGEST_AXIS) {
    throw new StriateError(`${what}: expected a valid shape, got [${shape.join(", ")}]`);
  }
  return { dtype, shape, data: elements(proto, dtype, size, what, external, stay) };
}

function elements(
  proto: TensorProto,
  dtype: DType,
  size: number,
  what: string,
  external: ExternalData | undefined,
  stay: boolean,
): TypedArray {
  const expected = Math.ceil(size * bytesPerElement(dtype));
  if (isExternal(proto)) return viewBytes(dtype, externalBytes(proto, expected, what, external).slice());
  if (proto.rawData.byteLength > 0) {
    if (proto.rawData.byteLength !== expected) {
      throw new StriateError(
        `${what}: ${dtype}[${proto.dims.join(", ")}]: expected ${expected} bytes, got ${proto.rawData.byteLength}`,
      );
    }
    return viewBytes(dtype, stay ? proto.rawData : proto.rawData.slice());
  }
  const values = listedValues(proto, dtype);
  if (values.length !== storedLength(dtype, size)) {
    throw new StriateError(
      `${what}: ${dtype}[${proto.dims.join(", ")}]: expected ${size} elements, got ${values.length}`,
    );
  }
  const data = allocate(dtype, size);
  for (let i = 0; i < data.length; i++) data[i] = values[i]!;
  return data;
}

/** The elements of a tensor that are not stored as raw bytes. The type decides which field holds them. */
function listedValues(proto: TensorProto, dtype: DType): readonly number[] | readonly bigint[] {
  switch (dtype) {
    case "float32":
      return proto.floatData;
    case "float64":
      return proto.doubleData;
    case "int64":
      return proto.int64Data;
    case "uint64":
      return proto.uint64Data;
    case "uint32":
      return proto.uint64Data.map(Number);
    default:
      return proto.int32Data;
  }
}

export interface DecodedAttributes {
  readonly attributes: Attributes;
  /** Bodies of If, Loop and Scan. */
  readonly graphs: ReadonlyMap<string, GraphProto>;
}

/** All attributes of a node. @throws StriateError for a kind of attribute that no supported operator has */
export function decodeAttributes(
  protos: readonly AttributeProto[],
  where: string,
  external?: ExternalData,
): DecodedAttributes {
  const attributes: [string, Attribute][] = [];
  const graphs = new Map<string, GraphProto>();
  const seen = new Set<string>();
  for (const proto of protos) {
    if (seen.has(proto.name)) throw new StriateError(`${where}: attribute "${proto.name}" is given twice`);
    seen.add(proto.name);
    if (proto.refAttrName !== "") {
      throw new StriateError(`${where}: attribute "${proto.name}" refers to a function's argument`);
    }
    if (kindOf(proto) === Kind.GRAPH && proto.g !== undefined) graphs.set(proto.name, proto.g);
    else attributes.push([proto.name, decodeAttribute(proto, where, external)]);
  }
  return { attributes: Object.fromEntries(attributes), graphs };
}

function decodeAttribute(
  proto: AttributeProto,
  where: string,
  external: ExternalData | undefined,
): Attribute {
  const what = `${where}: attribute "${proto.name}"`;
  switch (kindOf(proto)) {
    case Kind.INT:
      return Number(proto.i);
    case Kind.FLOAT:
      return { float: proto.f };
    case Kind.STRING:
      return text.decode(proto.s);
    case Kind.INTS:
      return proto.ints.map(Number);
    case Kind.FLOATS:
      return { floats: proto.floats };
    case Kind.STRINGS:
      return { strings: proto.strings.map((item) => text.decode(item)) };
    case Kind.TENSOR:
      if (proto.t === undefined) throw new StriateError(`${what} has no tensor`);
      return { tensor: decodeTensor(proto.t, what, external) };
    default:
      throw new StriateError(`${what} is of a kind (${proto.type}) that is not supported`);
  }
}

/** The kind of an attribute. Very old files do not state it, so the field in use decides. */
function kindOf(proto: AttributeProto): Kind {
  if (proto.type !== Kind.UNDEFINED) return proto.type;
  if (proto.t !== undefined) return Kind.TENSOR;
  if (proto.g !== undefined) return Kind.GRAPH;
  if (proto.ints.length > 0) return Kind.INTS;
  if (proto.floats.length > 0) return Kind.FLOATS;
  if (proto.strings.length > 0) return Kind.STRINGS;
  if (Object.hasOwn(proto, "s")) return Kind.STRING;
  if (Object.hasOwn(proto, "f")) return Kind.FLOAT;
  return Object.hasOwn(proto, "i") ? Kind.INT : Kind.UNDEFINED;
}
