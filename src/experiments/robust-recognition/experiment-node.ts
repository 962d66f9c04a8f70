import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import { percent } from "../../report/html.js";
import { recognitionMeasures, recognitionPage } from "../../report/robust-recognition.js";
import type { RecognitionReport } from "../../report/robust-recognition-data.js";
import { meanAndSpread } from "../../report/over-seeds.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { chooseCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, partialResult, runStages, withStarts } from "../stages-node.js";
import type { CellResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
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
      summary: "narrow networks of about as many parameters. About 25 minutes on 2 cores.",
      seeds: 2,
    },
    paper: { summary: "full width, 400 epochs, AutoAttack. Weeks on a CPU; see --cells.", seeds: 3 },
  },
  choosesCells: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device } = options;
  const plan = PLANS[scale];
  const all = cellsOf(plan, seeds);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);
  const [train, test] = [await loadCifar10("train"), await loadCifar10("test")];
  const results = await runStages(options, chosen, {
    nameOf: cellName,
    run: (config, common) => runCell(config, { ...common, train, test }),
    describe,
  });
  if (results === undefined) return INTERRUPTED;
  if (chosen.length < all.length)
    return partialResult(results, all, (config, result) => [[cellName(config), describe(result)]]);

  const seconds = (performance.now() - started) / 1000;
  const report = recognitionReport({ plan, scale, seeds, results, device, seconds });
  const files = await writeReport(out, await recognitionPage(report), { ...report, examples: [] });
  return { interrupted: false, tables: [tableOf(report)], files };
}

function describe(result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "network": {
      const accuracy = result.learning.at(-1)?.accuracy ?? NaN;
      return `${percent(accuracy)} % of validation images right; ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
    }
    case "pictures": {
      const corrupted =
        result.meanError === undefined ? "" : `, corrupted ${percent(1 - result.meanError)} %`;
      return `clean ${percent(result.clean.accuracy.value)} %${corrupted}, ECE ${percent(result.clean.ece)} %; ${seconds}`;
    }
    case "attack": {
      const parts = result.scores.map(
        ({ epsilon, robust }) => `${percent(robust.value)} % right at ${showEpsilon(epsilon)}`,
      );
      return `${parts.join(", ")}; ${seconds}`;
    }
  }
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
