import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, errorCode, fileError } from "../../util/files-node.js";

/** Called with the number of bytes received so far, and the total number. */
export type DownloadProgress = (bytes: number, total: number | undefined) => void;

export interface DownloadOptions {
  /** Checksum of the complete file, such as { algorithm: "md5", digest: "c32a..." }. */
  readonly checksum: { readonly algorithm: "md5" | "sha256" | "sha512"; readonly digest: string };
  /** Largest accepted size in bytes. Default 4 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: DownloadProgress;
}

/**
 * The folder in which data sets are stored between runs: the one that the environment variable STRIATE_DATA
 * names or, if it is not set, `striate` in the user's cache folder (XDG_CACHE_HOME, or ~/.cache).
 */
export function dataCache(environment: NodeJS.ProcessEnv = process.env): string {
  const { STRIATE_DATA: dataFolder, XDG_CACHE_HOME: cache } = environment;
  if (dataFolder !== undefined && dataFolder !== "") return dataFolder;
  return join(cache !== undefined && cache !== "" ? cache : join(homedir(), ".cache"), "striate");
}

/**
 * Downloads a file. If an earlier attempt left a partial file (`PATH.part`), the download resumes from it. The file
 * gets its final name only after its checksum has been verified. If the file already exists, its checksum is verified
 * and nothing is downloaded.
 *
 * @throws StriateError if the server cannot be reached or refuses the request, or if the checksum is wrong.
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { checksum, maxBytes = 2 ** 32, signal, onProgress } = options;
  await ensureFolder(dirname(path));
  if (await exists(path)) {
    if ((await digestOf(path, checksum.algorithm)) === checksum.digest) return;
    throw new StriateError(
      `"${path}" is not the file of ${url}: its ${checksum.algorithm} checksum differs; remove the file to download it again`,
    );
  }
  const part = `${path}.part`;
  const partialBytes = (await exists(part)) ? (await stat(part)).size : 0;
  const response = await request(url, partialBytes, signal);
  // The status 416 means that the partial file is as long as the whole file or longer; the checksum then
  // shows whether it is the right file.
  if (response.status !== 416) {
    check(
      response.ok,
      () => `downloading ${url}: the server answers ${response.status} ${response.statusText}`,
    );
    const resumed = response.status === 206;
    const length = Number(response.headers.get("content-length") ?? NaN);
    const total = Number.isFinite(length) ? length + (resumed ? partialBytes : 0) : undefined;
    check(
      total === undefined || total <= maxBytes,
      () => `downloading ${url}: expected at most ${maxBytes} bytes, got ${total ?? 0}`,
    );
    await append(part, response, resumed ? partialBytes : 0, { url, maxBytes, total, onProgress });
  }
  const digest = await digestOf(part, checksum.algorithm);
  if (digest !== checksum.digest) {
    await rm(part, { force: true });
    throw new StriateError(
      `downloading ${url}: expected the ${checksum.algorithm} checksum ${checksum.digest}, got ${digest}`,
    );
  }
  await rename(part, path).catch((cause: unknown) => {
    throw fileError("name", path, cause);
  });
}

async function request(url: string, from: number, signal: AbortSignal | undefined): Promise<Response> {
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
  try {
    return await fetch(url, { headers, ...(signal && { signal }) });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new StriateError(`downloading ${url}: cannot reach the server (${reasonOf(cause)})`, { cause });
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return errorCode(cause) ?? cause.message;
  return error instanceof Error ? error.message : String(error);
}

interface Transfer {
  readonly url: string;
  readonly maxBytes: number;
  readonly total: number | undefined;
  readonly onProgress?: DownloadProgress | undefined;
}

async function append(part: string, response: Response, from: number, transfer: Transfer): Promise<void> {
  const { url, maxBytes, total, onProgress } = transfer;
  const handle = await open(part, from > 0 ? "r+" : "w").catch((cause: unknown) => {
    throw fileError("write", part, cause);
  });
  let at = from;
  try {
    if (response.body === null) return;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      check(
        at + chunk.length <= maxBytes,
        () => `downloading ${url}: expected at most ${maxBytes} bytes, got more`,
      );
      await handle.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onProgress?.(at, total);
    }
  } catch (cause) {
    if (cause instanceof StriateError || (cause instanceof Error && cause.name === "AbortError")) throw cause;
    throw new StriateError(
      `downloading ${url}: interrupted after ${at} bytes (${reasonOf(cause)}); call again to continue`,
      { cause },
    );
  } finally {
    await handle.close();
  }
}

async function digestOf(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The name under which the file of a URL is stored on disk. */
export function fileNameOf(url: string): string {
  return basename(new URL(url).pathname);
}
