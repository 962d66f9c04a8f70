import { StriateError, check } from "../../util/errors.js";
import { hasDigests, sha256 } from "../../util/checksums.js";
import type { DigitImages } from "../scenes/digit-images.js";
import type { IdxArray } from "../formats/idx.js";
import { DEFAULT_MAX_BYTES, HEADER_ROOM, idxDigits, isGzip, parseIdx } from "../formats/idx.js";
import type { MnistFile, MnistPart } from "./mnist-files.js";
import { MNIST_FILES, mnistNames } from "./mnist-files.js";

/** Options that say which files `fetchMnist` downloads, and how it checks and stores them. */
export interface FetchMnistOptions<P extends MnistPart = MnistPart> {
  /** Parts to load. Default: both. The test images alone are 1.6 MB compressed, the training images 9.9 MB. */
  readonly parts?: readonly P[];
  /**
   * Whether the files must be those of MNIST, verified by size and SHA-256. Set it to false for other sets in the same
   * format (Fashion-MNIST). Default true.
   */
  readonly verify?: boolean;
  /** Name of the browser's cache that stores files between visits, or false for no cache. Default "striate-data". */
  readonly cache?: string | false;
  readonly signal?: AbortSignal;
  /**
   * Called with the number of bytes received so far, over all files, and the total number. The total is
   * undefined if a server does not send sizes.
   */
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
}

/**
 * Loads MNIST from a folder on the web. The folder holds MNIST's IDX files, compressed or plain, such as
 * `train-images-idx3-ubyte.gz`. The names may have the dot that some distributions use
 * (`train-images.idx3-ubyte`). Files are stored in the browser's cache if it has one; a full cache is not an
 * error. The images are the same as those of `loadMnist` in Node.
 *
 * ```ts
 * const { train } = await fetchMnist("/data/mnist/", { parts: ["train"], onProgress: (bytes, total) => show(bytes, total) });
 * ```
 *
 * @param url the address of the folder; a relative one is resolved against the page's address
 * @throws StriateError if the server cannot be reached or has no such file, if the server sends an HTML page
 * instead of a file, if a file is cut off, damaged or not MNIST's, and if checksums are needed on a page that
 * is served neither over https nor from localhost. If `signal` is aborted, throws its reason.
 */
export async function fetchMnist<P extends MnistPart = MnistPart>(
  url: string | URL,
  options: FetchMnistOptions<P> = {},
): Promise<Readonly<Record<P, DigitImages>>> {
  const { parts = ["train", "test"] as const, verify = true, cache = "striate-data" } = options;
  check(
    !verify || hasDigests(),
    () =>
      "fetchMnist: checksums need a page that is served over https or from localhost; serve the page in this way, or pass verify: false",
  );
  const folder = folderUrl(url);
  // If one file fails, the downloads of the others are aborted.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const progress = new Progress(2 * parts.length, signal, options.onProgress);
  const source: Source = { folder, signal, verify, cache: await openCache(cache), progress };
  try {
    const sets = parts.map(async (part) => [part, await fetchPart(part, source)] as const);
    return Object.fromEntries(await Promise.all(sets)) as Record<P, DigitImages>;
  } catch (error) {
    stop.abort();
    throw error;
  }
}

interface Source {
  readonly folder: URL;
  readonly signal: AbortSignal;
  readonly verify: boolean;
  readonly cache: Cache | undefined;
  readonly progress: Progress;
}

async function fetchPart(part: MnistPart, source: Source): Promise<DigitImages> {
  const files = MNIST_FILES[part];
  const [images, labels] = await Promise.all([
    fetchFile(files.images, source),
    fetchFile(files.labels, source),
  ]);
  return idxDigits({
    images: images.array,
    labels: labels.array,
    imagesName: images.url,
    labelsName: labels.url,
  });
}

interface Fetched {
  readonly url: string;
  readonly array: IdxArray;
}

async function fetchFile(file: MnistFile, source: Source): Promise<Fetched> {
  const urls = mnistNames(file, [".gz", ""]).map((name) => fileUrl(source.folder, name));
  for (const url of urls) {
    const cached = await source.cache?.match(url);
    if (cached === undefined) continue;
    try {
      return await read(await source.progress.follow(cached, url), url, file, source);
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      // The cached file is damaged or belongs to another set, so it is downloaded again.
      await source.cache?.delete(url);
      source.progress.forget(url);
    }
  }
  const refusals: string[] = [];
  for (const url of urls) {
    const response = await request(url, source.signal);
    const refusal = refusalOf(response);
    if (refusal !== undefined) {
      refusals.push(`${url}: ${refusal}`);
      continue;
    }
    const bytes = await source.progress.follow(response, url);
    const fetched = await read(bytes, url, file, source);
    await keep(source.cache, url, bytes);
    return fetched;
  }
  throw new StriateError(
    `MNIST: expected ${file.stem}-${file.ending} at ${source.folder.href}, found none (${refusals.join("; ")})`,
  );
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new StriateError(
      `fetching ${url}: the server cannot be reached, or does not allow other sites' pages to read it (CORS)`,
      { cause },
    );
  }
}

