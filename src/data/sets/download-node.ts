import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { StriateError, check, counted } from "../../util/errors.js";
import { ensureFolder, errorCode, fileError, surviveFileSizeLimit } from "../../util/files-node.js";
import { acquireLock } from "../../util/lock-node.js";

/** Called with the number of bytes received so far, and the total number. */
export type DownloadProgress = (bytes: number, total: number | undefined) => void;

export interface DownloadOptions {
  /** Checksum of the complete file, such as { algorithm: "md5", digest: "c32a..." }. */
  readonly checksum: { readonly algorithm: "md5" | "sha256" | "sha512"; readonly digest: string };
  /** Largest accepted size in bytes. Default 4 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: DownloadProgress;
  /** Seconds without a byte after which the download fails. It can be continued. Default 60. */
  readonly patience?: number;
  /** Is told if the server sends nothing for a sixth of this time. Default: `console.warn`. */
  readonly onWarning?: ((message: string) => void) | undefined;
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
 * @throws StriateError if the server cannot be reached, refuses or falls silent, if the checksum is wrong, or if
 * another process downloads the same file.
 */
export async function download(url: string, path: string, options: DownloadOptions): Promise<void> {
  const key = resolve(path);
  const earlier = running.get(key);
  const own = (async () => {
    // Two downloads of this process take turns: the second one finds the file.
    await earlier?.catch(() => undefined);
    await ensureFolder(dirname(path));
    const lock = await acquireLock(`${path}.part`, "download");
    try {
      await downloadLocked(url, path, options);
    } finally {
      await lock.release();
    }
  })();
  running.set(key, own);
  try {
    await own;
  } finally {
    if (running.get(key) === own) running.delete(key);
  }
}

/** The last download that was asked for, by path. */
const running = new Map<string, Promise<void>>();

async function downloadLocked(url: string, path: string, options: DownloadOptions): Promise<void> {
  const { checksum } = options;
  if (await exists(path)) {
    if ((await digestOf(path, checksum.algorithm)) === checksum.digest) return;
    throw new StriateError(
      `"${path}" is not the file of ${url}: its ${checksum.algorithm} checksum differs; remove the file to download it again`,
    );
  }
  const part = `${path}.part`;
  for (;;) {
    const partialBytes = (await exists(part)) ? (await stat(part)).size : 0;
    await transfer(url, part, partialBytes, options);
    const digest = await digestOf(part, checksum.algorithm);
    if (digest === checksum.digest) break;
    const page = await beginsAsPage(part);
    await rm(part, { force: true });
    // The first bytes may be those of an older file: a whole download decides.
    if (partialBytes > 0) continue;
    throw new StriateError(
      page
        ? `downloading ${url}: expected a file, got a web page; open the address in a browser to read what it says`
        : `downloading ${url}: expected the ${checksum.algorithm} checksum ${checksum.digest}, got ${digest}`,
    );
  }
  await rename(part, path).catch((cause: unknown) => {
    throw fileError("name", path, cause);
  });
}

/** Receives what is missing of a file. */
async function transfer(url: string, part: string, from: number, options: DownloadOptions): Promise<void> {
  const { maxBytes = 2 ** 32, onProgress } = options;
  const silence = watchSilence(url, options);
  const signal = options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal;
  try {
    const response = await request(url, from, signal);
    try {
      // 416 means that the partial file is the whole file or longer; the checksum decides.
      if (response.status === 416 && from > 0) return;
      if (response.status === 206 && isEncoded(response)) {
        // An encoded file cannot be decoded from its middle on.
        await rm(part, { force: true });
        await transfer(url, part, 0, options);
        return;
      }
      check(
        response.ok,
        () => `downloading ${url}: the server answers ${response.status} ${response.statusText}`,
      );
      const start = startOf(response, from, url);
      // The length of encoded content is not that of the file.
      const length = isEncoded(response) ? NaN : Number(response.headers.get("content-length") ?? NaN);
      const total = Number.isFinite(length) ? length + start : undefined;
      check(
        total === undefined || total <= maxBytes,
        () => `downloading ${url}: expected at most ${maxBytes} bytes, got ${total ?? 0}`,
      );
      await append(part, response, start, {
        url,
        maxBytes,
        onBytes: (bytes) => {
          silence.heard();
          onProgress?.(bytes, total);
        },
      });
    } finally {
      // A body that is not read would keep its connection.
      await response.body?.cancel().catch(() => undefined);
    }
  } catch (cause) {
    throw silence.signal.aborted ? silence.signal.reason : cause;
  } finally {
    silence.end();
  }
}

/** The share of the patience after which a user hears that nothing comes. */
const SAID_AFTER = 1 / 6;

/** Says once that the server sends nothing, and aborts the signal if that goes on. */
function watchSilence(
  url: string,
  { patience = 60, onWarning = console.warn }: DownloadOptions,
): { readonly signal: AbortSignal; heard(): void; end(): void } {
  const controller = new AbortController();
  const early = Number((patience * SAID_AFTER).toPrecision(2));
  let said = false;
  const warning = setTimeout(() => {
    said = true;
    onWarning(
      `Downloading ${url}: the server has sent nothing for ${counted(early, "second")}; the download ends after ${patience}.`,
    );
  }, 1000 * early);
  const end = setTimeout(() => {
    controller.abort(
      new StriateError(
        `downloading ${url}: the server has sent nothing for ${counted(patience, "second")}; call again to continue`,
      ),
    );
  }, 1000 * patience);
  return {
    signal: controller.signal,
    heard: () => {
      if (!said) warning.refresh();
      end.refresh();
    },
    end: () => {
      clearTimeout(warning);
      clearTimeout(end);
    },
  };
}

/** The position in the file at which the bytes of an answer begin. */
function startOf(response: Response, from: number, url: string): number {
  if (response.status !== 206) return 0;
  const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
  const start = range ? Number(range[1]) : from;
  check(
    start <= from,
    () =>
      `downloading ${url}: expected the bytes from ${from} on, got those from ${start} on; remove the partial file`,
  );
  return start;
}

function isEncoded({ headers }: Response): boolean {
  return !["", "identity"].includes(headers.get("content-encoding") ?? "");
}

/** Whether a file begins as HTML does, as the pages of portals and of errors do. */
async function beginsAsPage(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return /^\s*<(!doctype html|html|head|body)\b/i.test(buffer.toString("latin1", 0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function request(url: string, from: number, signal: AbortSignal): Promise<Response> {
  const headers = {
    // Bytes of an encoded file cannot be continued from the middle.
    "accept-encoding": "identity",
    ...(from > 0 && { range: `bytes=${from}-` }),
  };
  try {
    return await fetch(url, { headers, signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
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
  readonly onBytes: (bytes: number) => void;
}

async function append(part: string, response: Response, from: number, transfer: Transfer): Promise<void> {
  const { url, maxBytes, onBytes } = transfer;
  surviveFileSizeLimit();
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
      await writeAll(handle, chunk, at).catch((cause: unknown) => {
        throw fileError("write", part, cause);
      });
      at += chunk.length;
      onBytes(at);
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

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
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
