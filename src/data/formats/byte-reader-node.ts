import type { ReadStream } from "node:fs";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { StriateError } from "../../util/errors.js";
import { errorCode, fileError } from "../../util/files-node.js";

export interface ByteReaderOptions {
  /** The kind of file for error messages, such as ".tar.gz file". */
  readonly what: string;
  /** Whether the file is compressed with gzip. */
  readonly gzip: boolean;
}

const CHUNK = 1 << 18;

/**
 * Reads a file from start to end and decompresses it if necessary. Only bytes that were read but not yet
 * taken are kept in memory.
 */
export class ByteReader {
  readonly #file: ReadStream;
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
    this.#file = file;
    const plain = gzip ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file;
    if (plain !== file) file.on("error", (error) => plain.destroy(error));
    this.#chunks = (plain as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  }

  /**
   * Takes the next `count` bytes; undefined if fewer are left. The result is valid until the next call.
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

  /** Leaves bytes out; false if the file ends before that many. */
  async skip(count: number): Promise<boolean> {
    for (let remaining = count; remaining > 0;) {
      if (!(await this.#fill(1))) return false;
      const step = Math.min(remaining, this.#have);
      await this.take(step);
      remaining -= step;
    }
    return true;
  }

  /** Whether the end of the file has been reached. */
  async atEnd(): Promise<boolean> {
    return !(await this.#fill(1));
  }

  /** Closes the file, even if its end has not been reached. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
    // The decompressor does not close the file that it reads.
    const file = this.#file.destroy();
    if (!file.closed)
      await new Promise<void>((resolve) =>
        file.once("close", () => {
          resolve();
        }),
      );
  }

  async #fill(count: number): Promise<boolean> {
    while (this.#have < count) {
      const next = await this.#chunks.next().catch((cause: unknown) => {
        if (errorCode(cause)?.startsWith("E") === true) throw fileError("read", this.path, cause);
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new StriateError(`"${this.path}" is not an intact ${this.#what}: ${why}`, { cause });
      });
      if (next.done === true) return false;
      this.#rest.push(next.value);
      this.#have += next.value.length;
    }
    return true;
  }
}