/**
 * Returns the reason why a response cannot be the requested file; undefined if it can be. Servers of
 * single-page apps answer requests for missing files with the app's page.
 */
function refusalOf(response: Response): string | undefined {
  if (!response.ok) return `the server answers ${response.status} ${response.statusText}`.trim();
  const type = response.headers.get("content-type") ?? "";
  return /^text\/html\b/.test(type) ? "the server sent an HTML page instead of the file" : undefined;
}

async function read(
  bytes: Uint8Array<ArrayBuffer>,
  url: string,
  file: MnistFile,
  source: Source,
): Promise<Fetched> {
  // Some servers send a compressed file with a content encoding, so that the browser has already decompressed
  // it.
  const content = isGzip(bytes) ? await decompressed(bytes, url) : bytes;
  source.signal.throwIfAborted();
  const array = parseIdx(content, url);
  if (source.verify) {
    const found = await sha256(content);
    check(
      found === file.sha256,
      () =>
        `${url}: expected MNIST's ${file.stem} with ${file.bytes} bytes and the SHA-256 ${file.sha256}, got ` +
        `${content.length} bytes with ${found}; pass verify: false for another set in this format`,
    );
  }
  return { url, array };
}

async function decompressed(bytes: Uint8Array<ArrayBuffer>, url: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const pieces: Uint8Array[] = [];
  let length = 0;
  const most = DEFAULT_MAX_BYTES + HEADER_ROOM;
  try {
    for (const reader = stream.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) return joined(pieces, length);
      pieces.push(value);
      length += value.length;
      if (length <= most) continue;
      await reader.cancel();
      throw new StriateError(
        `${url}: expected at most ${DEFAULT_MAX_BYTES} bytes after decompression, got more`,
      );
    }
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    throw new StriateError(`${url}: damaged or truncated gzip data`, { cause });
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Counts the bytes received of all files together. */
class Progress {
  readonly #files = new Map<string, { bytes: number; total: number | undefined }>();

  constructor(
    /** Number of files. */
    readonly count: number,
    readonly signal: AbortSignal,
    readonly listen: FetchMnistOptions["onProgress"],
  ) {}

  /** Reads a response to its end. */
  async follow(response: Response, url: string): Promise<Uint8Array<ArrayBuffer>> {
    // If the browser decompresses the response, more bytes arrive than its content-length header says.
    const stated = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
    const file = { bytes: 0, total: stated === null ? undefined : Number(stated) };
    this.#files.set(url, file);
    const pieces: Uint8Array[] = [];
    try {
      const reader = response.body?.getReader();
      for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
        pieces.push(next.value);
        file.bytes += next.value.length;
        check(
          file.bytes <= DEFAULT_MAX_BYTES,
          () => `fetching ${url}: expected at most ${DEFAULT_MAX_BYTES} bytes, got more`,
        );
        this.#tell();
      }
    } catch (cause) {
      this.signal.throwIfAborted();
      if (cause instanceof StriateError) throw cause;
      const total = file.total === undefined ? "" : ` of ${file.total}`;
      throw new StriateError(`fetching ${url}: interrupted after ${file.bytes}${total} bytes; try again`, {
        cause,
      });
    }
    return joined(pieces, file.bytes);
  }

  forget(url: string): void {
    this.#files.delete(url);
  }

  #tell(): void {
    const files = [...this.#files.values()];
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const known =
      files.length === this.count && files.every(({ bytes: came, total }) => came <= (total ?? -1));
    this.listen?.(bytes, known ? files.reduce((sum, { total }) => sum + total!, 0) : undefined);
  }
}

function folderUrl(url: string | URL): URL {
  try {
    const folder = new URL(url, (globalThis as { location?: { href: string } }).location?.href);
    if (!folder.pathname.endsWith("/")) folder.pathname += "/";
    return folder;
  } catch (cause) {
    throw new StriateError(`fetchMnist: expected the address of a folder, got "${String(url)}"`, { cause });
  }
}

function fileUrl(folder: URL, name: string): string {
  const file = new URL(folder);
  file.pathname += name;
  return file.href;
}

/** Opens the browser's cache; undefined in Node, on pages without https, and if the user has disabled storage. */
async function openCache(name: string | false): Promise<Cache | undefined> {
  const storage = (globalThis as { caches?: CacheStorage }).caches;
  return name === false ? undefined : storage?.open(name).catch(() => undefined);
}

/** Stores a response in the cache. A full cache is ignored, because the cache only saves time. */
async function keep(cache: Cache | undefined, url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { "content-type": "application/octet-stream", "content-length": String(bytes.length) };
  await cache?.put(url, new Response(bytes, { headers })).catch(() => undefined);
}
