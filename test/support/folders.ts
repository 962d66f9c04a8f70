import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is removed when the running test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "striate-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A file system of a few KiB, also one that cannot be written, unmounted when the running test ends; undefined where
 * mounting is not allowed.
 */
export async function tinyDisk(
  kibibytes: number,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "striate-disk-"));
  try {
    execFileSync(
      "mount",
      ["-t", "tmpfs", "-o", `size=${kibibytes}k${readOnly ? ",ro" : ""}`, "tmpfs", folder],
      { stdio: "ignore" },
    );
  } catch {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  onTestFinished(async () => {
    execFileSync("umount", ["--lazy", folder]);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}
