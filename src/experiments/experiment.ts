import type { ExplorerView } from "./explorer-views.js";
import { basename, join } from "node:path";
import type { Provenance } from "../report/provenance-node.js";
import { provenanceOf } from "../report/provenance-node.js";
import { flagOf, shellWord } from "../util/command-words.js";
import { check, counted } from "../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../util/files-node.js";
import { readCellResult, writeCellResult } from "./cell-results.js";
import type { CellConfig, CellOptions } from "./cells.js";
import type { Claim, ClaimsFile, MeasuredClaim } from "./claims.js";
import { CLAIMS_FORMAT } from "./claims.js";
import { cellFolder, cellKey, cellsFolder, chainOf, chooseCells, runStages, withStarts } from "./cells.js";
import type { ExperimentOptions, Scale, SpecialOptions } from "./options.js";
import { SPECIAL_OPTIONS } from "./options.js";

export interface ScaleFacts {
  /** One line for `--help`: what this scale runs and how long it takes. */
  readonly summary: string;
  /** Default number of random seeds. */
  readonly seeds: number;
}

/** A table as text, ready to print. */
export interface ResultTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sources and caveats, printed below the table. */
  readonly notes?: readonly string[];
}

interface RunFile {
  readonly what: string;
  readonly path: string;
}

export interface ExperimentResult {
  /** Whether the user stopped the run. A stopped run can be resumed. */
  readonly interrupted: boolean;
  readonly tables: readonly ResultTable[];
  /** A summary, printed unchanged above the tables. */
  readonly text?: string;
  /** The files of the run, the most important first: `{ what: "report", path: ".../report.html" }`. */
  readonly files: readonly RunFile[];
}

interface ExperimentFacts {
  /** Lower case, words joined by hyphens. */
  readonly name: string;
  readonly summary: string;
  readonly scales: Readonly<Record<Scale, ScaleFacts>>;
  /** Whether the user may run only some cells (`--cells`). */
  readonly choosesCells?: boolean;
  /** Whether the user may give a network (`--model`). */
  readonly takesModel?: boolean;
  /** The claims of a paper that a run decides; whole runs write what they measured about them to claims.json. */
  readonly claims?: readonly Claim[];
  /** The view of the explorer in which a network of this kind runs live. */
  readonly explorerView?: ExplorerView;
  /** The command that repeats a run, if it is not `striate run NAME`. */
  readonly command?: (options: ExperimentOptions) => string;
  /** The special options that the experiment takes; others are refused. */
  readonly takes?: readonly (keyof SpecialOptions)[];
}

/** An experiment that `striate run NAME` runs. */
export interface Experiment extends ExperimentFacts {
  run(options: ExperimentOptions): Promise<ExperimentResult>;
  /** Plans a run whose cells are to run one at a time, in any process on any machine. */
  open(options: ExperimentOptions): Promise<OpenExperiment>;
}

/** A cell of a planned run. */
export interface PlannedCell {
  /** The cell's address, see {@link cellKey}. */
  readonly key: string;
  readonly name: string;
  /** The address of the cell that this one starts from. */
  readonly start?: string;
  readonly config: CellConfig;
}

/** A planned run of an experiment, of which single cells can be run. */
export interface OpenExperiment {
  /** The cells of the run: each one comes after the cell that it starts from. */
  readonly cells: readonly PlannedCell[];
  /**
   * Reads the data that all cells share, at the first call. Returns whether they are there: not if it was stopped.
   *
   * @throws StriateError if this machine does not have the data
   */
  prepare(signal: AbortSignal): Promise<boolean>;
  /**
   * Runs one cell in its folder below `out`, continues there if it was stopped before, and writes the result. Returns one
   * line about the result; undefined if the cell was stopped.
   *
   * @throws StriateError if the run has no such cell, or if a cell that this one starts from has no result below `out`
   */
  runCell(
    key: string,
    options: Pick<ExperimentOptions, "signal" | "onProgress">,
  ): Promise<string | undefined>;
}

