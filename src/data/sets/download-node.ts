import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, errorCode, fileError } from "../../util/files-node.js";

/** Called with the number of bytes that have arrived and the total. */
export type DownloadProgress = (bytes: number, total: number | undefined) => void;

export interface DownloadOptions {
  /** Checksum of the whole file, such as { algorithm: "md5", digest: "c32a..." }. */
  readonly checksum: { readonly algorithm: "md5" | "sha256" | "sha512"; readonly digest: string };
  /** Larger files are refused. Default 4 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: DownloadProgress;
}

/**
 * Where data sets are kept between runs: the folder STRIATE_DATA names, otherwise `striate` in the user's cache folder
 * (XDG_CACHE_HOME, or ~/.cache).
 */
export function dataCache(environment: NodeJS.ProcessEnv = process.env): string {
  const { STRIATE_DATA: own, XDG_CACHE_HOME: cache } = environment;
  if (own !== undefined && own !== "") return own;
  return join(cache !== undefined && cache !== "" ? cache : join(homedir(), ".cache"), "striate");
}

/**
 * Downloads a file. The partial file of an earlier attempt (`PATH.part`) is continued. The file gets its name only
 * after its checksum is verified. An existing file is checked and not downloaded again.
 *
 * @throws StriateError when the server cannot be reached or refuses, or what came is not the file that was expected.
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { checksum, maxBytes = 2 ** 32, signal, onProgress } = options;
  await ensureFolder(dirname(path));
  if (await exists(path)) {
    if ((await digestOf(path, checksum.algorithm)) === checksum.digest) return;
    throw new StriateError(
      `"${path}" is not the file of ${url}: its ${checksum.algorithm} differs; remove it to download it again`,
    );
  }
  const part = `${path}.part`;
  const there = (await exists(part)) ? (await stat(part)).size : 0;
  const response = await request(url, there, signal);
  // 416: the part is the whole file, or longer; the checksum will tell.
  if (response.status !== 416) {
    check(
      response.ok,
      () => `downloading ${url}: the server answers ${response.status} ${response.statusText}`,
    );
    const resumed = response.status === 206;
    const length = Number(response.headers.get("content-length") ?? NaN);
    const total = Number.isFinite(length) ? length + (resumed ? there : 0) : undefined;
    check(
      total === undefined || total <= maxBytes,
      () => `downloading ${url}: ${total ?? 0} bytes are more than the limit of ${maxBytes}`,
    );
    await append(part, response, resumed ? there : 0, { url, maxBytes, total, onProgress });
  }
  const digest = await digestOf(part, checksum.algorithm);
  if (digest !== checksum.digest) {
    await rm(part, { force: true });
    throw new StriateError(
      `downloading ${url}: the ${checksum.algorithm} of what came is ${digest}, expected ${checksum.digest}`,
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
        () => `downloading ${url}: more than the limit of ${maxBytes} bytes`,
      );
      await handle.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onProgress?.(at, total);
    }
  } catch (cause) {
    if (cause instanceof StriateError || (cause instanceof Error && cause.name === "AbortError")) throw cause;
    throw new StriateError(
      `downloading ${url}: broken off after ${at} bytes (${reasonOf(cause)}); call again to go on`,
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

/** The name that a URL's file gets on disk. */
export function fileNameOf(url: string): string {
  return basename(new URL(url).pathname);
}
