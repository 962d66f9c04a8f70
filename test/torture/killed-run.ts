// A small training run in a process of its own, which kills itself before its n-th change of a file, or in the middle of
// it: killed-run.ts FOLDER N before|half. It prints the number of changes and a digest of the model that it ends with.
import { createHash } from "node:crypto";
import fs from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const [folder = "", at = "0", when = "before"] = process.argv.slice(2);
let changes = 0;
const kill = () => process.kill(process.pid, "SIGKILL");

/** Counts a change of a file. At the chosen one, makes half of it if that is possible, and kills the process. */
const change = (half?: () => unknown): void => {
  changes += 1;
  if (changes !== Number(at)) return;
  if (when === "half") half?.();
  kill();
};

const promises = fsp as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
const sync = fs as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const name of ["rename", "unlink", "truncate", "mkdir"]) {
  const original = promises[name]!;
  promises[name] = (...given) => {
    change();
    return original(...given);
  };
}
const open = fsp.open.bind(fsp);
fsp.open = async (path, flags, mode) => {
  if (flags === "r" || flags === undefined) return open(path, flags, mode);
  change();
  const handle = await open(path, flags, mode);
  const writeFile = handle.writeFile.bind(handle);
  handle.writeFile = async (data) => {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    change(() => fs.writeSync(handle.fd, bytes, 0, Math.floor(bytes.length / 2)));
    await writeFile(data);
  };
  return handle;
};
const writeSync = fs.writeSync.bind(fs);
sync.writeSync = (...given) => {
  const [fd, bytes, offset, length, position] = given as [number, Uint8Array, number, number, number];
  // The terminal is no file of the run.
  if (fd > 2) change(() => writeSync(fd, bytes, offset, Math.floor(length / 2), position));
  return writeSync(fd, bytes, offset, length, position);
};
syncBuiltinESMExports();

const { train } = await import("../../src/train/run/run-node.js");
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
});
const digest = createHash("sha256");
for (const [name, { data }] of run.values) digest.update(name).update(data as Float32Array);
process.stdout.write(`${changes} ${digest.digest("hex")} ${JSON.stringify(run.evaluations)}\n`);
