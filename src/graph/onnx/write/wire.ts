/*
 * The part of Protobuf's wire format that is needed for writing ONNX. A message is a sequence of fields in any order.
 * The library for reading contains the whole ONNX schema; with it, pages that only write would load four times as much
 * code.
 */

/** Wire types: the encoding of the value after a field's number. */
const [VARINT, DELIMITED, FIXED_32] = [0, 2, 5];

const text = new TextEncoder();

/** A message that grows field by field. */
export class WireMessage {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** Adds an integer or the value of an enumeration; a negative number is written as 64-bit two's complement. */
  whole(field: number, value: number | bigint): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  /** Adds a single-precision number. */
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
    // Names are almost always short and ASCII. Calling the encoder for each name would cost more than encoding the
    // characters here.
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

  /** The encoded fields; the array is a view of this message's own memory. */
  encoded(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #frame(field: number, length: number): void {
    this.#varint(field * 8 + DELIMITED);
    this.#varint(length);
  }

  /**
   * A variable-length integer: seven bits per byte, lowest bits first; all bytes but the last have the highest bit set.
   */
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
