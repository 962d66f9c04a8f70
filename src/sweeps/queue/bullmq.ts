import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type * as bullmq from "bullmq";
import type { Job, Queue } from "bullmq";
import { StriateError, check, counted } from "../../util/errors.js";
import { shorten } from "../../util/json.js";
import { loadPeer } from "../../util/peers.js";
import { installedVersion } from "../../util/peers-node.js";
import type { Software } from "../software.js";
import { fingerprintOf, softwareText } from "../software.js";
import type { QueueAddress } from "./address.js";
import { reasonOf } from "./address.js";
import type { CellJob, QueuedCell, QueuedState, WorkOptions, WorkQueue } from "./cell-queue.js";
import { SCHEMA, checkPostgres } from "./postgres.js";
import { openRedis } from "./redis.js";

/** How often a cell is started again after its process was ended, as by a machine whose memory is used up. */
const ATTEMPTS = 3;
/** Milliseconds before that. */
const BACKOFF = 10_000;
/** How often a cell may lose its worker. A machine that is switched off is no fault of the cell. */
const LOST_WORKERS = 1000;
/** Largest number of bytes of an entry. */
const LARGEST = 4096;
/** Questions to the store at the same time. */
const AT_ONCE = 200;
/** Milliseconds between two looks whether the queue is empty. */
const LOOK = 1_000;
/** Milliseconds that a worker takes to end: a cell that is stopped has 25 s for its checkpoint. */
const ENDING = 28_000;
/** Milliseconds that a store may take to answer a worker that ends. */
const ANSWER = 2_000;
/** Looks between two looks whether cells wait for workers with other software. */
const LOOKS = 60;

type Factory = bullmq.BackendFactory<bullmq.RedisQueueBackend>;

/** What decides in which store a queue is. The types are those of Redis, also for PostgreSQL, which has the same methods. */
interface Engine {
  readonly settings: { readonly connection: bullmq.ConnectionOptions };
  readonly factory: Factory;
  readonly warnings: readonly string[];
  close(): void;
}

/** The list of all sweeps of a service: it tells workers that run other software what they see. */
const SWEEPS = "striate-sweeps";

/** The name of the queue of some software: a worker sees only cells that its own software may compute. */
const queueNameOf = (software: Software): string => `striate-${fingerprintOf(software)}`;

/**
 * BullMQ refuses ids that are whole numbers or have a colon. An id that is in the queue already is ignored, also if its cell
 * has failed.
 */
const idOf = (sweep: string, key: string): string => `${sweep}-${key}`;

/**
 * Connects to the queue for the cells of some software, in Redis or PostgreSQL, through BullMQ.
 *
 * BullMQ has flows, but in a flow a job starts one other job at most, and a cell may be the start of several. So all cells
 * are jobs of their own: a cell whose start is not finished is delayed, and the worker that finishes the start ends the
 * delay.
 *
 * @param prepare whether to create or update the tables of PostgreSQL, which cannot be undone
 * @throws StriateError if a package is absent, or the service does not answer or is not fit
 */
export async function openBullQueue(
  address: QueueAddress,
  software: Software,
  { prepare = false }: { readonly prepare?: boolean } = {},
): Promise<WorkQueue> {
  const bull = await loadPeer(
    "bullmq",
    () => import("bullmq"),
    () => installedVersion("bullmq"),
  );
  const engine = await (address.kind === "redis"
    ? redisEngine(bull, address)
    : postgresEngine(bull, address, prepare));
  const open = <T>(name: string): Queue<T> => {
    const queue = new bull.Queue<T>(name, engine.settings, engine.factory);
    queue.on("error", () => undefined);
    return queue;
  };
  const queue = open<CellJob>(queueNameOf(software));
  const sweeps = open<{ software: Software }>(SWEEPS);
  const orFail = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw queueError(address, cause);
    });
  await orFail(queue.waitUntilReady());
  const jobOf = (sweep: string, key: string): Promise<Job<CellJob> | undefined> =>
    queue.getJob(idOf(sweep, key)) as Promise<Job<CellJob> | undefined>;
  return {
    shown: address.shown,
    warnings: engine.warnings,
    add: async (jobs) => {
      const entries = jobs.map((job) => {
        const bytes = Buffer.byteLength(JSON.stringify(job));
        check(
          bytes <= LARGEST,
          () => `the queue entry of ${shorten(job.name)}: expected at most ${LARGEST} bytes, got ${bytes}`,
        );
        return {
          name: job.name,
          data: job,
          opts: {
            jobId: idOf(job.sweep, job.key),
            attempts: ATTEMPTS,
            backoff: { type: "fixed", delay: BACKOFF },
            removeOnComplete: true,
          },
        };
      });
      const [first] = jobs;
      if (first === undefined) return;
      await orFail(sweeps.add(first.sweep, { software }, { jobId: `sweep-${first.sweep}` }));
      for (let i = 0; i < entries.length; i += AT_ONCE)
        await orFail(queue.addBulk(entries.slice(i, i + AT_ONCE)));
    },
    states: (sweep, keys) =>
      orFail(
        inTurns(keys, async (key): Promise<QueuedCell> => {
          const state = stateOf(await queue.getJobState(idOf(sweep, key)));
          const reason = state === "failed" ? (await jobOf(sweep, key))?.failedReason : undefined;
          return { state, ...(reason !== undefined && { reason }) };
        }),
      ),
    remove: async (sweep, keys) => {
      const removed = await orFail(
        inTurns(keys, async (key) => {
          const job = await jobOf(sweep, key);
          // A job that a worker holds cannot be removed.
          return job?.remove().then(
            () => key,
            () => undefined,
          );
        }),
      );
      return removed.filter((key) => key !== undefined);
    },
    work: (options) => work(bull, engine, queue, sweeps, software, address, options),
    close: async () => {
      await within(ANSWER, Promise.all([queue.close(), sweeps.close()]));
      engine.close();
    },
  };
}

