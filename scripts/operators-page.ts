import { readFileSync, readdirSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import type { Support } from "../src/graph/onnx/support.js";
import { operatorSupport } from "../src/graph/onnx/support.js";

/* The page docs/operators.md, from the tables of the code. */

const root = new URL("../", import.meta.url);
export const PAGE = new URL("docs/operators.md", root);

const GRADIENT: Readonly<Record<NonNullable<Support["gradient"]>, string>> = {
  rule: "yes",
  zero: "zero",
  refused: "clear error",
};

/** Files of tests by path, tables of operators first. */
function testFiles(): readonly (readonly [path: string, text: string])[] {
  return ["test/graph/operators", "test/graph"].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter((name) => name.endsWith(".ts") && (folder === "test/graph" || name.startsWith("table-")))
      .sort()
      .map((name) => {
        const path = `${folder}/${name}`;
        return [path, readFileSync(new URL(path, root), "utf8")] as const;
      }),
  );
}

function testOf(name: string, files: ReturnType<typeof testFiles>): string {
  const row = new RegExp(`^  ${name}: (?!\\{ reason)|"${name}"`, "m");
  const found = files.find(([, text]) => row.test(text))?.[0];
  return found === undefined ? "" : `[${found.replace(/^test\/graph\//, "")}](../${found})`;
}

function written({ read, isLowered }: Support): string {
  if (read === "decomposed") return "other operators";
  if (read === "converted") return "input, constant or other operators";
  return isLowered ? "itself, or other operators where the target or the type is better off" : "itself";
}

/** The whole page, formatted as the repository is. */
export async function operatorsPage(): Promise<string> {
  const files = testFiles();
  const all = operatorSupport();
  const rows = all
    .filter(({ read }) => read !== "refused")
    .map(
      (one) =>
        `| ${one.name} | ${one.gradient ? GRADIENT[one.gradient] : ""} | ${written(one)} | ${testOf(one.name, files)} |`,
    );
  const refused = all.flatMap(({ read, name }) => (read === "refused" ? [name] : []));
  const text = `# Operators: what of ONNX is read

Made by \`npm run docs:operators\` from the tables of the code; do not edit.

Files of opsets 1 to 26 are read, in every form that an operator had in them. **Gradient**: "yes", also if it is one clear
error for some forms; "zero" if nothing can be learned through the operator; "clear error" if no form has one. **Written**:
what stands in the graph for it, before and after it is lowered for a target (cpu, cuda, wasm, webgpu, portable).

| operator | gradient | written as | test |
| --- | --- | --- | --- |
${rows.join("\n")}

Refused, each with one error that names the node: ${refused.join(", ")}. So is every operator of another domain.
`;
  const config = await resolveConfig(PAGE);
  return format(text, { ...config, parser: "markdown" });
}
