import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";

const root = new URL("../../", import.meta.url);
const pages = [
  "README.md",
  "docs/komplexnet.md",
  "docs/drawing.md",
  "docs/architecture.md",
  "docs/robustness.md",
  "docs/engine.md",
  "docs/steppers.md",
  "docs/devices.md",
  "docs/operators.md",
  "CHANGELOG.md",
];
const read = (page: string): string => readFileSync(new URL(page, root), "utf8");

/** The first TypeScript example of a page, its imports pointed at the sources that package.json's exports name. */
function example(page: string): string {
  const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, { default: string }> };
  const code = /```ts\n([^]*?)```/.exec(read(page))?.[1];
  if (code === undefined) throw new Error(`${page} has no TypeScript example`);
  return code.replaceAll(/from "striate(\/\w+)?"/g, (_, entry: string | undefined) => {
    const target = exports[`.${entry ?? ""}`]?.default;
    if (target === undefined) throw new Error(`${page} imports striate${entry ?? ""}, which is no export`);
    return `from "${new URL(target.replace("/dist/", "/src/").replace(/\.js$/, ".ts"), root).href}"`;
  });
}

describe("documentation", () => {
  it("has an example in the README that does what it says", async () => {
    const path = join(await temporaryFolder(), "example.ts");
    await writeFile(path, example("README.md"));
    const child = runTypescript(pathToFileURL(path), []);
    const line = await child.nextLine();
    expect(await child.ended()).toMatchObject({ status: 0, errors: "" });
    expect(line).toBe("1.000, -2.000, 3.000");
  });

  it("has an example in the page on drawing that does what it says", async () => {
    const path = join(await temporaryFolder(), "example.ts");
    await writeFile(path, example("docs/drawing.md"));
    const child = runTypescript(pathToFileURL(path), []);
    const line = await child.nextLine();
    expect(await child.ended()).toMatchObject({ status: 0, errors: "" });
    expect(line).toBe("256 256 true");
  });

  it.each(pages)("%s links to files that exist", (page) => {
    const links = Array.from(
      read(page).matchAll(/(?<!!)\[[^\]]*\]\((?!https?:|#)([^)#]+)[^)]*\)/g),
      (match) => match[1]!,
    );
    const missing = links.filter((link) => !existsSync(new URL(link, new URL(page, root))));
    expect(missing).toEqual([]);
  });
});
