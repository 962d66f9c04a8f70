import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { check } from "../util/errors.js";
import {
  ensureFolder,
  errorCode,
  fileError,
  removeLeftovers,
  surviveFileSizeLimit,
} from "../util/files-node.js";

/*
 * Files under the names of their contents. The name of an object is the SHA-256 of its bytes, so two machines that store
 * the same bytes store one object, and a reader can tell whether it got what was stored.
 */

/** A stored file: its path below the folder from which it came, with "/" between folders, and its content. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The place of an object in a folder of objects. */
function placeOf(objects: string, sha256: string): string {
  return join(objects, sha256.slice(0, 2), sha256);
}

/** Copies a file into a folder of objects. A file that is there already is not stored again. */
export async function putObject(objects: string, source: string, path: string): Promise<StoredFile> {
  await ensureFolder(objects);
  await removeLeftovers(objects);
  const temporary = join(objects, `.object.${randomBytes(6).toString("hex")}.striate-tmp`);
  const { bytes, sha256 } = await copy(source, temporary, "store a copy of");
  const place = placeOf(objects, sha256);
  try {
    if ((await sizeOf(place)) === bytes) await rm(temporary, { force: true });
    else {
      await ensureFolder(dirname(place));
      await rename(temporary, place);
    }
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError("store a copy of", source, cause);
  }
  return { path, bytes, sha256 };
}

/**
 * Copies an object to a file.
 *
 * @throws StriateError if the object is absent, or if its content is not what was stored
 */
export async function getObject(objects: string, file: StoredFile, target: string): Promise<void> {
  const place = placeOf(objects, file.sha256);
  const temporary = join(dirname(target), `.object.${randomBytes(6).toString("hex")}.striate-tmp`);
  await ensureFolder(dirname(target));
  const { sha256, bytes } = await copy(place, temporary, `fetch ${file.path} from`);
  try {
    check(
      sha256 === file.sha256,
      () =>
        `"${place}" is damaged: expected ${file.bytes} bytes with the SHA-256 ${file.sha256}, got ${bytes} bytes with ${sha256}`,
    );
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError("write", target, cause);
  }
}

/** Removes all objects but those that are to be kept. */
export async function keepObjects(objects: string, kept: ReadonlySet<string>): Promise<void> {
  const names = await readdir(objects, { recursive: true }).catch(() => []);
  for (const name of names) {
    const sha256 = name.slice(-64);
    if (!/^[0-9a-f]{64}$/.test(sha256) || kept.has(sha256)) continue;
    await rm(join(objects, name), { force: true }).catch(() => undefined);
  }
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** Copies a file, and flushes the copy to disk. Returns the size and the digest of what was copied. */
async function copy(
  source: string,
  target: string,
  doing: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  surviveFileSizeLimit();
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    const handle = await open(target, "wx");
    try {
      for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        await handle.writeFile(chunk as Buffer);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    await rm(target, { force: true }).catch(() => undefined);
    const reading = errorCode(cause) === "ENOENT" ? source : target;
    throw fileError(doing, reading === source ? source : `${source}" as "${target}`, cause);
  }
  return { bytes, sha256: hash.digest("hex") };
}
