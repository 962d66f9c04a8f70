import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { StriateError, check } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";
import { TAR_BLOCK, isTarFile, tarName, tarPadded, tarSize, tarText } from "./tar-header.js";

/** A regular file inside an uncompressed tar archive. */
export interface TarEntry {
  readonly name: string;
  /** Position of its first byte in the archive. */
  readonly offset: number;
  readonly size: number;
}

/** Largest name that a header may bring in a block of its own. */
const LARGEST_NAME = 65_536;

/**
 * Lists the regular files of an uncompressed tar archive (POSIX ustar and pax, and GNU's long names) without reading
 * their contents.
 *
 * @throws StriateError for an archive that is damaged, cut off or compressed
 */
export async function indexTar(path: string): Promise<TarEntry[]> {
  return withArchive(path, async (handle) => entriesOf(handle, path, (await handle.stat()).size));
}

async function entriesOf(handle: FileHandle, path: string, length: number): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + TAR_BLOCK <= length;) {
    const header = await bytesAt(handle, at, TAR_BLOCK, path);
    if (header.every((byte) => byte === 0)) return entries;
    check(
      checksumFits(header),
      () =>
        `"${path}": expected the header of a file at byte ${at}, got other bytes: is it an uncompressed .tar archive?`,
    );
    const size = tarSize(header, `"${path}"`);
    const offset = at + TAR_BLOCK;
    check(
      offset + size <= length,
      () => `"${path}" is cut off: expected ${offset + size} bytes or more, got ${length}`,
    );
    const type = String.fromCharCode(header[156]!);
    if (type === "L" || type === "x") {
      check(
        size <= LARGEST_NAME,
        () => `"${path}": expected a name of at most ${LARGEST_NAME} bytes, got ${size}`,
      );
      const content = new TextDecoder().decode(await bytesAt(handle, offset, size, path));
      longName = type === "L" ? content.replace(/\0.*$/s, "") : (paxPath(content) ?? longName);
    } else {
      if (isTarFile(header)) entries.push({ name: longName ?? tarName(header), offset, size });
      longName = undefined;
    }
    at = offset + tarPadded(size);
  }
  // The end is a block of zeros. Without it nobody could tell that the last files are missing.
  throw new StriateError(`"${path}" is cut off before the end of the archive`);
}

/** The path in the records of a pax header, which are lines "LENGTH KEY=VALUE". */
function paxPath(content: string): string | undefined {
  return /^\d+ path=(.*)$/m.exec(content)?.[1];
}

/** Reads some bytes of a file. Throws `StriateError` if there are fewer. */
export async function readRange(path: string, { offset, size }: Omit<TarEntry, "name">): Promise<Uint8Array> {
  return withArchive(path, (handle) => bytesAt(handle, offset, size, path));
}

async function withArchive<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw fileError("open the archive", path, cause);
  });
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

async function bytesAt(handle: FileHandle, at: number, count: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  const { bytesRead } = await handle.read(bytes, 0, count, at).catch((cause: unknown) => {
    throw fileError("read", path, cause);
  });
  check(
    bytesRead === count,
    () => `"${path}" is cut off: expected ${count} bytes at ${at}, got ${bytesRead}`,
  );
  return bytes;
}

/** Whether the sum of a header's bytes, with spaces in place of the stored sum, is the stored one. */
function checksumFits(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  return Number.parseInt(tarText(header, 148, 8).trim(), 8) === sum;
}
