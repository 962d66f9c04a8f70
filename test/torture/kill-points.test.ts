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

test("a run that is killed at any change of a file ends with the same bytes", async () => {
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
  for (const at of points.filter((point) => point % every === 0)) {
    for (const when of all ? ["before", "half"] : [at % 2 === 0 ? "before" : "half"]) {
      const run = join(folder, `${at}-${when}`);
      const killed = await runTypescript(script, [run, String(at), when]).ended();
      expect({ at, when, status: killed.status }).toEqual({ at, when, status: null });
      const { end, files } = await finished(run);
      expect({ at, when, end, files }).toEqual({ at, when, end: whole.end, files: whole.files });
    }
  }
  console.log(`${points.length} changes of files; killed at every ${every === 1 ? "one" : `${every}th`}`);
});
