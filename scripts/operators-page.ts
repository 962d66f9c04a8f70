import { readFileSync, readdirSync } from "node:fs";
import fc from "fast-check";
import { format, resolveConfig } from "prettier";
import { input, topologicalOrder } from "../src/graph/index.js";
import { operatorOf } from "../src/graph/operator.js";
import type { Target } from "../src/graph/operator.js";
import type { Support } from "../src/graph/onnx/support.js";
import {
  NEWEST_OPSET,
  REASONS,
  RUNTIME_DOMAIN,
  RUNTIME_OPERATORS,
} from "../src/graph/onnx/standard-operators.js";
import { operatorSupport, otherDomainSupport } from "../src/graph/onnx/support.js";
import { OPERATORS } from "../test/graph/operators/tables.js";

/* Generates the page docs/operators.md from the tables of the code. */

const root = new URL("../", import.meta.url);
export const PAGE = new URL("docs/operators.md", root);

const GRADIENT: Readonly<Record<NonNullable<Support["gradient"]>, string>> = {
  rule: "yes",
  zero: "zero",
  refused: "clear error",
};

/** Test files by path; tables of operators come first. */
function testFiles(): readonly (readonly [path: string, text: string])[] {
  return ["test/graph/operators", "test/graph", "test/graph/onnx"].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter(
        (name) => name.endsWith(".ts") && (folder !== "test/graph/operators" || name.startsWith("table-")),
      )
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

const TARGETS: readonly Target[] = ["cpu", "cuda", "wasm", "webgpu", "portable"];

/** For each operator, the targets on which some calls of the gradient tests are lowered to other operators. */
function loweredTargets(): ReadonlyMap<string, ReadonlySet<Target>> {
  const found = new Map<string, Set<Target>>();
  for (const entry of Object.values(OPERATORS)) {
    if ("reason" in entry) continue;
    for (const { inputs, build } of fc.sample(entry.cases, { numRuns: 10, seed: 1 })) {
      const result = build(...inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype)));
      for (const { type, inputs: operands, attributes, outputs } of topologicalOrder([result])) {
        const call = { type, inputs: operands, attributes, outputCount: outputs.length };
        for (const target of TARGETS)
          for (const isFixed of [() => false, () => true])
            if (operatorOf(type)?.lower?.(call, target, { isFixed }) !== undefined)
              found.set(type, (found.get(type) ?? new Set()).add(target));
      }
    }
  }
  return found;
}

function written({ name, read, isLowered }: Support, lowered: ReturnType<typeof loweredTargets>): string {
  if (read === "decomposed") return "other operators";
  if (read === "converted") return "input, constant or other operators";
  if (!isLowered) return "itself";
  const targets = TARGETS.filter((target) => lowered.get(name)?.has(target));
  if (targets.length === TARGETS.length) return "itself, some forms as others";
  return targets.length === 0
    ? "itself, some types or sizes as others"
    : `itself, some as others on ${targets.join(", ")}`;
}

/** The whole page, formatted like the rest of the repository. */
export async function operatorsPage(): Promise<string> {
  const files = testFiles();
  const all = operatorSupport();
  const lowered = loweredTargets();
  const rows = all
    .filter(({ read }) => read !== "refused")
    .map(
      (one) =>
        `| ${one.name} | ${one.since === NEWEST_OPSET ? one.since : `${one.since}-${NEWEST_OPSET}`} | ${one.gradient ? GRADIENT[one.gradient] : ""} | ${written(one, lowered)} | ${testOf(one.name, files)} |`,
    );
  const others = otherDomainSupport().map(({ name, gradient }) => {
    const [domain, type] = name.split("::") as [string, string];
    return `| ${type} | ${domain} | ${gradient ? GRADIENT[gradient] : ""} |`;
  });
  const refused = [
    ...all.flatMap(({ read, name }) => (read === "refused" ? [name] : [])),
    ...Object.keys(REASONS).filter((name) => name.includes("::")),
  ].map((name) => `| ${name.replace("::", ".")} | ${REASONS[name] ?? ""} |`);
  const text = `# Operators of ONNX that Striate reads

Made by \`npm run docs:operators\` from the tables of the code; do not edit.

**Opsets**: the versions of ONNX in which Striate reads the operator, beginning with the version that introduced it. **Gradient**:
"yes" if the operator has a gradient, although some of its forms may give one clear error instead; "zero" if nothing can be learned
through the operator; "clear error" if none of its forms has a gradient.

**Written as**: what Striate writes for the operator when it lowers a graph for a target (cpu, cuda, wasm, webgpu, portable). This
is the operator itself; or other operators, which replace it when it is read; or the operator itself except for some forms, which
become other operators on the named targets (on all targets if none is named). We found the targets by lowering ten random small
calls from each operator's test. "Some types or sizes" marks operators that are replaced only in cases that those ten calls do not
cover, such as large convolutions ([engine.md](engine.md)).

| operator | opsets | gradient | written as | test |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

## If, Loop, Scan and sequences

Striate reads these operators as the nodes that they stand for, so their gradients are those of ordinary nodes.

| operator | what it becomes |
| --- | --- |
| If with a condition that is known when the file is read | the nodes of the selected branch |
| If with a condition that depends on an input | the nodes of both branches, and Where, which selects the results. Each result must have the same type and shape in both branches. The branch that is not selected reads 1 in place of floating-point numbers from outside (except parameters and constants), and no gradient leaves it. An operator that fails on its operands, such as Gather with an index that is too large, fails in either branch |
| Loop with a known number of iterations | the nodes of its body for each iteration |
| Loop with a condition that depends on an input | the nodes of its body for each of the iterations that it may have, at most 256; iterations after its end change nothing |
| Loop whose largest number of iterations depends on an input | one error; \`inputValues\` can give that input a fixed value |
| Scan, SequenceMap | the nodes of the body for each element of a known length |
| sequence, optional value | the tensors in it. A sequence that is an input or an output \`s\` becomes the inputs or outputs \`s_0\`, \`s_1\` and so on; \`inputShapes\` must give the shapes of inputs. An optional input is read as present |

## Operators of the standard's other domains

Striate reads these operators as other operators, which have the same values.

| operator | domain | gradient |
| --- | --- | --- |
${others.join("\n")}

## Operators that Striate refuses

Each of these operators gives one error, which names the node and the reason.

| operator | reason |
| --- | --- |
${refused.join("\n")}

Striate reads a few operators of the domain ${RUNTIME_DOMAIN}, which ONNX Runtime's quantiser writes: ${[...RUNTIME_OPERATORS].join(", ")}. It also reads
the functions that a file defines, and refuses every operator of another domain.
`;
  const config = await resolveConfig(PAGE);
  return format(text, { ...config, parser: "markdown" });
}
