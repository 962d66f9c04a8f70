import type { Entry, ZipFile } from "yauzl";
import yauzl from "yauzl";
import { crc32 } from "../../util/checksums.js";
import { StriateError, check } from "../../util/errors.js";
import { errorCode, fileError } from "../../util/files-node.js";
import { GrowingBytes } from "../../util/growing-bytes.js";

/** A ZIP archive whose files can be read one by one in any order. It is open only while one of them is read. */
export interface ZipArchive {
  readonly path: string;
  /** Names of all files, without folders, in the order of the archive's directory. */
  readonly names: readonly string[];
  /** Size of the archive in bytes. */
  readonly size: number;
  /**
   * Unpacks one file. Throws {@link StriateError} if the file does not exist, is damaged or encrypted, or has more than
   * `largest` bytes (default 2^28, so that an archive cannot fill the memory).
   */
  read(name: string, largest?: number): Promise<Uint8Array>;
  /** Unpacks one file of any size in pieces. Throws as `read` does, except that no file is too large. */
  pieces(name: string): AsyncGenerator<Uint8Array, void, undefined>;
}

const LARGEST_FILE = 2 ** 28;

/** Largest ratio of unpacked to packed bytes: Deflate makes at most 1032 bytes out of one. */
const LARGEST_RATIO = 1040;

/**
 * Opens an archive and reads its directory. Throws {@link StriateError} for a file that is not a ZIP archive, or is cut
 * off.
 */
export async function openZip(path: string): Promise<ZipArchive> {
  const { entries, size } = await opened(path, path, async (archive) => ({
    entries: await directory(archive),
    size: archive.fileSize,
  }));
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name);
    check(entry, () => `"${path}": ${name} is missing`);
    return entry;
  };
  return {
    path,
    names: [...entries.keys()],
    size,
    read: async (name, largest = LARGEST_FILE) => {
      const entry = entryOf(name);
      check(entry.uncompressedSize <= largest, () => `"${path}": ${name} is too large`);
      return opened(path, `${path}: ${name}`, (archive) => unpack(archive, entry));
    },
    async *pieces(name) {
      const entry = entryOf(name);
      const archive = await openArchive(path);
      try {
        yield* unpacked(archive, entry);
      } catch (cause) {
        throw damaged(`${path}: ${name}`, cause);
      } finally {
        archive.close();
      }
    },
  };
}

async function openArchive(path: string): Promise<ZipFile> {
  return promised<ZipFile>((done) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, done);
  }).catch((cause: unknown) => {
    throw damaged(path, cause);
  });
}

/** Opens an archive, uses it and closes it in every case. `what` names what is read in errors. */
async function opened<T>(path: string, what: string, use: (archive: ZipFile) => Promise<T>): Promise<T> {
  const archive = await openArchive(path);
  try {
    return await use(archive);
  } catch (cause) {
    throw damaged(what, cause);
  } finally {
    archive.close();
  }
}

/** All files of the archive by name. */
function directory(archive: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  return new Promise((resolve, reject) => {
    archive.on("entry", (entry: Entry) => {
      if (!entry.fileName.endsWith("/")) entries.set(entry.fileName, entry);
      archive.readEntry();
    });
    archive.on("end", () => {
      resolve(entries);
    });
    archive.on("error", reject);
    archive.readEntry();
  });
}

/**
 * Unpacks one file. The yauzl library checks that the file has as many bytes as the archive's directory says;
 * this function also checks their checksum.
 */
async function* unpacked(archive: ZipFile, entry: Entry): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = await promised<NodeJS.ReadableStream>((done) => {
    archive.openReadStream(entry, done);
  });
  let crc = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    crc = crc32(piece, crc);
    yield piece;
  }
  if (crc !== entry.crc32 >>> 0) throw new Error("its checksum is wrong");
}

async function unpack(archive: ZipFile, entry: Entry): Promise<Uint8Array> {
  if (entry.uncompressedSize > LARGEST_RATIO * archive.fileSize) throw new Error("its size is impossible");
  // The stated size may be wrong: memory is taken only for bytes that have come.
  const pieces = new GrowingBytes(entry.uncompressedSize);
  for await (const chunk of unpacked(archive, entry)) pieces.append(chunk);
  return pieces.bytes;
}

function promised<T>(ask: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

function damaged(path: string, cause: unknown): StriateError {
  if (errorCode(cause)?.startsWith("E") === true) return fileError("read", path, cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StriateError(`"${path}" is not an intact ZIP archive: ${why}`, { cause });
}
