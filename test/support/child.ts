import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const hooks = new URL("./typescript-hooks.mjs", import.meta.url);

export interface Child {
  readonly pid: number;
  /** The next line of standard output; undefined when the process ended. */
  nextLine(): Promise<string | undefined>;
  /** Kills without warning and waits until the process is gone. */
  kill(): Promise<void>;
  /** Waits for the end; gives the exit status and all of standard error. */
  ended(): Promise<{ status: number | null; signal: NodeJS.Signals | null; errors: string }>;
}

/** Runs a TypeScript file of this repository in a process of its own, in the folder `cwd`. Another `user` needs root. */
export function runTypescript(
  script: URL,
  args: readonly string[],
  { user, cwd }: { readonly user?: number; readonly cwd?: string | undefined } = {},
): Child {
  const identity = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn(process.execPath, ["--import", hooks.href, script.pathname, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd,
    ...identity,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const closed = once(child, "close");
  return {
    pid: child.pid ?? -1,
    async nextLine() {
      const result = await lines.next();
      return result.done === true ? undefined : result.value;
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    async ended() {
      await closed;
      return { status: child.exitCode, signal: child.signalCode, errors };
    },
  };
}
