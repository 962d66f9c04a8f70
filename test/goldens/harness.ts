import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { TensorData } from "../../src/graph/index.js";
import { StriateError, check } from "../../src/util/errors.js";
import type { Comparison, Tolerance } from "./compare.js";
import { badness, compare, show } from "./compare.js";
import type { Evaluate } from "./evaluate.js";
import { evaluator } from "./evaluate.js";
import type { GoldenCase } from "./golden-case.js";
import { labelOf, readGolden, readIndex } from "./golden-case.js";

/** Values that our code computed, by the names that the file uses for them. */
export type Results = ReadonlyMap<string, TensorData>;

/** A way to compute cases: chosen by what a case holds, never by what its file is called. */
export interface GoldenKind {
  readonly name: string;
  /** Takes long: not run again without ONNX Runtime's optimisation. */
  readonly slow?: boolean;
  matches(golden: GoldenCase): boolean;
  /** Computes everything the case asks for. */
  run(golden: GoldenCase, evaluate: Evaluate): Promise<Results>;
  /** Whether a tensor beside output.* and grad* has to be compared too. Default: none. */
  compares?(name: string): boolean;
  /** Compares one tensor in the case's own way (shares of values, counts); undefined: element by element. */
  judge?(golden: GoldenCase, name: string, expected: TensorData, results: Results): Comparison | undefined;
  /** For files without tensors: what is wrong, and how many things were looked at. Replaces the comparison. */
  verify?(golden: GoldenCase, evaluate: Evaluate): Promise<Verdict>;
}

export interface Verdict {
  readonly failures: readonly string[];
  readonly compared: number;
}

export interface GoldenSystem {
  readonly name: string;
  readonly kinds: readonly GoldenKind[];
  tolerance(golden: GoldenCase, tensor: string): Tolerance | undefined;
}

export interface CaseReport {
  readonly file: string;
  readonly kind: string;
  readonly failures: readonly string[];
  /** The comparison that came closest to its tolerance, or went furthest beyond. */
  readonly worst: Comparison | undefined;
  readonly compared: number;
}

export interface RunOptions {
  /** Only systems of this name; one without implementation is then an error. */
  readonly system?: string | undefined;
  /** Only cases whose kind or file matches: part of it, or a pattern with *. */
  readonly kind?: string | undefined;
  readonly evaluate?: Evaluate;
  readonly print?: (line: string) => void;
}

/** Computes one case and compares every output and gradient in it. Never throws for a case that cannot be computed. */
export async function runCase(
  golden: GoldenCase,
  system: GoldenSystem,
  evaluate: Evaluate = evaluator(),
): Promise<CaseReport> {
  const [kind, ...more] = kindsOf(golden, system);
  const report = { file: golden.file, kind: kind?.name ?? "unknown", worst: undefined, compared: 0 };
  if (kind === undefined) {
    const names = [...golden.tensors.keys()].slice(0, 4).join(", ");
    return { ...report, failures: [`unknown kind: ${labelOf(golden)} (${names}, ...)`] };
  }
  if (more.length > 0) {
    const names = [kind, ...more].map(({ name }) => name).join(", ");
    return { ...report, failures: [`fits several kinds: ${names}`] };
  }
  let results: Results;
  try {
    if (kind.verify) return { ...report, ...(await kind.verify(golden, evaluate)) };
    results = await kind.run(golden, evaluate);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const stack = error instanceof StriateError || !(error instanceof Error) ? "" : `\n${error.stack ?? ""}`;
    return { ...report, failures: [message + stack] };
  }
  const wanted = [...golden.tensors].filter(
    ([name]) => /^(output|grad|gradrows|gradrownorm)\./.test(name) || kind.compares?.(name),
  );
  const comparisons = wanted.map(
    ([name, expected]) =>
      kind.judge?.(golden, name, expected, results) ??
      compare(name, expected, derived(name, expected, results), system.tolerance(golden, name)),
  );
  const worst = comparisons.reduce<Comparison | undefined>(
    (most, next) => (most === undefined || badness(next) > badness(most) ? next : most),
    undefined,
  );
  const failures = comparisons.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  if (comparisons.length === 0)
    failures.push("nothing to compare: the file holds neither outputs nor gradients");
  return { ...report, worst, compared: comparisons.length, failures };
}

function kindsOf(golden: GoldenCase, system: GoldenSystem): GoldenKind[] {
  return system.kinds.filter((kind) => kind.matches(golden));
}

