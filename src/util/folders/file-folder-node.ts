import { open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { StriateError } from "../errors.js";
import type { FileFolder } from "./file-folder.js";
import { errorCode, fileError, readFileChecked, writeFileAtomic } from "../files-node.js";

/** A folder on disk, which need not exist. `what` names its content in messages: "checkpoints". */
export function diskFolder(path: string, what = "files"): FileFolder {
  const file = (name: string) => join(path, name);
  return {
    path,
    file,
    list: async () => {
      try {
        return await readdir(path);
      } catch (cause) {
        if (errorCode(cause) === "ENOENT") return [];
        throw fileError(`list the ${what} in`, path, cause);
      }
    },
    read: async (name, options) => {
      try {
        return await readFileChecked(file(name), options);
      } catch (error) {
        if (error instanceof StriateError && errorCode(error.cause) === "ENOENT") return undefined;
        throw error;
      }
    },
    readStart: async (name, bytes, started) => {
      try {
        const handle = await open(file(name), "r");
        try {
          const { buffer, bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes, 0);
          return buffer.subarray(0, bytesRead);
        } finally {
          await handle.close();
        }
      } catch (cause) {
        if (errorCode(cause) === "ENOENT") return undefined;
        throw fileError(`read the ${started}`, file(name), cause);
      }
    },
    write: (name, content) => writeFileAtomic(file(name), content),
    remove: async (name, removed) => {
      try {
        await unlink(file(name));
      } catch (cause) {
        if (errorCode(cause) !== "ENOENT") throw fileError(`remove the ${removed}`, file(name), cause);
      }
    },
    rename: async (name, to, renamed) => {
      try {
        await rename(file(name), file(to));
      } catch (cause) {
        throw fileError(`rename the ${renamed}`, file(name), cause);
      }
    },
  };
}
