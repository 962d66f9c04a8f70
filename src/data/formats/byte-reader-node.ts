import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { StriateError } from "../../util/errors.js";
import { errorCode, fileError } from "../../util/files-node.js";

export interface ByteReaderOptions {
  /** What the file is, for messages: ".tar.gz file". */
  readonly what: string;
  /** Whether it is compressed with gzip. */
  readonly gzip: boolean;
}

const CHUNK = 1 << 18;

/** Reads a file, decompressed, piece after piece: only what is not yet taken is in memory. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #what: string;
  #rest: Uint8Array[] = [];
  #have = 0;

  constructor(
    readonly path: string,
    { what, gzip }: ByteReaderOptions,
  ) {
    this.#what = what;
    const file = createReadStream(path, { highWaterMark: CHUNK });
    const plain = gzip ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file;
    if (plain !== file) file.on("error", (error) => plain.destroy(error));
    this.#chunks = (plain as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /**
   * The next `count` bytes; undefined where the file ends before. They stay as they are until the next call.
   *
   * @throws StriateError when the file cannot be read or its compressed data is damaged.
   */
  async take(count: number): Promise<Uint8Array | undefined> {
    if (!(await this.#fill(count))) return undefined;
    const all = this.#rest.length === 1 ? this.#rest[0]! : Buffer.concat(this.#rest);
    this.#rest = [all.subarray(count)];
    this.#have -= count;
    return all.subarray(0, count);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const step = Math.min(left, 1 << 20);
      if ((await this.take(step)) === undefined) return;
      left -= step;
    }
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    return !(await this.#fill(1));
  }

  /** Gives the file back before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(count: number): Promise<boolean> {
    while (this.#have < count) {
      const next = await this.#chunks.next().catch((cause: unknown) => {
        if (errorCode(cause)?.startsWith("E") === true) throw fileError("read", this.path, cause);
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new StriateError(`"${this.path}" is no intact ${this.#what}: ${why}`, { cause });
      });
      if (next.done === true) return false;
      this.#rest.push(next.value);
      this.#have += next.value.length;
    }
    return true;
  }
}