/** gradrows.X and NAME_rows.X are the first rows of a tensor, gradrownorm.X the Euclidean norm of every row. */
function derived(name: string, expected: TensorData, results: Results): TensorData | undefined {
  const own = results.get(name);
  if (own) return own;
  if (name.startsWith("gradrownorm.")) {
    const whole = results.get(name.replace("gradrownorm.", "grad."));
    return whole && rowNorms(whole);
  }
  const whole = results.get(name.replace(/^gradrows\./, "grad.").replace(/_rows\./, "."));
  return whole && firstRows(whole, expected.shape[0]!);
}

function rowNorms({ shape, data }: TensorData): TensorData {
  const rows = shape[0]!;
  const length = data.length / rows;
  const norms = Float32Array.from({ length: rows }, (_, row) =>
    Math.hypot(...Array.from(data.slice(row * length, (row + 1) * length), Number)),
  );
  return { dtype: "float32", shape: [rows], data: norms };
}

function firstRows({ dtype, shape, data }: TensorData, rows: number): TensorData {
  const length = data.length / shape[0]!;
  return { dtype, shape: [rows, ...shape.slice(1)], data: data.slice(0, rows * length) };
}

/**
 * Runs every case that FOLDER/SYSTEM/index.json lists. Returns whether all passed. Systems without implementation are named and
 * left out, unless one was asked for.
 */
export async function runGoldens(
  folder: string,
  systems: readonly GoldenSystem[],
  options: RunOptions = {},
): Promise<boolean> {
  const { print = console.log, evaluate = evaluator() } = options;
  const found = await systemFolders(folder);
  const names = options.system === undefined ? found : found.filter((name) => name === options.system);
  check(
    names.length > 0,
    () => `goldens: "${folder}" has no system ${options.system ?? ""} (${found.join(", ") || "it is empty"})`,
  );
  let good = true;
  let run = 0;
  for (const name of names) {
    const system = systems.find((candidate) => candidate.name === name);
    if (system === undefined) {
      print(`${name}: not implemented yet`);
      if (options.system !== undefined) good = false;
      continue;
    }
    const reports = await runSystem(join(folder, name), system, { ...options, print, evaluate });
    run += reports.length;
    if (reports.some(({ failures }) => failures.length > 0)) good = false;
  }
  if (run === 0 && good) {
    print(`no case ran${options.kind === undefined ? "" : `: none matches "${options.kind}"`}`);
    return false;
  }
  return good;
}

async function systemFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new StriateError(`goldens: cannot read the folder "${folder}"`, { cause });
  }
}

async function runSystem(
  folder: string,
  system: GoldenSystem,
  options: RunOptions & { print: (line: string) => void; evaluate: Evaluate },
): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  for (const entry of await readIndex(folder)) {
    const golden = await readGolden(system.name, folder, entry).catch((error: unknown) => String(error));
    if (typeof golden !== "string" && !isWanted(golden, system, options.kind)) continue;
    const report: CaseReport =
      typeof golden === "string"
        ? { file: entry.file, kind: "unreadable", failures: [golden], worst: undefined, compared: 0 }
        : await runCase(golden, system, options.evaluate);
    reports.push(report);
    options.print(caseLine(system.name, report));
    for (const failure of report.failures) options.print(`       ${failure}`);
  }
  const failed = reports.filter(({ failures }) => failures.length > 0).length;
  if (reports.length > 0)
    options.print(`${system.name}: ${reports.length - failed} of ${reports.length} cases pass`);
  return reports;
}

function isWanted(golden: GoldenCase, system: GoldenSystem, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const kinds = kindsOf(golden, system).map(({ name }) => name);
  const names = [...(kinds.length > 0 ? kinds : ["unknown"]), labelOf(golden)];
  if (!pattern.includes("*")) return names.some((name) => name.includes(pattern));
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const whole = new RegExp(`^${parts.join(".*")}$`);
  return names.some((name) => whole.test(name));
}

function caseLine(system: string, { file, kind, worst, compared, failures }: CaseReport): string {
  const mark = failures.length === 0 ? "pass" : "FAIL";
  const detail =
    worst === undefined
      ? ""
      : `largest difference ${show(worst.difference)} of ${show(worst.allowed)} allowed (${worst.name}; ${compared} tensors)`;
  return `${mark}  ${system}/${labelOf({ file })} [${kind}]  ${detail}`.trimEnd();
}
