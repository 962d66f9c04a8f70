import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import {
  allSnippets,
  compileErrors,
  examplesOfSources,
  pages,
  readPage,
} from "../../scripts/docs/snippets.js";
import { temporaryFolder } from "../support/folders.js";

const root = new URL("../../", import.meta.url);
const runner = fileURLToPath(new URL("../support/run-snippets.mjs", import.meta.url));
const snippets = allSnippets();

/** A snippet as a module whose imports of "striate" lead to what the package's exports name. */
function moduleOf(code: string): string {
  const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    exports: Record<string, { default: string }>;
  };
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return outputText.replaceAll(
    /from "striate(\/\w+)?"/g,
    (_, entry: string | undefined) => `from "${new URL(exports[`.${entry ?? ""}`]!.default, root).href}"`,
  );
}

describe("snippets of the pages and of doc comments", () => {
  it("compile, and a wrong one among them is noticed at its place", () => {
    expect(snippets.length).toBeGreaterThan(60);
    const wrong = { place: "page.md:3", code: 'import { nothing } from "striate";\n', prints: undefined };
    expect(compileErrors([...snippets, wrong])).toEqual([
      expect.stringMatching(/^page\.md:3: .*no exported member 'nothing'/),
    ]);
  });

  it("print what they say", async () => {
    const printing = snippets.filter(({ prints }) => prints !== undefined);
    const folder = await temporaryFolder();
    const files = await Promise.all(
      printing.map(async ({ code }, i) => {
        const file = join(folder, `snippet-${i}.mjs`);
        await writeFile(file, moduleOf(code));
        return file;
      }),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [runner, ...files], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    });
    const results = JSON.parse(stdout) as { lines: string[]; error?: string }[];
    const told = printing.map(({ place, prints }) => ({ place, lines: prints }));
    expect(printing.map(({ place }, i) => ({ place, ...results[i] }))).toEqual(told);
  });

  it("stand at the front door: at least forty exports have an example", () => {
    expect(examplesOfSources().length).toBeGreaterThanOrEqual(40);
  });

  it.each(pages())("%s has its TypeScript in fences, where it is checked", (page) => {
    const text = readPage(page).replaceAll(/^ *```[^]*?^ *```/gm, "");
    expect(text.match(/^ {4}(import|const|await) .*/gm)).toBeNull();
  });
});
