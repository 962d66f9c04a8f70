import { open } from "node:fs/promises";
import { StriateError, check } from "../../util/errors.js";
import { maskedCrc32c } from "../../util/checksums.js";
import { fileError } from "../../util/files-node.js";
import { ByteReader } from "./byte-reader-node.js";

const LENGTH_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Largest length of a record in bytes; a longer one means that the file is damaged. */
const LARGEST_RECORD = 2 ** 28;

/**
 * Yields the records of a TFRecord file, plain or compressed with gzip, in order. A record consists of a
 * 64-bit length, the checksum of the length, the data, and the checksum of the data. Both checksums are
 * masked CRC-32C. Each record is valid until the next one is requested.
 *
 * @throws StriateError for a file that is missing, damaged or cut off.
 */
export async function* readTfRecords(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(path, { what: "TFRecord file", gzip: await isGzip(path) });
  try {
    for (let number = 0; !(await reader.atEnd()); number++) {
      const head = await reader.take(LENGTH_BYTES + CHECKSUM_BYTES);
      check(head, () => `"${path}" is cut off inside record ${number}`);
      verify(head, 0, LENGTH_BYTES, `"${path}": the length of record ${number}`);
      const length = view(head).getBigUint64(0, true);
      check(
        length <= LARGEST_RECORD,
        () =>
          `"${path}": expected at most ${LARGEST_RECORD} bytes in record ${number}, got ${length.toString()}`,
      );
      const body = await reader.take(Number(length) + CHECKSUM_BYTES);
      check(body, () => `"${path}" is cut off inside record ${number}`);
      verify(body, 0, Number(length), `"${path}": record ${number}`);
      yield body.subarray(0, Number(length));
    }
  } finally {
    await reader.close();
  }
}

function verify(bytes: Uint8Array, start: number, end: number, what: string): void {
  const stored = view(bytes).getUint32(end, true);
  const found = maskedCrc32c(bytes.subarray(start, end));
  if (found !== stored) {
    const hex = (value: number) => value.toString(16).padStart(8, "0");
    throw new StriateError(`${what} is damaged: expected the checksum ${hex(stored)}, got ${hex(found)}`);
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const handle = await open(path, "r");
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw fileError("read the TFRecord file", path, cause);
  }
}
