// Lets a plain Node process import this repository's TypeScript, for tests that need a real second process. What
// `npm run build` has compiled is taken from dist/, because compiling takes seconds.
import { existsSync, readFileSync, statSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL?.endsWith(".ts")) {
    const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
    if (existsSync(url)) return { url: url.href, shortCircuit: true };
  }
  return next(specifier, context);
}

const sources = fileURLToPath(new URL("../../src/", import.meta.url));
const built = fileURLToPath(new URL("../../dist/", import.meta.url));

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const path = fileURLToPath(url);
  return { format: "module", source: compiled(path) ?? (await compile(path)), shortCircuit: true };
}

/** The file that the build made of a source file, unless the source is newer. */
function compiled(path) {
  if (!path.startsWith(sources)) return undefined;
  const output = built + path.slice(sources.length).replace(/\.ts$/, ".js");
  const fresh = existsSync(output) && statSync(output).mtimeMs > statSync(path).mtimeMs;
  return fresh ? readFileSync(output, "utf8") : undefined;
}

async function compile(path) {
  const { default: ts } = await import("typescript");
  return ts.transpileModule(readFileSync(path, "utf8"), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  }).outputText;
}
