import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inject, onTestFinished } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/** A folder for temporary folders above which no packages are installed: Node would find them. */
function bareFolder(): string {
  const isBare = (folder: string): boolean =>
    !existsSync(join(folder, "node_modules")) && (dirname(folder) === folder || isBare(dirname(folder)));
  const found = [tmpdir(), "/var/tmp"].find((folder) => existsSync(folder) && isBare(folder));
  if (found === undefined)
    throw new Error("every temporary folder lies below a folder node_modules: set TMPDIR");
  return found;
}

let packing: Promise<string> | undefined;

/** Packs the library as `npm publish` does, once for all test files of a run; gives the path of the archive. */
export function packed(): Promise<string> {
  packing ??= (async () => {
    const archive = join(inject("runFolder"), "striate.tgz");
    if (existsSync(archive)) return archive;
    const folder = await mkdtemp(join(inject("runFolder"), "packing-"));
    const { stdout } = await run(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
      {
        cwd: root,
        maxBuffer: 2 ** 26,
      },
    );
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    // Another file may have packed meanwhile: both archives hold the same.
    await rename(join(folder, filename), archive);
    return archive;
  })();
  return packing;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A user's project without a network: the packed library, its dependencies, and the named packages of this repository. */
export interface Project {
  readonly folder: string;
  /** Runs Node with these arguments in the project; `extra` adds environment variables. */
  readonly node: (
    args: readonly string[],
    extra?: Readonly<Record<string, string>>,
  ) => Promise<{ status: number; out: string; err: string }>;
  /** Writes a file and gives its path. */
  readonly write: (name: string, text: string) => Promise<string>;
}

/** Makes a project whose other packages are links to those of this repository; removed when the running test ends. */
export async function project(packages: readonly string[] = []): Promise<Project> {
  const folder = await mkdtemp(join(bareFolder(), "striate-project-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "striate"), { recursive: true });
  await run("tar", ["-xzf", await packed(), "-C", join(modules, "striate"), "--strip-components=1"]);
  const { dependencies } = JSON.parse(
    await readFile(join(modules, "striate", "package.json"), "utf8"),
  ) as Manifest;
  for (const name of [...Object.keys(dependencies), ...packages]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(modules, name), "junction");
  }
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  await write("package.json", '{ "private": true, "type": "module" }\n');
  return {
    folder,
    write,
    node: async (args, extra = {}) => {
      const env = { ...process.env, NO_COLOR: "1", ...extra };
      const result = await run(process.execPath, args, { cwd: folder, env, maxBuffer: 2 ** 26 }).catch(
        (error: unknown) => error as { stdout: string; stderr: string; code: number },
      );
      return { status: "code" in result ? result.code : 0, out: result.stdout, err: result.stderr };
    },
  };
}
