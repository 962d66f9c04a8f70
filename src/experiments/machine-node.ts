import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import type { ExperimentOptions } from "./experiment.js";

/** One thread a cell on the CPU: cells side by side use cores better than threads inside small operators. */
export function sharesOf(
  { device, threads }: Pick<ExperimentOptions, "device" | "threads">,
  cells: number,
): { parallel: number; threads: number } {
  const cores = threads ?? availableParallelism();
  if (device !== "cpu") return { parallel: 1, threads: cores };
  const parallel = Math.max(1, Math.min(cells, cores));
  return { parallel, threads: Math.max(1, Math.floor(cores / parallel)) };
}

/** "AMD EPYC ..., 2 cores, 8 GiB". */
export function machine(): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${processor}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

/** Versions of what decides the numbers of a run. */
export function versions(): Record<string, string> {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version, dependencies } = JSON.parse(text) as {
    version: string;
    dependencies: Record<string, string>;
  };
  const runtime = dependencies["onnxruntime-node"] ?? "unknown";
  return { striate: version, node: process.version, "onnxruntime-node": runtime.replace(/^[^\d]*/, "") };
}
