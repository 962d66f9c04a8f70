// A small training run in a process of its own, to which something happens at its n-th change of a file:
// stopped-run.ts FOLDER N WAY. WAY "before" kills the process before the change and "half" in the middle of it; "full" and
// "half-full" fill the disk at that point. It prints the number of changes and a digest of the model that it ends with.
import { createHash } from "node:crypto";
import fs from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [folder = "", at = "0", way = "before"] = process.argv.slice(2);
let changes = 0;
let full = false;
const kill = () => process.kill(process.pid, "SIGKILL");

function noSpace(path: unknown): Error {
  const text = `ENOSPC: no space left on device, '${String(path)}'`;
  return Object.assign(new Error(text), { code: "ENOSPC", errno: -28 });
}

/** Counts a change of a file. At the chosen one, makes half of it if that is possible, and kills the process or fills the disk. */
const change = (path: unknown, takesSpace: boolean, half?: () => unknown): void => {
  changes += 1;
  if (changes === Number(at)) {
    if (way.startsWith("half")) half?.();
    if (way.endsWith("full")) full = true;
    else kill();
  }
  if (full && takesSpace) throw noSpace(path);
};

const promises = fsp as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
const sync = fs as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const [name, takesSpace] of [
  ["rename", true],
  ["unlink", false],
  ["truncate", false],
  ["mkdir", true],
] as const) {
  const original = promises[name]!;
  promises[name] = async (...given) => {
    change(given[0], takesSpace);
    return original(...given);
  };
}
const open = fsp.open.bind(fsp);
fsp.open = async (path, flags, mode) => {
  if (flags === "r" || flags === undefined) return open(path, flags, mode);
  change(path, true);
  const handle = await open(path, flags, mode);
  const writeFile = handle.writeFile.bind(handle);
  handle.writeFile = async (data) => {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    change(path, true, () => fs.writeSync(handle.fd, bytes, 0, Math.floor(bytes.length / 2)));
    await writeFile(data);
  };
  return handle;
};
const writeSync = fs.writeSync.bind(fs);
sync.writeSync = (...given) => {
  const [fd, bytes, offset, length, position] = given as [number, Uint8Array, number, number, number];
  // The terminal is no file of the run.
  if (fd > 2) change(fd, true, () => writeSync(fd, bytes, offset, Math.floor(length / 2), position));
  return writeSync(fd, bytes, offset, length, position);
};
syncBuiltinESMExports();

const { train } = await import("../../src/train/run/run-node.js");
const { StriateError } = await import("../../src/util/errors.js");
const { smallData, smallTask } = await import("../train/small-task.js");
const scores: Record<number, number> = { 3: 0.2, 6: 0.9, 9: 0.5, 12: 0.7, 15: 0.9, 18: 0.1, 20: 0.3 };
const run = await train(smallTask(), smallData(64), {
  folder,
  resume: true,
  steps: 20,
  batchSize: 8,
  seed: 7,
  checkpointEvery: 4,
  logEvery: 6,
  evaluateEvery: 3,
  evaluate: (_values, step) => Promise.resolve({ score: scores[step] ?? NaN }),
  selectBest: "score",
  threads: 1,
  onWarning: (message) => {
    // A resumed run waits for the lock of the killed one, and a busy machine is slow; any other warning is a fault.
    if (!/^(Waiting for the lock|Opening the graph takes long)/.test(message))
      process.stderr.write(`${message}\n`);
  },
}).catch((error: unknown) => {
  if (!(error instanceof StriateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(3);
});
const digest = createHash("sha256");
for (const [name, { data }] of run.values) digest.update(name).update(data as Float32Array);
process.stdout.write(`${changes} ${digest.digest("hex")} ${JSON.stringify(run.evaluations)}\n`);
