import { join } from "node:path";
import { loadCifar10 } from "../../data/cifar10-node.js";
import { percent } from "../../report/html.js";
import { recognitionMeasures, recognitionPage } from "../../report/robust-recognition.js";
import type { RecognitionReport } from "../../report/robust-recognition-data.js";
import { meanAndSpread } from "../../report/over-seeds.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { Cell } from "../cells-node.js";
import { chooseCells, runCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { sharesOf } from "../machine-node.js";
import type { CellResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
import type { CellConfig } from "./config.js";
import { cellName, cellsOf, PLANS } from "./config.js";
import { recognitionReport } from "./report-node.js";

/** What AKOrN's paper claims on CIFAR-10 (ICLR 2025): robustness without adversarial training, and calibration. */
export const robustRecognition: Experiment = {
  name: "robust-recognition",
  summary: "AKOrN against ResNet-18 and ViT on CIFAR-10: noise, attacks, corruptions, calibration.",
  scales: {
    smoke: {
      summary: "a few steps of every kind of cell: does everything work? Under 40 seconds.",
      seeds: 1,
    },
    laptop: {
      summary: "narrow networks of about as many parameters. About 20 minutes on 2 cores.",
      seeds: 2,
    },
    paper: { summary: "full width, 400 epochs, AutoAttack. Weeks on a CPU; see --cells.", seeds: 3 },
  },
  choosesCells: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device, signal, onNote } = options;
  const plan = PLANS[scale];
  await ensureFolder(out);
  const all = cellsOf(plan, seeds);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);
  const [train, test] = [await loadCifar10("train"), await loadCifar10("test")];
  const folder = join(out, "cells");
  const results = new Map<CellConfig, CellResult>();
  let { resume } = options;
  for (const training of [true, false]) {
    const cells = chosen
      .filter(({ kind }) => (kind === "network") === training)
      .map((config) => ({ label: cellName(config), config }));
    if (cells.length === 0) continue;
    const { parallel, threads } = sharesOf(options, cells.length);
    const work = async (cell: Cell<CellConfig>) => {
      const result = await runCell(cell.config, {
        cells: folder,
        train,
        test,
        device,
        threads,
        signal,
        onProgress: (part, event) => {
          options.onProgress(`${cell.label}, ${part}`, event);
        },
        onWarning: onNote,
      });
      if (result) onNote(describe(cell.label, result));
      return result;
    };
    const done = await runCells(cells, work, { folder, parallel, signal, resume });
    resume = true;
    for (const [i, result] of done.entries()) if (result) results.set(cells[i]!.config, result);
    if (done.some((result) => result === undefined)) return { interrupted: true, tables: [], files: [] };
  }
  if (chosen.length < all.length) return part(results, all.length);

  const seconds = (performance.now() - started) / 1000;
  const report = recognitionReport({ plan, scale, seeds, results, device, seconds });
  const page = join(out, "report.html");
  await writeFileAtomic(page, await recognitionPage(report));
  const data = { ...report, examples: [] };
  await writeFileAtomic(join(out, "results.json"), `${JSON.stringify(data, null, 1)}\n`);
  return {
    interrupted: false,
    tables: [tableOf(report)],
    files: [
      { what: "report", path: page },
      { what: "results", path: join(out, "results.json") },
    ],
  };
}

/** The cells with the networks that they test, in the order of `all`. */
function withStarts(chosen: readonly CellConfig[], all: readonly CellConfig[]): CellConfig[] {
  const names = new Set(chosen.map(cellName));
  for (const config of chosen) if (config.kind !== "network") names.add(cellName(config.start));
  return all.filter((config) => names.has(cellName(config)));
}

function describe(label: string, result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "network": {
      const accuracy = result.learning.at(-1)?.accuracy ?? NaN;
      return `${label}: ${percent(accuracy)} % of validation images right; ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
    }
    case "pictures": {
      const corrupted =
        result.meanError === undefined ? "" : `, corrupted ${percent(1 - result.meanError)} %`;
      return `${label}: clean ${percent(result.clean.accuracy.value)} %${corrupted}, ECE ${percent(result.clean.ece)} %; ${seconds}`;
    }
    case "attack": {
      const parts = result.scores.map(
        ({ epsilon, robust }) => `${percent(robust.value)} % right at ${showEpsilon(epsilon)}`,
      );
      return `${label}: ${parts.join(", ")}; ${seconds}`;
    }
  }
}

/** What some of the cells gave; the report waits for all. */
function part(results: ReadonlyMap<CellConfig, CellResult>, all: number): ExperimentResult {
  return {
    interrupted: false,
    tables: [
      {
        title: `${results.size} of ${all} cells`,
        columns: ["cell", "result"],
        rows: [...results].map(([config, result]) => [
          cellName(config),
          describe("", result).replace(/^: /, ""),
        ]),
        notes: ["The report is made when all cells are done: run again without --cells, with --resume."],
      },
    ],
    files: [],
  };
}

function tableOf(report: RecognitionReport): ResultTable {
  const measures = recognitionMeasures(report);
  const text = (values: readonly number[]): string => {
    if (values.length === 0) return "";
    const { mean, spread } = meanAndSpread(values);
    return spread === undefined ? percent(mean) : `${percent(mean)} ± ${percent(spread)}`;
  };
  return {
    title: "CIFAR-10: images right, and calibration error, in %",
    columns: ["", ...report.networks.map(({ label }) => label)],
    rows: measures.map(({ title, detail, values }) => [
      `${title} (${detail})`,
      ...report.networks.map(({ id }) => text(values(id))),
    ]),
    notes: [
      "Attacks on AKOrN average gradients over draws of its noise; with noise fixed, the attacker knows it.",
      "The authors' repository publishes no CIFAR-10 table.",
    ],
  };
}
