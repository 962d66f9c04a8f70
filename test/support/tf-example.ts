import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export const nested = (field: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish();
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A tf.train.Example; strings of one byte each, as the published sets have them, or whole. */
export function example(
  features: Readonly<Record<string, Uint8Array | readonly number[]>>,
  whole = false,
): Uint8Array {
  const entries = Object.entries(features).map(([name, value]) => {
    const feature =
      value instanceof Uint8Array
        ? nested(
            1,
            whole
              ? nested(1, value)
              : Buffer.concat([...value].map((byte) => nested(1, Uint8Array.of(byte)))),
          )
        : nested(2, nested(1, new Uint8Array(Float32Array.from(value).buffer)));
    return nested(1, Buffer.concat([nested(1, text(name)), nested(2, feature)]));
  });
  return nested(1, Buffer.concat(entries));
}
