import { readFileSync } from "node:fs";
import { stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lock } from "proper-lockfile";
import { check, StriateError } from "./errors.js";
import { errorCode, fileError, readFileChecked, writeFileAtomic } from "./files-node.js";
import { isJsonObject, parseStrictJson } from "./json.js";

/** Milliseconds between two touches of a lock by its holder. */
const updateMilliseconds = 1_000;

/**
 * Milliseconds without a touch after which a lock counts as abandoned, by the state of its holder. Even if the holder
 * seems dead, wait three touches, because process ids are meaningless across containers that share a host name. A live
 * holder may only be busy.
 */
const staleMilliseconds = { dead: 3_000, unknown: 10_000, alive: 60_000 } as const;

/** Milliseconds after which, of two processes that took over a lock, one notices that the other has it. */
const settleMilliseconds = 2.5 * updateMilliseconds;

export interface RunLock {
  /**
   * Throws {@link StriateError} if another process has taken over the lock, for example while this one was suspended.
   */
  check(): void;
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /**
   * Start time of the process in kernel ticks, which distinguishes it from a later process with the same id. Linux
   * only.
   */
  readonly started?: string;
}

/** Takes the exclusive lock of a run folder, which must exist, as {@link acquireLock} does. */
export function acquireRunLock(folder: string, onWarning?: (message: string) => void): Promise<RunLock> {
  return lockOf({ path: folder, what: "run folder", lockPath: join(folder, "run.lock") }, onWarning);
}

/**
 * Takes the exclusive lock of a file, which need not exist, in an existing folder. The lock is a file beside it. A lock
 * that a killed process left is taken over after about six seconds (thirteen if it came from another machine); a lock
 * in use throws a {@link StriateError} at once. `what` names the file in messages, such as "results file".
 */
export function acquireLock(
  path: string,
  what: string,
  onWarning?: (message: string) => void,
): Promise<RunLock> {
  return lockOf({ path, what, lockPath: `${path}.lock` }, onWarning);
}

/** The locked file or folder, and its name in messages. */
interface Locked {
  readonly path: string;
  readonly what: string;
  readonly lockPath: string;
}

async function lockOf(
  locked: Locked,
  onWarning: (message: string) => void = () => undefined,
): Promise<RunLock> {
  const { path, what, lockPath } = locked;
  const ownerPath = `${lockPath}.json`;
  let firstTouch: number | undefined;
  let compromised = false;
  const isCompromised = () => compromised;
  let warned = false;
  for (let waited = 0; ; waited += 250) {
    firstTouch ??= await modified(lockPath);
    const owner = await readOwner(ownerPath);
    const state = owner === undefined ? "unknown" : stateOf(owner);
    try {
      const release = await lock(path, {
        lockfilePath: lockPath,
        realpath: false,
        stale: staleMilliseconds[state],
        update: updateMilliseconds,
        onCompromised: () => {
          compromised = true;
        },
      });
      const held = await hold(locked, ownerPath, release, isCompromised);
      if (firstTouch === undefined) return held;
      // Two processes that find the same stale lock may both remove it, one of them the new lock of the other. The
      // loser notices when either process touches its lock.
      await sleep(settleMilliseconds);
      if (!isCompromised()) return held;
      throw inUse(locked, await readOwner(ownerPath));
    } catch (cause) {
      if (cause instanceof StriateError) throw cause;
      if (errorCode(cause) !== "ELOCKED") throw fileError(`lock the ${what}`, path, cause);
    }
    const touched = firstTouch !== undefined && (await modified(lockPath)) !== firstTouch;
    if (state === "alive" || touched || waited > staleMilliseconds.unknown) {
      throw inUse(locked, await readOwner(ownerPath));
    }
    if (!warned) onWarning(`Waiting for the lock that a stopped process left on "${path}" to expire.`);
    warned = true;
    await sleep(250);
  }
}

async function hold(
  { path, what }: Locked,
  ownerPath: string,
  release: () => Promise<void>,
  isCompromised: () => boolean,
): Promise<RunLock> {
  const started = startOf(process.pid)?.started;
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    ...(started === undefined ? {} : { started }),
  };
  try {
    await writeFileAtomic(ownerPath, `${JSON.stringify(owner)}\n`);
  } catch (error) {
    await release();
    throw error;
  }
  return {
    check() {
      check(
        !isCompromised(),
        () => `Another process has taken over the ${what} "${path}"; this one must stop.`,
      );
    },
    async release() {
      if (isCompromised()) return;
      await unlink(ownerPath).catch(() => undefined);
      await release();
    },
  };
}

function inUse({ path, what }: Locked, owner: Owner | undefined): StriateError {
  const who =
    owner === undefined ? "another process" : `process ${owner.pid} on ${owner.host} since ${owner.since}`;
  return new StriateError(
    `The ${what} "${path}" is in use by ${who}. Wait until it ends, stop it, or choose another ${what.split(" ").at(-1)!}.`,
  );
}

/** Time when a file was last touched, in milliseconds, or undefined if it does not exist. */
async function modified(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/** The owner of the lock, or undefined if it is unknown. That is not an error, because the lock itself decides. */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const bytes = await readFileChecked(path, { what: "lock's owner", maxBytes: 4096 });
    const value = parseStrictJson(new TextDecoder().decode(bytes), "The lock's owner");
    if (!isJsonObject(value)) return undefined;
    const { pid, host, since, started } = value;
    if (typeof pid !== "number" || typeof host !== "string" || typeof since !== "string") return undefined;
    return { pid, host, since, ...(typeof started === "string" ? { started } : {}) };
  } catch {
    return undefined;
  }
}

function stateOf(owner: Owner): keyof typeof staleMilliseconds {
  if (owner.host !== hostname() || !Number.isSafeInteger(owner.pid) || owner.pid <= 0) return "unknown";
  try {
    process.kill(owner.pid, 0);
  } catch (cause) {
    if (errorCode(cause) === "ESRCH") return "dead";
  }
  const now = startOf(owner.pid);
  if (now === undefined) return "alive";
  const replaced = owner.started !== undefined && owner.started !== now.started;
  return replaced || now.zombie ? "dead" : "alive";
}

/** The state and start time in /proc/PID/stat (proc(5), fields 3 and 22), or undefined on systems without it. */
function startOf(pid: number): { started: string; zombie: boolean } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, field 2, is in parentheses and may hold spaces.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const started = fields[19];
    return started === undefined ? undefined : { started, zombie: fields[0] === "Z" };
  } catch {
    return undefined;
  }
}
