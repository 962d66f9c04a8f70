import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Another implementation in a process of its own that stays up between the rounds of a case. */
export interface Peer {
  readonly version: string;
  /**
   * Returns the seconds that each of `runs` runs took. Before the first runs of a case there is a warm-up
   * run.
   */
  time(name: string, options: Readonly<Record<string, unknown>>, runs: number): Promise<number[]>;
  close(): void;
}

/** The other side of a comparison: a Python module and the script that uses it. */
interface PeerKind {
  readonly title: string;
  readonly module: string;
  readonly script: string;
  readonly install: string;
}

const KINDS = {
  torch: { title: "PyTorch", module: "torch", script: "./peer.py", install: "python3-torch" },
  scipy: { title: "SciPy", module: "scipy", script: "./scipy_peer.py", install: "python3-scipy" },
} as const satisfies Record<string, PeerKind>;

export type PeerName = keyof typeof KINDS;

/** Finds a Python that has the module: STRIATE_PYTHON, Debian's, or the first on the path. */
function pythonWith(module: string): { python: string; version: string } | undefined {
  for (const python of [process.env.STRIATE_PYTHON, "/usr/bin/python3", "python3"]) {
    if (python === undefined) continue;
    const probe = spawnSync(python, ["-c", `import ${module}; print(${module}.__version__)`], {
      encoding: "utf8",
    });
    if (probe.status === 0) return { python, version: probe.stdout.trim() };
  }
  return undefined;
}

/** Opens a peer. If that is not possible, prints the reason and returns undefined. */
export function openPeer(name: PeerName = "torch"): Peer | undefined {
  const kind = KINDS[name];
  const found = pythonWith(kind.module);
  if (found === undefined) {
    console.error(
      `No ${kind.title} peer: no python3 can import ${kind.module} (Debian: apt-get install ${kind.install}). Ratios are left out.`,
    );
    return undefined;
  }
  const script = fileURLToPath(new URL(kind.script, import.meta.url));
  const child = spawn(found.python, [script], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OPENBLAS_CORETYPE: "SKYLAKEX", OMP_NUM_THREADS: "2", OMP_WAIT_POLICY: "PASSIVE" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    version: `${kind.title} ${found.version}`,
    time: async (name, options, runs) => {
      child.stdin.write(`${JSON.stringify({ case: name, options, runs })}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`the ${kind.title} peer ended during "${name}"`);
      return (JSON.parse(line.value) as { seconds: number[] }).seconds;
    },
    close: () => child.stdin.end(),
  };
}
