import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder for what the test files of one run share; removed after the run. */
    readonly runFolder: string;
  }
}

/** Vitest calls this function before all test files, and what it returns after them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "striate-tests-"));
  project.provide("runFolder", folder);
  return () => rm(folder, { recursive: true, force: true });
}
