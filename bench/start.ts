import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Seconds from the start of the (built) main job to its first training step, including imports, data,
 * tracing, gradients and sessions.
 */
export async function secondsToFirstStep(): Promise<number> {
  const out = await mkdtemp(join(tmpdir(), "striate-bench-"));
  const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, [
    program,
    "run",
    "overlapping-digits",
    "--scale",
    "laptop",
    "--out",
    join(out, "run"),
  ]);
  const closed = new Promise((resolve) => child.once("close", resolve));
  let text = "";
  const seconds = await new Promise<number>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("step 1/")) resolve((performance.now() - started) / 1000);
    });
    child.once("close", () => {
      reject(new Error(`the main job ended before its first step: ${text}`));
    });
  });
  child.kill("SIGKILL");
  await closed;
  await rm(out, { recursive: true, force: true });
  return seconds;
}
