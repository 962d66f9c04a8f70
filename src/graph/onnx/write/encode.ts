import { StriateError } from "../../../util/errors.js";
import type { TensorData } from "../../dtype.js";
import { onnxTypeCode } from "../../dtype.js";
import type { Attribute } from "../../tensor.js";
import { WireMessage } from "./wire.js";

/*
 * Encodes messages of ONNX. The numbers of their fields are those of onnx.proto.
 */

const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 } as const;
const ATTRIBUTE = { name: 1, f: 2, i: 3, s: 4, t: 5, floats: 7, ints: 8, strings: 9, type: 20 } as const;
const KIND = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;
const EXTERNAL = 1;

const text = new TextEncoder();

/** The bytes of a tensor's elements, row-major, without a copy. */
export function bytesOf({ data }: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Encodes an entry of a map from strings to strings. */
export function encodeEntry(key: string, value: string): WireMessage {
  return new WireMessage().text(1, key).text(2, value);
}

/**
 * Encodes a tensor without its elements: dims, type and name.
 *
 * @param outside location of the elements, by ONNX's keys, if they are not in the model
 */
export function encodeDescription(
  { shape, dtype }: TensorData,
  name?: string,
  outside?: Readonly<Record<string, string>>,
): WireMessage {
  const message = new WireMessage();
  for (const size of shape) message.whole(TENSOR.dims, size);
  message.whole(TENSOR.dataType, onnxTypeCode(dtype));
  if (name !== undefined) message.text(TENSOR.name, name);
  if (outside === undefined) return message;
  for (const [key, value] of Object.entries(outside))
    message.message(TENSOR.externalData, encodeEntry(key, value));
  return message.whole(TENSOR.dataLocation, EXTERNAL);
}

/** Encodes one attribute. Throws a {@link StriateError} that names `where()` if a number is not an integer. */
export function encodeAttribute(name: string, value: Attribute, where: () => string): WireMessage {
  const message = new WireMessage().text(ATTRIBUTE.name, name);
  const kind = (of: keyof typeof KIND) => message.whole(ATTRIBUTE.type, KIND[of]);
  if (typeof value === "number") return kind("int").whole(ATTRIBUTE.i, integer(value, name, where));
  if (typeof value === "string") return kind("string").bytes(ATTRIBUTE.s, text.encode(value));
  if ("tensor" in value) {
    const { tensor } = value;
    return kind("tensor").message(
      ATTRIBUTE.t,
      encodeDescription(tensor).bytes(TENSOR.rawData, bytesOf(tensor)),
    );
  }
  if ("float" in value) return kind("float").float(ATTRIBUTE.f, value.float);
  if ("floats" in value) {
    kind("floats");
    for (const item of value.floats) message.float(ATTRIBUTE.floats, item);
    return message;
  }
  if ("strings" in value) {
    kind("strings");
    for (const item of value.strings) message.bytes(ATTRIBUTE.strings, text.encode(item));
    return message;
  }
  kind("ints");
  for (const item of value) message.whole(ATTRIBUTE.ints, integer(item, name, where));
  return message;
}

function integer(value: number, name: string, where: () => string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new StriateError(
    `${where()}: attribute ${name} must be a whole number, got ${value} (floats go in { float })`,
  );
}
