import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pc from "picocolors";
import type { Device } from "../runtime/runtime.js";
import { DEVICES } from "../runtime/runtime.js";
import { workerScript } from "../runtime/worker-node.js";
import type { Streams } from "./terminal/streams.js";

/** Time limit, because a driver may hang. */
const PATIENCE_MS = 60_000;

/** Lists every device and whether a small model runs on it. */
export async function printDevices(streams: Streams): Promise<void> {
  for (const [device, problem] of Object.entries(await deviceProblems())) {
    const verdict = problem === null ? pc.green("works") : `${pc.yellow("absent")}  ${pc.dim(problem)}`;
    streams.out.write(`${device.padEnd(8)}${verdict}\n`);
  }
  streams.out.write(`${pc.dim("docs/devices.md says what each device needs")}\n`);
}

/** Runs a small model on every device; gives, for each, why it cannot be used, or null if it can. */
export async function deviceProblems(): Promise<Record<Device, string | null>> {
  const found = await Promise.all(DEVICES.map(async (device) => [device, await problemOf(device)] as const));
  return Object.fromEntries(found) as Record<Device, string | null>;
}

async function problemOf(device: Device): Promise<string | null> {
  const script = fileURLToPath(workerScript("./device-check.js", import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, device], {
      timeout: PATIENCE_MS,
    });
    return stdout.trim() === "" ? null : shorten(stdout);
  } catch (error) {
    const { signal, code } = error as { signal?: string; code?: number };
    return `the process that ran a test model ended (${signal ?? `exit status ${code ?? "unknown"}`})`;
  }
}

/** The first line of a message, without the parts that the command prints itself. */
function shorten(message: string): string {
  return message
    .trim()
    .split("\n")[0]!
    .replace(/^device "\w+" cannot run this model: /, "");
}
