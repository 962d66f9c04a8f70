// Damages files and reads them, in a process of its own: child.ts MODULE FOLDER SEED FROM END EVERY. A line of JSON on standard
// output tells the outcome of each mutation; the parent ends the process if no line comes for too long.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StriateError } from "../../../src/util/errors.js";
import { mutate } from "./mutate.js";
import type { Outcome, Report } from "./outcome.js";
import type { Sample } from "./sample.js";

/** Bytes above the size of the files that a reader may take. */
const MEMORY = 512 * 2 ** 20;
/** Mutations after which open files are counted. */
const BATCH = 100;
/** Milliseconds in which files must be closed that a reader leaves to be closed later. */
const CLOSING = 3000;

const [module = "", base = "", seed = "0", from = "0", end = "0", every = "1"] = process.argv.slice(2);
const say = (report: Report): void => {
  writeFileSync(1, `${JSON.stringify(report)}\n`);
};

/** Errors that no one waited for. */
const late: string[] = [];
const noteLate = (error: unknown): void => {
  late.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
};

/** Bytes that this process holds, and the largest number so far: of memory that is filled, and of addresses. */
function memory(): Record<"VmRSS" | "VmHWM" | "VmSize" | "VmPeak", number> {
  const status = readFileSync("/proc/self/status", "utf8");
  const of = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)![1]);
  return { VmRSS: of("VmRSS"), VmHWM: of("VmHWM"), VmSize: of("VmSize"), VmPeak: of("VmPeak") };
}

async function lay(sample: Sample, folder: string, damaged: Uint8Array): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  let size = 0;
  for (const [name, bytes] of Object.entries({ ...sample.files, [sample.damaged]: damaged })) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
    size += bytes.length;
  }
  return size;
}

async function outcomeOf(sample: Sample, folder: string, content: Uint8Array): Promise<Outcome> {
  const size = await lay(sample, folder, sample.wrap?.(content) ?? content);
  // Forgets the largest memory so far.
  writeFileSync("/proc/self/clear_refs", "5");
  const before = memory();
  late.length = 0;
  let outcome: Outcome;
  try {
    await sample.read(folder);
    outcome = { kind: "read" };
  } catch (error) {
    if (error instanceof StriateError) outcome = { kind: "refused", said: error.message };
    else
      outcome = {
        kind: "other error",
        said: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
  }
  // Errors that no one waits for come a little later.
  await new Promise(setImmediate);
  if (late.length > 0) return { kind: "late error", said: late.join("; ") };
  const after = memory();
  const most = Math.max(
    after.VmHWM - before.VmRSS,
    after.VmPeak > before.VmPeak ? after.VmPeak - before.VmSize : 0,
  );
  if (most - size > MEMORY) return { kind: "memory", said: `${Math.round(most / 2 ** 20)} MB` };
  return outcome;
}

/** Files, sockets and pipes that this process has open. */
const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

async function closedAgain(most: number): Promise<number> {
  let now = await open();
  for (let waited = 0; now > most && waited < CLOSING; waited += 50) {
    await sleep(50);
    now = await open();
  }
  return now;
}

await mkdir(base, { recursive: true });
const work = await mkdtemp(join(base, "work-"));
const { samples } = (await import(module)) as { samples: (folder: string) => Promise<readonly Sample[]> };
const all = await samples(work);
const folder = join(work, "files");
// Every sample is read once undamaged: it must be valid, and threads and caches exist before memory is measured.
for (const sample of all) {
  const content = sample.files[sample.damaged]!;
  await lay(sample, folder, sample.wrap?.(content) ?? content);
  await sample.read(folder);
}
process.on("uncaughtException", noteLate);
process.on("unhandledRejection", noteLate);
say({ ready: all.map(({ name }) => name) });
const start = await closedAgain(await open());
let [done, uncounted] = [0, 0];
async function countFiles(number: number): Promise<void> {
  const now = await closedAgain(start);
  if (now > start) {
    const said = `${now - start} more than at the start`;
    say({ number, sample: "the mutations before", what: "", outcome: { kind: "open files", said } });
  }
  uncounted = 0;
}
for (let number = Number(from); number < Number(end); number++) {
  const [round, which] = [Math.floor(number / all.length), number % all.length];
  if (round % Number(every) !== 0) continue;
  const sample = all[which]!;
  const { bytes, what } = mutate(sample.files[sample.damaged]!, Number(seed), number);
  const mutation = { number, sample: sample.name, what };
  say(mutation);
  say({ ...mutation, outcome: await outcomeOf(sample, folder, bytes) });
  done += 1;
  if (++uncounted >= BATCH) await countFiles(number);
}
await countFiles(Number(end) - 1);
await rm(work, { recursive: true, force: true });
say({ finished: done });
process.exit(0);
