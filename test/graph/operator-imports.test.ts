import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../src/", import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter(
    (name) => name.endsWith(".ts") && !name.endsWith("-node.ts") && !/^(cli|experiments|report)\//.test(name),
  )
  .map((name) => join(root, name));
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));

/** Files whose values a file imports. Types vanish, and a barrel hands on what is asked for alone. */
function imported(file: string): string[] {
  if (file.endsWith("graph/index.ts")) return [];
  const text = texts.get(file) ?? "";
  return [...text.matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?"(\.[^"]+)\.js"/gms)].map(
    ([, path]) => `${join(dirname(file), path!)}.ts`,
  );
}

function reachable(file: string): Set<string> {
  const found = new Set([file]);
  for (const next of found) for (const path of imported(next)) found.add(path);
  return found;
}

/** Where each operator is defined: `type: "NAME"`, `unary("NAME"` and its like, or a loop over a list of names. */
const DEFINITION =
  /(?:type: |\bof \[(?:"\w+", )*|\b(?!apply(?:Single)?\b)\w+\(\s*)"((?:[\w.]+::)?[A-Z]\w+)"/g;

function homes(): Map<string, string> {
  const found = new Map<string, string>();
  // Quantised calls name the operators that they stand for: the definition that is found first counts.
  const last = ([file]: readonly [string, string]) => Number(file.includes("/quantisation/"));
  for (const [file, text] of [...texts].sort((a, b) => last(a) - last(b))) {
    if (!/graph\/(operators|convolution|quantisation)\//.test(file)) continue;
    for (const [whole, type] of text.matchAll(DEFINITION)) {
      for (const name of [type!, ...Array.from(whole.matchAll(/"(\w+)"/g), ([, other]) => other!)])
        if (!found.has(name)) found.set(name, file);
    }
  }
  return found;
}

/*
 * A bundler keeps a module that is reached by an import, and drops one that only the barrel of the room names. So whoever
 * calls an operator by its name has to reach the file that defines it, unless it is one that every graph brings along.
 */
it("every operator that is called by name is defined in a file that is imported with its caller", () => {
  const known = homes();
  const core = reachable(join(root, "graph/core-operators.ts"));
  const all = reachable(join(root, "graph/all-operators.ts"));
  const lost = [...texts].flatMap(([file, text]) => {
    const names = [...text.matchAll(/\bapply(?:Single)?\(\s*"((?:[\w.]+::)?\w+)"/g)].map(([, type]) => type!);
    // Reading a file loads them all.
    const near = file.includes("graph/onnx/") ? all : reachable(file);
    return [...new Set(names)]
      .filter((type) => ![near, core].some((files) => files.has(known.get(type) ?? "")))
      .map(
        (type) =>
          `${relative(root, file)} calls ${type}, defined in ${relative(root, known.get(type) ?? "nowhere")}`,
      );
  });
  expect(known.size).toBeGreaterThan(100);
  expect(lost).toEqual([]);
});

it("package.json says of the core operators that importing them does something, and of no others", () => {
  const core = join(root, "graph/core-operators.ts");
  const names = [core, ...imported(core)].map(
    (file) => `./dist/${relative(root, file).replace(/ts$/, "js")}`,
  );
  const { sideEffects } = JSON.parse(readFileSync(join(root, "../package.json"), "utf8")) as {
    sideEffects: string[];
  };
  expect(sideEffects.filter((name) => name.startsWith("./dist/graph/"))).toEqual(names);
});

it("the index of the operators reaches every file that defines one, so that reading a file loads them all", () => {
  const all = reachable(join(root, "graph/all-operators.ts"));
  expect([...homes()].filter(([, file]) => !all.has(file))).toEqual([]);
  // A file that is imported for nothing by name is one that bundlers drop.
  expect(readFileSync(join(root, "graph/all-operators.ts"), "utf8")).not.toMatch(/^import /m);
});