/**
 * A run whose cells are all finished: the input of the report. P is the type of the plan, C that of a cell's
 * configuration and R that of its result.
 */
export interface FinishedRun<P, C, R> {
  readonly plan: P;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly device: string;
  readonly results: ReadonlyMap<C, R>;
  /** The folder of the run. */
  readonly out: string;
  /** The folder that holds the folders of all cells. */
  readonly cells: string;
  readonly provenance: Provenance;
}

/** Returns the cells of one kind with their results. */
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

/** What the report of a finished run consists of. */
export interface RunReport {
  /** The contents of report.html. */
  readonly page: string;
  /** The contents of results.json: the report without its images. */
  readonly numbers: object;
  /** What the run measured about the experiment's claims. */
  readonly claims?: readonly MeasuredClaim[];
  /** Tables for the terminal. Default none. */
  readonly tables?: readonly ResultTable[];
  readonly text?: string;
  /** Further files of the report. */
  readonly files?: readonly RunFile[];
}

/** The functions that differ between experiments. D is the type of the data that all cells share. */
export interface ExperimentDefinition<P, C extends CellConfig, R, D extends object> extends ExperimentFacts {
  /** Makes the plan, which decides the list of cells. */
  readonly plan: (options: ExperimentOptions) => P | Promise<P>;
  /** Lists all cells of a run, in the order in which the user sees them. */
  readonly cellsOf: (plan: P, options: ExperimentOptions) => readonly C[];
  /** Picks the cells that run unless the user chooses some. Default: all. */
  readonly standardCells?: (plan: P, all: readonly C[]) => readonly C[];
  /** Reads or makes the data for the chosen cells. Returns undefined if the run was stopped meanwhile. */
  readonly load: (
    plan: P,
    options: ExperimentOptions,
    cells: readonly C[],
  ) => D | undefined | Promise<D | undefined>;
  /** The name of a cell for `--cells`, such as "akorn/seed1". */
  readonly nameOf: (config: C) => string;
  /**
   * Runs one cell; `done` holds the results of the cells of earlier stages. Returns undefined if the cell was
   * stopped.
   */
  readonly runCell: (config: C, options: CellOptions & D, done: ReadonlyMap<C, R>) => Promise<R | undefined>;
  /** One line for the terminal about a finished cell. */
  readonly describe: (result: R) => string;
  /** Tables for a run of only some cells. Default: one table with a line for each cell. */
  readonly partialTables?: (results: ReadonlyMap<C, R>, title: string) => readonly ResultTable[];
  /**
   * Whether a run of only some cells gets a report, too. Default false: there is no report before all cells
   * are finished.
   */
  readonly reportsSome?: boolean;
  readonly report: (run: FinishedRun<P, C, R> & D) => Promise<RunReport>;
}

const INTERRUPTED: ExperimentResult = { interrupted: true, tables: [], files: [] };
const REPORT_WAITS = "The report needs all cells: run again with --resume and without --cells.";

