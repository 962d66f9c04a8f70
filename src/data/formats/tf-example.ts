import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { StriateError, check } from "../../util/errors.js";

/** A feature of a `tf.train.Example`. */
export type Feature =
  | {
      readonly kind: "bytes";
      /** The bytes of all strings of the list, joined together. */
      readonly bytes: Uint8Array;
      /** Number of strings in the list. */
      readonly count: number;
    }
  | { readonly kind: "floats"; readonly values: Float32Array }
  | { readonly kind: "integers"; readonly values: readonly bigint[] };

/*
 * message Example   { Features features = 1; }
 * message Features  { map<string, Feature> feature = 1; }
 * message Feature   { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }
 * Each list has one repeated field, with number 1. The published image sets store each byte of an image as a string of its
 * own, up to a million per record, so the reader creates no object for each string.
 */

/**
 * Reads the features of a serialised `tf.train.Example` into a map by name. If `wanted` is given, other
 * features are left out. `what` names the record in errors.
 *
 * @throws StriateError for bytes that are not an Example.
 */
export function parseExample(
  record: Uint8Array,
  what: string,
  wanted?: ReadonlySet<string>,
): Map<string, Feature> {
  const features = new Map<string, Feature>();
  try {
    for (const list of messages(record, 1)) {
      for (const entry of messages(list, 1)) {
        const [name] = messages(entry, 1);
        const [value] = messages(entry, 2);
        check(name, () => `${what}: a feature has no name`);
        const key = new TextDecoder().decode(name);
        if (wanted?.has(key) !== false) features.set(key, parseFeature(value ?? new Uint8Array(0), key));
      }
    }
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StriateError(`${what} is not a tf.train.Example: ${why}`, { cause });
  }
  return features;
}

/** The values of all length-delimited fields with the given number; other fields are skipped. */
function* messages(bytes: Uint8Array, field: number): Generator<Uint8Array, void, undefined> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === field && type === WireType.LengthDelimited) yield reader.bytes();
    else reader.skip(type, number);
  }
}

function parseFeature(bytes: Uint8Array, name: string): Feature {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type !== WireType.LengthDelimited || number < 1 || number > 3) reader.skip(type, number);
    else if (number === 1) return strings(reader.bytes(), name);
    else if (number === 2) return { kind: "floats", values: floats(reader.bytes()) };
    else return { kind: "integers", values: integers(reader.bytes()) };
  }
  return { kind: "bytes", bytes: new Uint8Array(0), count: 0 };
}

const STRING_TAG = (1 << 3) | WireType.LengthDelimited;

function strings(list: Uint8Array, name: string): Feature {
  const out = new Uint8Array(list.length);
  let [length, count, at] = [0, 0, 0];
  while (at < list.length) {
    check(list[at++] === STRING_TAG, () => `feature "${name}": its list of strings is damaged`);
    let [size, shift] = [0, 0];
    for (;;) {
      const byte = list[at++];
      check(byte !== undefined && shift < 32, () => `feature "${name}": its list of strings is damaged`);
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    check(at + size <= list.length, () => `feature "${name}": its list of strings is cut off`);
    if (size === 1) out[length] = list[at]!;
    else out.set(list.subarray(at, at + size), length);
    [length, at] = [length + size, at + size];
    count++;
  }
  return { kind: "bytes", bytes: out.subarray(0, length), count };
}

function floats(list: Uint8Array): Float32Array {
  const values: number[] = [];
  const reader = new BinaryReader(list);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      for (const end = reader.uint32() + reader.pos; reader.pos < end;) values.push(reader.float());
    } else if (type === WireType.Bit32) values.push(reader.float());
    else reader.skip(type, number);
  }
  return Float32Array.from(values);
}

function integers(list: Uint8Array): bigint[] {
  const values: bigint[] = [];
  const reader = new BinaryReader(list);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) {
      for (const end = reader.uint32() + reader.pos; reader.pos < end;) values.push(BigInt(reader.int64()));
    } else if (type === WireType.Varint) values.push(BigInt(reader.int64()));
    else reader.skip(type, number);
  }
  return values;
}
