import { StriateError, check } from "../../util/errors.js";
import { loadPeer } from "../../util/peers.js";
import { installedVersion } from "../../util/peers-node.js";
import type { QueueAddress } from "./address.js";
import { checkClock, reasonOf } from "./address.js";

/** The schema of the database that holds the tables of the queue. */
export const SCHEMA = "striate";

/** Milliseconds after which a service that does not answer counts as absent. */
const PATIENCE = 5_000;

/**
 * Checks that PostgreSQL answers and is fit to hold a queue.
 *
 * @throws StriateError if it does not answer, refuses the password, cannot be written, or has another time
 */
export async function checkPostgres({ url, shown }: QueueAddress): Promise<void> {
  const { default: pg } = await loadPeer(
    "pg",
    () => import("pg"),
    () => installedVersion("pg"),
  );
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PATIENCE });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ now: number; replica: boolean; readonly: string }>(
      "select extract(epoch from clock_timestamp())::float8 as now, pg_is_in_recovery() as replica, " +
        "current_setting('default_transaction_read_only') as readonly",
    );
    const { now, replica, readonly } = rows[0]!;
    check(
      !replica && readonly !== "on",
      () => `the queue ${shown}: expected a database that can be written, got one that is read-only`,
    );
    checkClock(shown, now * 1000);
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    throw new StriateError(`the queue ${shown}: expected PostgreSQL to answer; ${reasonOf(cause)}`, {
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
