import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { root } from "../bootstrap.mjs";

/** A TypeScript snippet in a page or a doc comment. */
export interface Snippet {
  /** Place of its first line, as file and line: "docs/drawing.md:7". */
  readonly place: string;
  /** The code as a module: the visible code, after the declarations in the hidden comment before it. */
  readonly code: string;
  /** The lines that the code prints, according to its comments; undefined if the snippet is only compiled. */
  readonly prints: readonly string[] | undefined;
}

/** The pages with snippets to check: README.md, CONTRIBUTING.md and every page of docs/. */
export function pages(): string[] {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];
}

export const readPage = (page: string): string => readFileSync(join(root, page), "utf8");

/**
 * The snippets of a page: blocks fenced by "```ts". A hidden comment `<!-- given: ... -->` before a block declares
 * names that the block uses; `<!-- continues -->` appends a block to the previous one, so that both are one module. A
 * block fenced by "```text" directly after a snippet is its output.
 */
export function snippetsOf(page: string, text: string): Snippet[] {
  const found: { line: number; code: string; output: string | undefined }[] = [];
  const blocks =
    /(?:<!-- (given:\n(?<given>[^]*?)|(?<continues>continues) )-->\n\n?)?```ts\n(?<code>[^]*?)```(?:\n\n```text\n(?<output>[^]*?)```)?/g;
  for (const { groups, index } of text.matchAll(blocks)) {
    const code = groups!.code!;
    const last = found.at(-1);
    if (groups!.continues !== undefined) {
      if (last === undefined) throw new Error(`${page}: the first snippet has no previous one to continue`);
      last.code += code;
    } else {
      const line = text.slice(0, text.indexOf("```ts\n", index)).split("\n").length + 1;
      found.push({ line, code: `${groups!.given ?? ""}${code}`, output: groups!.output });
    }
  }
  return found.map(({ line, code, output }) => ({
    place: `${page}:${line}`,
    code,
    prints: output?.trimEnd().split("\n") ?? printed(code),
  }));
}

/** The snippets of the `@example` tags in the sources under src/. */
export function examplesOfSources(): Snippet[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const file = posix.join("src", name.replaceAll("\\", "/"));
      const text = readPage(file);
      return Array.from(text.matchAll(/\* @example\n(?<body>(?:\s*\*(?!\/).*\n)+)/g), ({ groups, index }) => {
        const body = groups!.body!.replaceAll(/^\s*\* ?/gm, "");
        const code = /```ts\n([^]*?)```/.exec(body)?.[1];
        const place = `${file}:${text.slice(0, index).split("\n").length + 2}`;
        if (code === undefined) throw new Error(`${place}: an @example needs a block fenced by "\`\`\`ts"`);
        return { place, code, prints: printed(code) };
      });
    });
}

/** The output according to the comments after `console.log(...);`, if there is one. */
function printed(code: string): string[] | undefined {
  const lines = Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), (match) => match[1]!);
  return lines.length === 0 ? undefined : lines;
}

/** All snippets of the pages and the sources. */
export function allSnippets(): Snippet[] {
  return [...pages().flatMap((page) => snippetsOf(page, readPage(page))), ...examplesOfSources()];
}

/**
 * The compiler's errors for the snippets, compiled against `dist/` with the same rules as the examples of the
 * repository.
 */
export function compileErrors(snippets: readonly Snippet[] = allSnippets()): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const parsed = ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;
  // A snippet may leave names unused, because the reader's code may use them later.
  const options = { ...parsed, noUnusedLocals: false, noUnusedParameters: false, noEmit: true };
  // The files are placed beside the package's own, so that "striate" resolves to this package.
  const sources = new Map(
    snippets.map(({ code }, i) => [join(root, "docs", `snippet-${i}.ts`), `${code}\nexport {};\n`]),
  );
  const host = ts.createCompilerHost(options);
  const [exists, read] = [host.fileExists.bind(host), host.readFile.bind(host)];
  host.fileExists = (path) => sources.has(path) || exists(path);
  host.readFile = (path) => sources.get(path) ?? read(path);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, language, ...rest) => {
    const source = sources.get(path);
    return source === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, source, language);
  };
  const names = [...sources.keys()];
  const program = ts.createProgram(names, options, host);
  return names.flatMap((name, i) => {
    const file = program.getSourceFile(name)!;
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) => {
        const { line } = file.getLineAndCharacterOfPosition(start);
        const shown = sources.get(name)!.split("\n")[line]!.trim();
        return `${snippets[i]!.place}: ${ts.flattenDiagnosticMessageText(messageText, " ")} (in "${shown}")`;
      },
    );
  });
}
