import type { Redis } from "ioredis";
import { StriateError, check } from "../../util/errors.js";
import { loadPeer } from "../../util/peers.js";
import { installedVersion } from "../../util/peers-node.js";
import type { QueueAddress } from "./address.js";
import { checkClock, reasonOf } from "./address.js";

/** Milliseconds after which a service that does not answer counts as absent. */
const PATIENCE = 5_000;

/** A connection to Redis, for a queue. */
export interface RedisConnection {
  readonly client: Redis;
  readonly warnings: readonly string[];
  readonly close: () => void;
}

/**
 * Connects to Redis, and checks that it is fit to hold a queue.
 *
 * @throws StriateError if it does not answer, refuses the password, may evict jobs, cannot be written, or has another time
 */
export async function openRedis({ url, shown }: QueueAddress): Promise<RedisConnection> {
  const { Redis: Client } = await loadPeer(
    "ioredis",
    () => import("ioredis"),
    () => installedVersion("ioredis"),
  );
  const probe = new Client(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let told: unknown;
  probe.on("error", (error: unknown) => {
    told = error;
  });
  let warnings: string[];
  try {
    await probe.connect();
    warnings = await examine(probe, shown);
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    throw new StriateError(`the queue ${shown}: expected Redis to answer; ${reasonOf(told ?? cause)}`, {
      cause,
    });
  } finally {
    probe.disconnect();
  }
  // BullMQ repeats commands for ever while Redis is away, which it asks for by null.
  const client = new Client(url, { maxRetriesPerRequest: null, connectTimeout: PATIENCE });
  // The users of the connection tell its errors.
  client.on("error", () => undefined);
  return {
    client,
    warnings,
    close: () => {
      client.disconnect();
    },
  };
}

async function examine(client: Redis, shown: string): Promise<string[]> {
  const info = new Map(
    (await client.info()).split(/\r?\n/).map((line) => line.split(":", 2) as [string, string]),
  );
  const policy = info.get("maxmemory_policy") ?? "unknown";
  check(
    policy === "noeviction",
    () =>
      `the queue ${shown}: expected the setting maxmemory-policy noeviction, got ${policy}, with which Redis removes cells ` +
      `from the queue when its memory is full; type: redis-cli config set maxmemory-policy noeviction`,
  );
  check(
    info.get("role") !== "slave",
    () => `the queue ${shown}: expected a Redis that can be written, got a replica`,
  );
  const [seconds, microseconds] = await client.time();
  checkClock(shown, Number(seconds) * 1000 + Number(microseconds) / 1000);
  if (info.get("aof_enabled") === "1") return [];
  return [
    `The queue ${shown} has no append-only file: if Redis is killed, it forgets the queue, and striate sweep submit must be ` +
      `given again. No result is lost. To keep the queue: redis-cli config set appendonly yes`,
  ];
}
