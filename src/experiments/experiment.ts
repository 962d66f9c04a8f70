import { basename, join } from "node:path";
import type { Provenance } from "../report/provenance-node.js";
import { provenanceOf } from "../report/provenance-node.js";
import { flagOf, shellWord } from "../util/command-words.js";
import { writeFileAtomic } from "../util/files-node.js";
import type { CellConfig, CellOptions } from "./cells.js";
import { cellsFolder, chooseCells, runStages, withStarts } from "./cells.js";
import type { ExperimentOptions, Scale, SpecialOptions } from "./options.js";
import { SPECIAL_OPTIONS } from "./options.js";

export interface ScaleFacts {
  /** One line for the help: what is done and how long it takes. */
  readonly summary: string;
  /** How many seeds are run unless the user says otherwise. */
  readonly seeds: number;
}

/** A table as text, ready to print. */
export interface ResultTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sources and caveats, printed below. */
  readonly notes?: readonly string[];
}

interface RunFile {
  readonly what: string;
  readonly path: string;
}

export interface ExperimentResult {
  /** Whether the signal stopped the run, which can then be resumed. */
  readonly interrupted: boolean;
  readonly tables: readonly ResultTable[];
  /** A summary that is printed as it is, above the tables. */
  readonly text?: string;
  /** The files of the run, the most interesting one first: `{ what: "report", path: ".../report.html" }`. */
  readonly files: readonly RunFile[];
}

interface ExperimentFacts {
  /** Lower case, words joined by hyphens. */
  readonly name: string;
  readonly summary: string;
  readonly scales: Readonly<Record<Scale, ScaleFacts>>;
  /** Whether its cells can be run singly. */
  readonly choosesCells?: boolean;
  /** Whether a network may be given. */
  readonly takesModel?: boolean;
  /** Which special options it takes; others are refused. */
  readonly takes?: readonly (keyof SpecialOptions)[];
}

/** One experiment of the papers: what `striate run NAME` does. */
export interface Experiment extends ExperimentFacts {
  run(options: ExperimentOptions): Promise<ExperimentResult>;
}

/** A run whose cells are done, as its report sees it: P is the plan, C a cell's configuration, R its result. */
export interface FinishedRun<P, C, R> {
  readonly plan: P;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly device: string;
  readonly results: ReadonlyMap<C, R>;
  /** The folder of the run. */
  readonly out: string;
  /** Holds the folders of all cells. */
  readonly cells: string;
  readonly provenance: Provenance;
}

/** The cells of one kind with their results. */
export function ofKind<
  C extends { readonly kind: string },
  R extends { readonly kind: string },
  K extends C["kind"] & R["kind"],
>(results: ReadonlyMap<C, R>, kind: K) {
  return [...results].filter(([config]) => config.kind === kind) as [
    Extract<C, { readonly kind: K }>,
    Extract<R, { readonly kind: K }>,
  ][];
}

/** The report of a finished run. */
export interface RunReport {
  /** The HTML of report.html. */
  readonly page: string;
  /** What results.json holds: the report without its images. */
  readonly numbers: object;
  /** Default none. */
  readonly tables?: readonly ResultTable[];
  readonly text?: string;
  /** Further files that the report wrote. */
  readonly files?: readonly RunFile[];
}

/** The parts of an experiment that are its own; D is the data that all its cells share. */
export interface ExperimentDefinition<P, C extends CellConfig, R, D extends object> extends ExperimentFacts {
  /** Decides everything that the list of cells depends on. */
  readonly plan: (options: ExperimentOptions) => P | Promise<P>;
  /** Lists all cells of a run, in the order in which they are named to the user. */
  readonly cellsOf: (plan: P, options: ExperimentOptions) => readonly C[];
  /** Picks the cells that run if the user names none. Default: all. */
  readonly standardCells?: (plan: P, all: readonly C[]) => readonly C[];
  /** Reads or makes the data, once the cells to run are known; undefined if the run was stopped meanwhile. */
  readonly load: (
    plan: P,
    options: ExperimentOptions,
    cells: readonly C[],
  ) => D | undefined | Promise<D | undefined>;
  /** "akorn/seed1": what `--cells` chooses from. */
  readonly nameOf: (config: C) => string;
  /** Runs one cell; `done` has the results of the stages before it. Undefined if the cell was stopped. */
  readonly runCell: (config: C, options: CellOptions & D, done: ReadonlyMap<C, R>) => Promise<R | undefined>;
  /** One line about a finished cell. */
  readonly describe: (result: R) => string;
  /** Tables of a run of some cells only. Default: one table with a line for each cell. */
  readonly partialTables?: (results: ReadonlyMap<C, R>, title: string) => readonly ResultTable[];
  /** Whether a report is made of some cells, too. Default false: it waits for all of them. */
  readonly reportsSome?: boolean;
  readonly report: (run: FinishedRun<P, C, R> & D) => Promise<RunReport>;
}

