import { create } from "@bufbuild/protobuf";
import { StriateError } from "../../util/errors.js";
import type { TensorData } from "../dtype.js";
import { onnxTypeCode } from "../dtype.js";
import type { Attribute } from "../tensor.js";
import type { AttributeProto, TensorProto } from "./generated/onnx_pb.js";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  TensorProtoSchema,
} from "./generated/onnx_pb.js";

const text = new TextEncoder();

/** The bytes of a tensor's elements, row-major, without a copy. */
export function bytesOf({ data }: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Values as ONNX writes them: dims and little-endian raw bytes. */
export function encodeTensor(tensor: TensorData, name?: string): TensorProto {
  return create(TensorProtoSchema, {
    dims: tensor.shape.map(BigInt),
    dataType: onnxTypeCode(tensor.dtype),
    rawData: bytesOf(tensor),
    ...(name === undefined ? {} : { name }),
  });
}

/** One attribute. Throws a {@link StriateError} naming `where()` for a number that is not whole. */
export function encodeAttribute(name: string, value: Attribute, where: () => string): AttributeProto {
  const proto = create(AttributeProtoSchema);
  proto.name = name;
  if (typeof value === "number") {
    proto.type = Kind.INT;
    proto.i = integer(value, name, where);
  } else if (typeof value === "string") {
    proto.type = Kind.STRING;
    proto.s = text.encode(value);
  } else if ("tensor" in value) {
    proto.type = Kind.TENSOR;
    proto.t = encodeTensor(value.tensor);
  } else if ("float" in value) {
    proto.type = Kind.FLOAT;
    proto.f = value.float;
  } else if ("floats" in value) {
    proto.type = Kind.FLOATS;
    proto.floats = [...value.floats];
  } else if ("strings" in value) {
    proto.type = Kind.STRINGS;
    proto.strings = value.strings.map((item) => text.encode(item));
  } else {
    proto.type = Kind.INTS;
    proto.ints = value.map((item) => integer(item, name, where));
  }
  return proto;
}

function integer(value: number, name: string, where: () => string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new StriateError(
    `${where()}: attribute ${name} must be a whole number, got ${value} (floats go in { float })`,
  );
}
