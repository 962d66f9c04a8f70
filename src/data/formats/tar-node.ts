import { check } from "../../util/errors.js";
import { ByteReader } from "./byte-reader-node.js";
import { TAR_BLOCK, isTarFile, tarName, tarPadded, tarSize } from "./tar-header.js";

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
      const header = await reader.take(TAR_BLOCK);
      check(header, () => cutOff("before the end of the archive"));
      if (header.every((byte) => byte === 0)) break;
      const name = tarName(header);
      const size = tarSize(header, `"${path}" is not an intact .tar.gz file`);
      const padded = tarPadded(size);
      const limit = isTarFile(header) ? wanted(name) : 0;
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
