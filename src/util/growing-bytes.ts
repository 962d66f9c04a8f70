/** Room for the first bytes; it doubles whenever it is full. */
const FIRST_ROOM = 1 << 16;

/**
 * Bytes that come in pieces. They take at most twice the memory of the bytes that have come, and three times for the moment
 * in which the room grows, whatever length a file promises.
 */
export class GrowingBytes {
  #room: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param expected the number of bytes that should come */
  constructor(private readonly expected: number) {
    this.#room = new Uint8Array(Math.min(expected, FIRST_ROOM));
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#room.length) {
      const doubled = Math.max(2 * this.#room.length, length);
      // The last step is an exact one, so that the result needs no copy.
      const room = new Uint8Array(length <= this.expected ? Math.min(doubled, this.expected) : doubled);
      room.set(this.bytes);
      this.#room = room;
    }
    this.#room.set(piece, this.#length);
    this.#length = length;
  }

  /** All bytes so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#room.subarray(0, this.#length);
  }
}
