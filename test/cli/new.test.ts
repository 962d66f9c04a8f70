import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "vite";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { TEMPLATES } from "../../src/cli/new/templates.js";
import { needsChromium, openPage, serveFolder } from "../browser/chromium.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const own = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
  version: string;
  devDependencies: Record<string, string>;
};

async function striate(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

/** A project from a template with all packages that this repository has, and the library as it was built here. */
async function project(template: keyof typeof TEMPLATES): Promise<string> {
  const folder = join(await temporaryFolder(), template);
  expect((await striate("new", template, "--out", folder)).status).toBe(0);
  const packages = join(folder, "node_modules");
  await mkdir(packages);
  for (const name of await readdir(join(root, "node_modules")))
    await symlink(join(root, "node_modules", name), join(packages, name));
  await symlink(root, join(packages, "striate"));
  return folder;
}

const bin = (name: string): string => join(root, "node_modules", ".bin", name);

describe("striate new", () => {
  it.each(Object.keys(TEMPLATES))(
    "writes the files of %s, for this version, with packages that it was tested with",
    async (name) => {
      const folder = join(await temporaryFolder(), "my project");
      const { status, out, err } = await striate("new", name, "--out", folder);
      expect(status).toBe(0);
      expect(out).toMatch(/^ {2}cd '.*my project'\n {2}npm install\n {2}npm /);
      const files = (await readdir(folder)).sort();
      expect(err).toContain(files.join(", "));
      expect(files).toContain("README.md");
      const { dependencies, devDependencies = {} } = JSON.parse(
        await readFile(join(folder, "package.json"), "utf8"),
      ) as { dependencies: Record<string, string>; devDependencies?: Record<string, string> };
      const { striate: version, ...others } = dependencies;
      expect(version).toBe(`^${own.version}`);
      const major = (range: string | undefined) => /\d+/.exec(range ?? "")?.[0];
      for (const [one, range] of Object.entries({ ...others, ...devDependencies }))
        expect(major(range), one).toBe(major(own.devDependencies[one]));
    },
  );

  it("refuses unknown templates and folders with files", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    const taken = await striate("new", "node", "--out", folder);
    expect(taken.status).not.toBe(0);
    expect(taken.err).toContain("expected a new or an empty folder, got one with notes.txt");
    expect(await readdir(folder)).toEqual(["notes.txt"]);
    const unknown = await striate("new", "pages");
    expect(unknown.err).toContain(
      'unknown template "pages": expected one of page, node, images, system (did you mean page?)',
    );
  });
});

describe("a project", () => {
  it("system: type-checks, and passes its own tests: gradients and a little training", async () => {
    const folder = await project("system");
    await run(bin("tsc"), [], { cwd: folder });
    const { stdout } = await run(bin("tsx"), ["--test", "stuart-landau.test.ts"], { cwd: folder });
    expect(stdout).toMatch(/pass 2\n.*fail 0/);
  });

  it("node: type-checks, trains, and exports a network", async () => {
    const folder = await project("node");
    await run(bin("tsc"), [], { cwd: folder });
    const { stdout } = await run(bin("tsx"), ["train.ts", "320"], { cwd: folder });
    expect(stdout).toMatch(/[\d.]+ % of 256 new pairs of digits right/);
    expect(existsSync(join(folder, "komplexnet.onnx"))).toBe(true);
  });

  it("images: draws pictures and trains on them by its recipe", async () => {
    const folder = await project("images");
    await run(process.execPath, ["draw-images.mjs"], { cwd: folder });
    const main = join(root, "dist/cli/main.js");
    const args = [main, "train", "--config", "train.toml", "--epochs", "1", "--out", "run"];
    await run(process.execPath, args, { cwd: folder });
    for (const file of ["report.html", "model.onnx", "results.json"])
      expect(existsSync(join(folder, "run", file)), file).toBe(true);
  });

  it("page: type-checks, builds, and trains in the tab", async (context) => {
    needsChromium(context);
    const folder = await project("page");
    await run(bin("tsc"), [], { cwd: folder });
    await build({ root: folder, logLevel: "error", base: "./" });
    const { page, problems } = await openPage(await serveFolder(join(folder, "dist")));
    const loss = () => page.evaluate<string | undefined>("document.body.dataset.loss").then(Number);
    await page.waitForFunction("document.body.dataset.loss !== undefined");
    const first = await loss();
    await page.waitForFunction(`Number(document.body.dataset.loss) < ${0.9 * first}`);
    await page.click("button");
    await page.waitForSelector("a:not([hidden])");
    expect(problems).toEqual([]);
  });
});
