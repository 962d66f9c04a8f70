/*
 * Protobuf's wire format, as far as writing ONNX needs it: a message is its fields, one after another in any order. The library
 * that reads files brings the schema of all of ONNX; pages that only write would load four times as much code for it.
 */

/** Kinds of fields: what follows a field's number. */
const [VARINT, DELIMITED, FIXED_32] = [0, 2, 5];

const text = new TextEncoder();

/** A message that grows field by field. */
export class WireMessage {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** A whole number or an enumeration's value; below 0 as 64 bits of two's complement. */
  whole(field: number, value: number | bigint): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  /** A single-precision number. */
  float(field: number, value: number): this {
    this.#varint(field * 8 + FIXED_32);
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#frame(field, value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  text(field: number, value: string): this {
    // Names are short and plain nearly always; the encoder costs more for each of them than the characters do.
    if (!/^[\x00-\x7f]*$/.test(value)) return this.bytes(field, text.encode(value));
    this.#frame(field, value.length);
    this.#reserve(value.length);
    for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i);
    return this;
  }

  message(field: number, value: WireMessage): this {
    return this.bytes(field, value.encoded());
  }

  /** The beginning of a field whose bytes follow elsewhere. */
  static frame(field: number, length: number): Uint8Array<ArrayBuffer> {
    const message = new WireMessage();
    message.#frame(field, length);
    return message.encoded();
  }

  /** The fields so far; the memory is this message's own. */
  encoded(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #frame(field: number, length: number): void {
    this.#varint(field * 8 + DELIMITED);
    this.#varint(length);
  }

  /** Seven bits in each byte, the lowest first; all but the last have the highest bit set. */
  #varint(value: number | bigint): void {
    this.#reserve(10);
    if (value >= 0 && value < 128) {
      this.#bytes[this.#length++] = Number(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#bytes[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
