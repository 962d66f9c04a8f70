import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { fileError, surviveFileSizeLimit } from "./files-node.js";

/**
 * A file to which whole records are appended. A record that cannot be written completely is removed again.
 */
export interface AppendFile {
  readonly path: string;
  /**
   * Appends one record. Throws `StriateError` if that fails; the file then has the same content as before.
   */
  readonly append: (record: Uint8Array | string) => void;
  /** Flushes to disk, so that the records survive a power cut. */
  readonly sync: () => void;
  readonly close: () => void;
}

/**
 * Opens a file, to which records can then be appended; creates it if it does not exist. With `exclusive`, the
 * file must not exist yet. Writes are synchronous.
 */
export function openAppendFile(path: string, options: { exclusive?: boolean } = {}): AppendFile {
  const guarded = <T>(doing: string, act: () => T): T => {
    try {
      return act();
    } catch (cause) {
      throw fileError(doing, path, cause);
    }
  };
  surviveFileSizeLimit();
  const flags = options.exclusive === true ? "wx" : "a+";
  const fd = guarded("open", () => openSync(path, flags));
  let size = guarded("open", () => fstatSync(fd).size);
  let open = true;
  return {
    path,
    append(record) {
      const bytes = typeof record === "string" ? new TextEncoder().encode(record) : record;
      guarded("append to", () => {
        let written = 0;
        try {
          while (written < bytes.length) {
            written += writeSync(fd, bytes, written, bytes.length - written, size + written);
          }
        } catch (cause) {
          if (written > 0) ftruncateSync(fd, size);
          throw cause;
        }
        size += bytes.length;
      });
    },
    sync() {
      guarded("flush", () => {
        fdatasyncSync(fd);
      });
    },
    close() {
      if (!open) return;
      open = false;
      guarded("close", () => {
        closeSync(fd);
      });
    },
  };
}
