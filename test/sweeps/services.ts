import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A service that a test has started. */
export interface Service {
  readonly url: string;
  readonly port: number;
  /** Ends the service without warning. */
  kill(): Promise<void>;
  /** Starts it again with the same folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function programOf(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

const REDIS = programOf(["redis-server", "valkey-server"]);

/** The folder with PostgreSQL's programs, which Debian keeps out of PATH. */
const POSTGRES = (() => {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const newest = readdirSync(root)
    .sort((a, b) => Number(a) - Number(b))
    .at(-1);
  const folder = join(root, newest ?? "", "bin");
  return existsSync(join(folder, "postgres")) ? folder : undefined;
})();

/** Whether the programs of a service are here; if not, says so once. */
export function hasService(kind: "redis" | "postgres"): boolean {
  const found = (kind === "redis" ? REDIS : POSTGRES) !== undefined;
  if (!found)
    console.log(
      `Tests on ${kind} are skipped: ${kind === "redis" ? "redis-server" : "postgresql"} is not installed.`,
    );
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function answers(port: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const socket = createConnection(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(100);
  }
  throw new Error(`nothing answers on port ${port}`);
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}

/** Starts Redis in a folder of its own. */
export async function startRedis(...settings: string[]): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "striate-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const restart = async (): Promise<void> => {
    child = spawn(
      REDIS!,
      ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...settings],
      {
        stdio: "ignore",
      },
    );
    await answers(port);
  };
  await restart();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    restart,
    kill: () => end(child, "SIGKILL"),
    stop: async () => {
      await end(child, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Starts PostgreSQL in a folder of its own. Its server refuses to run as root, so it then runs as the user postgres. */
export async function startPostgres(): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "striate-postgres-"));
  const port = await freePort();
  const isRoot = userInfo().uid === 0;
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const user = isRoot ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  if (isRoot) await chown(folder, idOf("-u"), idOf("-g"));
  await chmod(folder, 0o700);
  const data = join(folder, "data");
  const how = { ...user, cwd: folder, stdio: "ignore" } as const;
  const environment = { ...process.env, LC_ALL: "C.UTF-8" };
  execFileSync(join(POSTGRES!, "initdb"), ["-D", data, "-U", "tester", "-A", "trust", "--no-sync"], {
    ...how,
    env: environment,
  });
  let child: ChildProcess | undefined;
  const restart = async (): Promise<void> => {
    const settings = [
      "-p",
      String(port),
      "-k",
      folder,
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "fsync=off",
    ];
    child = spawn(join(POSTGRES!, "postgres"), ["-D", data, ...settings], { ...how, env: environment });
    await answers(port);
    // The server takes connections a moment before it answers queries.
    await sleep(500);
  };
  await restart();
  return {
    url: `postgres://tester@127.0.0.1:${port}/postgres`,
    port,
    restart,
    kill: () => end(child, "SIGKILL"),
    stop: async () => {
      await end(child, "SIGINT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
