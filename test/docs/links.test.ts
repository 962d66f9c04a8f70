import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src/", import.meta.url));

/** Comments and strings do not count, so that only code that uses the name remains. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");

// The reference finds these, too, but takes a minute.
it("links in doc comments are on one line, and links to StriateError are in files that use it", async () => {
  const names = await readdir(source, { recursive: true });
  const wrong: string[] = [];
  for (const file of names.filter((name) => name.endsWith(".ts"))) {
    const text = await readFile(join(source, file), "utf8");
    const isAbsent = text.includes("{@link StriateError}") && !/\bStriateError\b/.test(codeOf(text));
    if (isAbsent || /\{@link\s*$/m.test(text)) wrong.push(file);
  }
  expect(wrong).toEqual([]);
});
