import { promisify } from "node:util";
import { constants, gunzip, gunzipSync } from "node:zlib";
import { StriateError, check } from "../../util/errors.js";
import { errorCode, readFileChecked } from "../../util/files-node.js";
import type { DigitImages } from "../scenes/digit-images.js";
import type { IdxArray, IdxOptions } from "./idx.js";
import { DEFAULT_MAX_BYTES, HEADER_ROOM, idxDigits, isGzip, parseIdx, statedBytes } from "./idx.js";

/**
 * Reads an IDX file and decompresses it if its name ends in `.gz`. Throws `StriateError` as {@link parseIdx}
 * does, and if the file does not exist or its gzip data is damaged.
 */
export async function readIdx(path: string, options: IdxOptions = {}): Promise<IdxArray> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  let bytes: Uint8Array = await readFileChecked(path, { what: "IDX file", maxBytes: maxBytes + HEADER_ROOM });
  if (path.endsWith(".gz")) {
    check(
      isGzip(bytes),
      () => `${path}: expected data compressed with gzip because the name ends in .gz, got other data`,
    );
    try {
      const stated = statedBytes(beginning(bytes)) ?? Infinity;
      const most = Math.min(maxBytes + HEADER_ROOM, stated);
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: most }).catch((error: unknown) => {
        check(
          errorCode(error) !== "ERR_BUFFER_TOO_LARGE" || most !== stated,
          () => `${path}: expected the ${stated} bytes that its header states, got more`,
        );
        throw error;
      });
    } catch (error) {
      if (error instanceof StriateError) throw error;
      throw new StriateError(
        errorCode(error) === "ERR_BUFFER_TOO_LARGE"
          ? `${path}: expected at most ${maxBytes} bytes after decompression, got more`
          : `${path}: damaged gzip data (${(error as Error).message})`,
      );
    }
  }
  return parseIdx(bytes, path, options);
}

/** The first bytes of compressed data, decompressed. */
function beginning(bytes: Uint8Array): Uint8Array {
  return gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
}

/** Reads a pair of IDX files as digit images with labels. Throws as {@link readIdx} and `idxDigits` do. */
export async function readIdxDigits(
  imagesPath: string,
  labelsPath: string,
  options: IdxOptions = {},
): Promise<DigitImages> {
  const [images, labels] = await Promise.all([readIdx(imagesPath, options), readIdx(labelsPath, options)]);
  return idxDigits({ images, labels, imagesName: imagesPath, labelsName: labelsPath });
}
