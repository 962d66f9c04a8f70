import { StriateError, check } from "../../util/errors.js";

const SCHEMES: Readonly<Record<string, "redis" | "postgres">> = {
  "redis:": "redis",
  "rediss:": "redis",
  "postgres:": "postgres",
  "postgresql:": "postgres",
};

/** The address of a queue. */
export interface QueueAddress {
  readonly kind: "redis" | "postgres";
  readonly url: string;
  /** The address without its password, for messages. */
  readonly shown: string;
}

/** @throws StriateError if the text is no address of Redis or PostgreSQL; the message shows no password */
export function queueAddress(url: string | undefined): QueueAddress {
  check(
    url !== undefined && url !== "",
    () =>
      "the queue: expected an address such as redis://host:6379 or postgres://user@host/database, got none; give --queue or set STRIATE_QUEUE",
  );
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new StriateError(
      "the queue: expected an address such as redis://host:6379 or postgres://user@host/database, got a text that is none",
    );
  }
  const kind = SCHEMES[parsed.protocol];
  check(
    kind !== undefined,
    () => `the queue: expected an address with redis: or postgres:, got one with ${parsed.protocol}`,
  );
  if (parsed.password !== "") parsed.password = "***";
  for (const name of parsed.searchParams.keys())
    if (name.toLowerCase().includes("password")) parsed.searchParams.set(name, "***");
  return { kind, url, shown: parsed.href };
}

/** Largest difference between the clocks of this machine and of the service in seconds. */
const CLOCKS = 60;

/**
 * Throws {@link StriateError} if the clocks of this machine and of the service differ by more than a minute: when a cell
 * is due is decided by both.
 *
 * @param milliseconds the time of the service
 */
export function checkClock(shown: string, milliseconds: number, now = Date.now()): void {
  const seconds = Math.abs(now - milliseconds) / 1000;
  check(
    seconds <= CLOCKS,
    () =>
      `the queue ${shown}: expected a clock within ${CLOCKS} s of the one of this machine, got a difference of ` +
      `${Math.round(seconds)} s; set the clocks by a time service`,
  );
}

/** The reason of a failed connection in words that show no address. */
export function reasonOf(cause: unknown): string {
  const error = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split("\n")[0]!.replace(/\.$/, "");
}
