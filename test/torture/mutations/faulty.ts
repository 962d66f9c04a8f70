import { openSync } from "node:fs";
import { join } from "node:path";
import { StriateError } from "../../../src/util/errors.js";
import type { Sample } from "./sample.js";
import { text } from "./sample.js";

/** Readers with one fault each, with which the harness itself is tested. They show it only with a damaged file. */
const FAULTS: Readonly<Record<string, (path: string) => unknown>> = {
  none: () => {
    throw new StriateError("the file: damaged");
  },
  "other error": () => {
    throw new TypeError("cannot read properties of undefined");
  },
  "late error": () => void Promise.reject(new Error("no one waits for this")),
  memory: () => new Uint8Array(600 * 2 ** 20).fill(1).length,
  addresses: () => new Uint8Array(700 * 2 ** 20).length,
  "open files": (path) => openSync(path, "r"),
  crash: () => {
    process.abort();
  },
  hang: () => {
    for (;;);
  },
};

export function samples(): Promise<readonly Sample[]> {
  return Promise.resolve(
    Object.entries(FAULTS).map(([name, fault]): Sample => {
      let reads = 0;
      return {
        name,
        files: { file: text("valid") },
        damaged: "file",
        read: (folder) => {
          // The first read is that of the intact file.
          if (reads++ > 0) fault(join(folder, "file"));
          return Promise.resolve();
        },
      };
    }),
  );
}