const INTERRUPTED: ExperimentResult = { interrupted: true, tables: [], files: [] };
const REPORT_WAITS = "The report is made when all cells are done: run again without --cells, with --resume.";

/**
 * Makes an experiment from its own parts. A run plans its cells, runs those that were chosen and those that they start
 * from, and writes report.html and results.json once all cells are done; before that it gives tables of the results.
 */
export function defineExperiment<P, C extends CellConfig, R, D extends object>(
  definition: ExperimentDefinition<P, C, R, D>,
): Experiment {
  const { plan: planOf, cellsOf, load, nameOf, runCell, describe, report, ...others } = definition;
  const { standardCells, partialTables, reportsSome = false, ...facts } = others;
  const lineForEach = (results: ReadonlyMap<C, R>, title: string): ResultTable[] => {
    const rows = [...results].map(([config, result]) => [nameOf(config), describe(result)]);
    return [{ title, columns: ["cell", "result"], rows }];
  };
  const run = async (options: ExperimentOptions): Promise<ExperimentResult> => {
    const started = performance.now();
    const { scale, seeds, device, out } = options;
    const plan = (await planOf(options)) as P;
    const all = cellsOf(plan, options);
    const chosen =
      options.cells === undefined
        ? (standardCells?.(plan, all) ?? all)
        : withStarts(chooseCells(all, nameOf, options.cells), all);
    const data = await load(plan, options, chosen);
    if (data === undefined) return INTERRUPTED;
    const results = await runStages<C, R>(options, chosen, {
      nameOf,
      describe,
      run: (config, common, done) => runCell(config, { ...common, ...data }, done),
    });
    if (results === undefined) return INTERRUPTED;
    if (chosen.length < all.length && !reportsSome) {
      const tables = (partialTables ?? lineForEach)(results, `${results.size} of ${all.length} cells`);
      const noted = tables.map((table) => ({ ...table, notes: [...(table.notes ?? []), REPORT_WAITS] }));
      return { interrupted: false, tables: noted, files: [] };
    }
    const seconds = (performance.now() - started) / 1000;
    const provenance = provenanceOf(seeds, commandOf(facts.name, options), seconds);
    const finished = { plan, scale, seeds, device, results, out, cells: cellsFolder(out), provenance };
    const { page, numbers, tables = [], files = [], ...text } = await report({ ...finished, ...data });
    const [html, json] = await writeReport(out, page, numbers);
    return { interrupted: false, tables, ...text, files: [html, ...files, json] };
  };
  return { ...facts, run };
}

/** The command that does a run again. */
function commandOf(name: string, { scale, seeds, model, ...options }: ExperimentOptions): string {
  const special = SPECIAL_OPTIONS.flatMap((key) => {
    const value = options[key];
    return value === undefined ? [] : [`${flagOf(key)} ${shellWord(String(value))}`];
  });
  return [
    `striate run ${name} --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
    ...special,
    ...(model ? [`--model ${shellWord(basename(model.path))}`, ...(model.flags ? [model.flags] : [])] : []),
  ].join(" ");
}

/** Writes a run's report.html and results.json, and lists them in this order. */
export async function writeReport(
  out: string,
  page: string,
  numbers: object,
): Promise<readonly [report: RunFile, results: RunFile]> {
  const [html, json] = [join(out, "report.html"), join(out, "results.json")];
  await writeFileAtomic(html, page);
  await writeFileAtomic(json, `${JSON.stringify(numbers, null, 1)}\n`);
  return [
    { what: "report", path: html },
    { what: "results", path: json },
  ];
}