/**
 * Makes an experiment from its parts. A run plans all cells, then runs the chosen cells and the cells from
 * which these start. When all cells are finished, it writes report.html and results.json; before that, it
 * returns tables of the results.
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
  const planned = async (options: ExperimentOptions) => {
    const plan = (await planOf(options)) as P;
    const all = cellsOf(plan, options);
    const chosen =
      options.cells === undefined
        ? (standardCells?.(plan, all) ?? all)
        : withStarts(chooseCells(all, nameOf, options.cells), all);
    return { plan, all, chosen };
  };
  const run = async (options: ExperimentOptions): Promise<ExperimentResult> => {
    const started = performance.now();
    const { scale, seeds, device, out } = options;
    const { plan, all, chosen } = await planned(options);
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
    const { computed } = options;
    const seconds = computed?.seconds ?? (performance.now() - started) / 1000;
    const provenance = {
      ...provenanceOf(seeds, (facts.command ?? commandOf(facts.name))(options), seconds),
      ...(computed && { machine: computed.machine }),
    };
    const finished = { plan, scale, seeds, device, results, out, cells: cellsFolder(out), provenance };
    const {
      page,
      numbers,
      claims,
      tables = [],
      files = [],
      ...text
    } = await report({ ...finished, ...data });
    const [html, json] = await writeReport(out, page, numbers);
    const standard = standardCells?.(plan, all) ?? all;
    const claimed =
      claims &&
      ({
        format: CLAIMS_FORMAT,
        experiment: facts.name,
        scale,
        complete: standard.every((cell) => chosen.includes(cell)),
        cellSeconds: [...results.values()].reduce((sum, result) => sum + secondsOf(result), 0),
        provenance,
        claims,
      } satisfies ClaimsFile);
    const more = claimed === undefined ? [] : [await writeClaims(out, claimed)];
    return { interrupted: false, tables, ...text, files: [html, ...files, json, ...more] };
  };
  const open = async (options: ExperimentOptions): Promise<OpenExperiment> => {
    const { plan, chosen } = await planned(options);
    const byKey = new Map(chosen.map((config) => [cellKey(config), config]));
    const starts = new Map(
      chosen.map((config) => [cellKey(config), chainOf(config).slice(0, -1).map(cellKey)]),
    );
    const cells = [...byKey].map(([key, config]): PlannedCell => {
      const start = starts.get(key)!.at(-1);
      return { key, name: nameOf(config), config, ...(start !== undefined && { start }) };
    });
    cells.sort((a, b) => starts.get(a.key)!.length - starts.get(b.key)!.length);
    const folder = cellsFolder(options.out);
    let data: D | undefined;
    const prepare = async (signal: AbortSignal): Promise<boolean> => {
      data ??= await load(plan, { ...options, signal }, chosen);
      return data !== undefined;
    };
    return {
      cells,
      prepare,
      runCell: async (key, { signal, onProgress }) => {
        const config = byKey.get(key);
        check(
          config !== undefined,
          () =>
            `cell ${key}: expected one of the ${counted(cells.length, "cell")} of ${facts.name}, found none`,
        );
        if (!(await prepare(signal)) || data === undefined) return undefined;
        const done = new Map<C, R>();
        for (const start of starts.get(key)!) {
          const startConfig = byKey.get(start)!;
          const result = await readCellResult<R>(cellFolder(folder, startConfig));
          check(
            result !== undefined,
            () => `cell ${nameOf(config)}: ${nameOf(startConfig)} has no result yet`,
          );
          done.set(startConfig, result);
        }
        const own = cellFolder(folder, config);
        await ensureFolder(own);
        const { device, onNote } = options;
        const common: CellOptions = {
          cells: folder,
          device,
          threads: options.threads ?? 1,
          signal,
          onProgress,
          onWarning: onNote,
        };
        const result = await runCell(config, { ...common, ...data }, done);
        if (result === undefined) return undefined;
        return describe(await writeCellResult(own, result));
      },
    };
  };
  return { ...facts, run, open };
}

/** The command that repeats a run. */
const commandOf =
  (name: string) =>
  ({ scale, seeds, model, ...options }: ExperimentOptions): string => {
    const special = SPECIAL_OPTIONS.flatMap((key) => {
      const value = options[key];
      return value === undefined ? [] : [`${flagOf(key)} ${shellWord(String(value))}`];
    });
    return [
      `striate run ${name} --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
      ...special,
      ...(model ? [`--model ${shellWord(basename(model.path))}`, ...(model.flags ? [model.flags] : [])] : []),
    ].join(" ");
  };

/** Writes report.html and results.json into the folder of a run. Returns the list of both, in this order. */
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

/** The time that a cell took, if its result says so. */
function secondsOf(result: unknown): number {
  return (result as { readonly seconds?: number }).seconds ?? 0;
}

async function writeClaims(out: string, file: ClaimsFile): Promise<RunFile> {
  const path = join(out, "claims.json");
  await writeFileAtomic(path, `${JSON.stringify(file, null, 1)}\n`);
  return { what: "claims", path };
}