async function redisEngine(bull: typeof bullmq, address: QueueAddress): Promise<Engine> {
  const { client, warnings, close } = await openRedis(address);
  const settings = { connection: client as unknown as bullmq.ConnectionOptions };
  return { settings, factory: bull.createRedisBackend, warnings, close };
}

async function postgresEngine(bull: typeof bullmq, address: QueueAddress, prepare: boolean): Promise<Engine> {
  await checkPostgres(address);
  const connection = {
    connectionString: address.url,
    schema: SCHEMA,
    max: 4,
    ...(prepare && { migrate: true }),
  };
  return {
    settings: { connection: connection },
    factory: bull.createPostgresBackend as unknown as Factory,
    warnings: [],
    close: () => undefined,
  };
}

async function work(
  bull: typeof bullmq,
  engine: Engine,
  queue: Queue<CellJob>,
  sweeps: Queue<{ software: Software }>,
  software: Software,
  address: QueueAddress,
  options: WorkOptions,
): Promise<void> {
  const { jobs, leaseSeconds, signal, untilEmpty, onNote } = options;
  const ended = new AbortController();
  let fatal: { readonly error: unknown } | undefined;
  const stopFor = (error: unknown): void => {
    fatal ??= { error };
    ended.abort();
  };
  if (signal.aborted) return;
  const active = new Set<Promise<unknown>>();
  signal.addEventListener("abort", () => {
    ended.abort();
  });
  const worker = new bull.Worker<CellJob>(
    queue.name,
    (job, token) => {
      const handled = handle(bull, queue, job, token!, options, { signal: ended.signal, stopFor });
      active.add(handled);
      return handled.finally(() => active.delete(handled));
    },
    {
      ...engine.settings,
      name: `${hostname()}-${process.pid}`,
      concurrency: jobs,
      lockDuration: leaseSeconds * 1000,
      stalledInterval: leaseSeconds * 500,
      maxStalledCount: LOST_WORKERS,
    },
    engine.factory,
  );
  const tell = sparingly(onNote);
  worker.on("error", (error) => {
    tell(`The queue ${address.shown}: ${reasonOf(error)}`);
  });
  const others = new Set<string>();
  try {
    for (let looks = 1; ; looks++) {
      await sleep(LOOK, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) break;
      if (untilEmpty && (await isEmpty(queue))) break;
      if (!untilEmpty && looks % LOOKS === 1)
        await within(ANSWER, tellOthers(bull, engine, sweeps, software, others, onNote));
    }
  } finally {
    ended.abort();
    const closed = worker.close();
    await within(ENDING, Promise.allSettled([...active]));
    // Without its store, a worker waits for ever to tell that it ends; the store will notice.
    if ((await within(ANSWER, closed)) !== "done") await within(ANSWER, worker.disconnect());
  }
  if (fatal !== undefined) throw fatal.error;
}

/** Whether no cell waits and none is computed. A store that does not answer is not empty. */
async function isEmpty(queue: Queue<CellJob>): Promise<boolean> {
  let counts: Readonly<Record<string, number>> = { unknown: 1 };
  const asked = queue.getJobCounts("wait", "active", "delayed", "prioritized").then((found) => {
    counts = found;
  });
  await within(ANSWER, asked);
  return Object.values(counts).every((count) => count === 0);
}

/** Says which cells wait for workers with other software, once for each such software. */
async function tellOthers(
  bull: typeof bullmq,
  engine: Engine,
  sweeps: Queue<{ software: Software }>,
  software: Software,
  told: Set<string>,
  onNote: (line: string) => void,
): Promise<void> {
  const own = queueNameOf(software);
  for (const sweep of await sweeps.getJobs()) {
    const name = queueNameOf(sweep.data.software);
    if (name === own || told.has(name)) continue;
    told.add(name);
    const queue = new bull.Queue(name, engine.settings, engine.factory);
    queue.on("error", () => undefined);
    const waiting = await queue.count().finally(() => queue.close());
    if (waiting === 0) continue;
    onNote(
      `The queue also has ${counted(waiting, "cell")} of other software, such as those of the sweep ${sweep.name}, which this ` +
        `worker leaves to others: the software is ` +
        `${softwareText(sweep.data.software)}; this is ${softwareText(software)}.`,
    );
  }
}

