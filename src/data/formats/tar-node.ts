import { check } from "../../util/errors.js";
import { ByteReader } from "./byte-reader-node.js";

const BLOCK = 512;

/**
 * Yields the wanted regular files of a `.tar.gz` archive one at a time. `wanted` gets each path in the archive and
 * returns the largest allowed size of the file in bytes, or 0 to leave the file out. Throws `StriateError` if the
 * archive is damaged or a file is larger than allowed.
 */
export async function* readTarGz(
  path: string,
  wanted: (name: string) => number,
): AsyncGenerator<{ readonly name: string; readonly bytes: Uint8Array }, void, undefined> {
  const reader = new ByteReader(path, { what: ".tar.gz file", gzip: true });
  const cutOff = (where: string): string => `"${path}" is cut off ${where}`;
  try {
    for (;;) {
      const header = await reader.take(BLOCK);
      check(header, () => cutOff("before the end of the archive"));
      if (header.every((byte) => byte === 0)) break;
      const name = [text(header, 345, 155), text(header, 0, 100)].filter((part) => part !== "").join("/");
      const size = octal(header, 124, 12, path);
      const padded = Math.ceil(size / BLOCK) * BLOCK;
      const type = header[156];
      const limit = type === 0x30 || type === 0 ? wanted(name) : 0;
      if (limit === 0) check(await reader.skip(padded), () => cutOff(`inside ${name}`));
      else {
        check(size <= limit, () => `"${path}": expected at most ${limit} bytes for ${name}, got ${size}`);
        const bytes = await reader.take(padded);
        check(bytes, () => cutOff(`inside ${name}`));
        yield { name, bytes: bytes.slice(0, size) };
      }
    }
    // The checksum of gzip comes last: only who reads to the end learns that the bytes before it are right.
    await reader.skip(Infinity);
  } finally {
    await reader.close();
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function octal(header: Uint8Array, start: number, length: number, path: string): number {
  const digits = text(header, start, length).trim();
  check(
    /^[0-7]+$/.test(digits),
    () => `"${path}" is not an intact .tar.gz file: expected an octal file size, got "${digits}"`,
  );
  return Number.parseInt(digits, 8);
}
