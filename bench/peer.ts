import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** PyTorch in a process of its own that stays up between the rounds of a case. */
export interface Peer {
  readonly version: string;
  /** Seconds of each of `runs` runs, after one warm-up the first time a case is asked for. */
  time(name: string, options: Readonly<Record<string, unknown>>, runs: number): Promise<number[]>;
  close(): void;
}

/** Debian's python3-torch, or undefined with the reason printed. */
export function openPeer(): Peer | undefined {
  const python = process.env.STRIATE_PYTHON ?? "/usr/bin/python3";
  const probe = spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
  if (probe.status !== 0) {
    console.error(
      `No PyTorch peer: ${python} cannot import torch (Debian: apt-get install python3-torch). Ratios are left out.`,
    );
    return undefined;
  }
  const script = fileURLToPath(new URL("./peer.py", import.meta.url));
  const child = spawn(python, [script], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OPENBLAS_CORETYPE: "SKYLAKEX", OMP_NUM_THREADS: "2", OMP_WAIT_POLICY: "PASSIVE" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    version: probe.stdout.trim(),
    time: async (name, options, runs) => {
      child.stdin.write(`${JSON.stringify({ case: name, options, runs })}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`the PyTorch peer ended during "${name}"`);
      return (JSON.parse(line.value) as { seconds: number[] }).seconds;
    },
    close: () => child.stdin.end(),
  };
}
