import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { runTypescript } from "../support/child.js";

/** The run that the tests stop; see there. */
export const script = new URL("./stopped-run.ts", import.meta.url);

/** What a run leaves: the digest of each file, but not of TensorBoard's, which hold times. */
async function filesOf(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !entry.name.startsWith("events.out."));
  const digests = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [
      path.slice(folder.length + 1),
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    ];
  });
  return Object.fromEntries((await Promise.all(digests)).toSorted()) as Record<string, string>;
}

/** Begins or resumes the run in a folder, and waits until it is finished. */
export async function finished(folder: string) {
  const child = runTypescript(script, [folder]);
  const line = await child.nextLine();
  const { status, errors } = await child.ended();
  expect(errors).toBe("");
  expect(status).toBe(0);
  const [changes = "", ...end] = line!.split(" ");
  return { changes: Number(changes), end: end.join(" "), files: await filesOf(folder) };
}