/** Computes the cell of a job, and tells the queue what becomes of the job. */
async function handle(
  bull: typeof bullmq,
  queue: Queue<CellJob>,
  job: Job<CellJob>,
  token: string,
  { compute, dependents, waitSeconds, onNote }: WorkOptions,
  { signal, stopFor }: { readonly signal: AbortSignal; readonly stopFor: (error: unknown) => void },
): Promise<unknown> {
  const tell = (reason: string): void => {
    onNote(`${job.name}: not handed back (${reason}); another worker gets it when the lease has run out`);
  };
  const later = async (seconds: number): Promise<never> => {
    // A job whose lease was lost belongs to another worker.
    // Many jobs that are due at the same moment make BullMQ's queries in PostgreSQL deadlock.
    const milliseconds = Math.round((0.75 + Math.random() / 2) * seconds * 1000);
    await insist(() => job.moveToDelayed(Date.now() + milliseconds, token), tell);
    throw new bull.DelayedError();
  };
  const back = async (): Promise<never> => {
    await insist(() => job.moveToWait(token), tell);
    throw new bull.WaitingError();
  };
  const { data } = job;
  let outcome;
  try {
    outcome = await compute(data, { signal, isLast: job.attemptsMade + 1 >= ATTEMPTS });
  } catch (error) {
    stopFor(error);
    return back();
  }
  switch (outcome.kind) {
    case "finished":
      for (const key of await dependents(data)) {
        const dependent = (await queue.getJob(idOf(data.sweep, key))) as Job<CellJob> | undefined;
        // Only a job that is delayed can be promoted; any other is looked at soon anyway.
        await dependent?.promote().catch(() => undefined);
      }
      return undefined;
    case "cancelled":
      return undefined;
    case "stopped":
      return back();
    case "waits":
    case "lost":
      return later(waitSeconds);
    case "failed":
      if (outcome.mayPass) throw new Error(outcome.message);
      throw new bull.UnrecoverableError(outcome.message);
  }
}

function stateOf(state: string): QueuedState {
  switch (state) {
    case "active":
      return "running";
    case "failed":
      return "failed";
    case "completed":
    case "unknown":
      return "absent";
    default:
      return "waiting";
  }
}

async function inTurns<T, R>(values: readonly T[], use: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < values.length; i += AT_ONCE)
    results.push(...(await Promise.all(values.slice(i, i + AT_ONCE).map(use))));
  return results;
}

/** Waits for some work, but not longer than the milliseconds. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<"done" | "failed" | "late"> {
  const ended = work.then(
    () => "done" as const,
    () => "failed" as const,
  );
  const timer = new AbortController();
  const late = sleep(milliseconds, "late" as const, { signal: timer.signal }).catch(() => "late" as const);
  return Promise.race([ended, late]).finally(() => {
    timer.abort();
  });
}

/**
 * Does what leaves a job stuck until its lease has run out if it is not done. It may fail because queries of PostgreSQL have
 * deadlocked, which does not happen again, or because the lease was lost, which nothing can change.
 */
async function insist(work: () => Promise<unknown>, tell: (reason: string) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let reason = "";
    const given = work().catch((error: unknown) => {
      reason = reasonOf(error);
      throw error;
    });
    if ((await within(ANSWER, given)) !== "failed") return;
    if (attempt === 5) {
      tell(reason);
      return;
    }
    await sleep(attempt * 100 * Math.random());
  }
}

/** A function that tells each line once a minute at most. */
function sparingly(tell: (line: string) => void): (line: string) => void {
  const toldAt = new Map<string, number>();
  return (line) => {
    const now = performance.now();
    if (now - (toldAt.get(line) ?? -Infinity) < 60_000) return;
    toldAt.set(line, now);
    tell(line);
  };
}

/** What the store says about a command, with advice. */
function queueError({ shown }: QueueAddress, cause: unknown): StriateError {
  if (cause instanceof StriateError) return cause;
  const reason = reasonOf(cause);
  const name = cause instanceof Error ? cause.name : "";
  if (name === "SchemaMigrationRequiredError")
    return new StriateError(
      `the queue ${shown}: expected the tables of the queue, found none; type: striate sweep init --queue ADDRESS`,
      { cause },
    );
  if (name === "SchemaVersionMismatchError")
    return new StriateError(
      `the queue ${shown}: expected the tables of BullMQ ${installedVersion("bullmq") ?? ""}; ${reason}; striate sweep init updates older tables`,
      { cause },
    );
  const full = reason.startsWith("OOM ")
    ? "the memory of Redis is full; free some, or raise maxmemory"
    : reason;
  return new StriateError(`the queue ${shown}: ${full}`, { cause });
}
