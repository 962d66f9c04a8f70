import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";

const script = new URL("./killed-run.ts", import.meta.url);

/** Every kill point with `npm run torture`; in the tests of every day only some of them, spread over the run. */
const all = process.env.STRIATE_TORTURE === "all";
const POINTS = 3;

/** Killed before a change, or in the middle of it if it writes a file. */
const WAYS = ["before", "half"] as const;

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

async function finished(folder: string) {
  const child = runTypescript(script, [folder]);
  const line = await child.nextLine();
  const { status, errors } = await child.ended();
  expect(errors).toBe("");
  expect(status).toBe(0);
  const [changes = "", ...end] = line!.split(" ");
  return { changes: Number(changes), end: end.join(" "), files: await filesOf(folder) };
}

/** Milliseconds for all kill points. */
const LIMIT = 3_600_000;

test(
  "a run that is killed at any change of a file ends with the same bytes",
  { timeout: LIMIT },
  async () => {
    const folder = await temporaryFolder();
    const whole = await finished(join(folder, "whole"));
    expect(Object.keys(whole.files)).toEqual([
      "checkpoints/step-00000006.safetensors",
      "checkpoints/step-00000016.safetensors",
      "checkpoints/step-00000018.safetensors",
      "checkpoints/step-00000020.safetensors",
      "config.json",
      "metrics.jsonl",
    ]);
    const points = Array.from({ length: whole.changes }, (_, i) => i + 1);
    const every = all ? 1 : Math.ceil(points.length / POINTS);
    const kills = points
      .filter((point) => point % every === 0)
      .flatMap((at) => (all ? WAYS : [WAYS[at % 2]!]).map((way) => ({ at, way })));
    const worker = async (): Promise<void> => {
      for (let next = kills.shift(); next !== undefined; next = kills.shift()) {
        const { at, way } = next;
        const run = join(folder, `${at}-${way}`);
        const killed = await runTypescript(script, [run, String(at), way]).ended();
        expect({ at, way, status: killed.status }).toEqual({ at, way, status: null });
        const { end, files } = await finished(run);
        expect({ at, way, end, files }).toEqual({ at, way, end: whole.end, files: whole.files });
      }
    };
    const count = kills.length;
    // Most of the time, a resumed run waits for the lock of the killed one to expire.
    await Promise.all(Array.from({ length: 4 }, worker));
    console.log(`${whole.changes} changes of files, ${count} kills: the same bytes after all of them`);
  },
);
