import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import { percent } from "../../report/html.js";
import { spreadPlain } from "../../report/over-seeds.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import type { ResultTable } from "../experiment.js";
import { defineExperiment } from "../experiment.js";
import { RECOGNITION_CLAIMS, recognitionClaims } from "./claims.js";
import { runRecognitionCell } from "./cell.js";
import { recognitionMeasures, recognitionPage } from "./page.js";
import { recognitionCellName, recognitionCells, RECOGNITION_PLANS } from "./plan.js";
import type { RecognitionResult, RecognitionReport } from "./results.js";
import { recognitionReport } from "./results.js";

/**
 * Tests of the claims of AKOrN's paper on CIFAR-10 (ICLR 2025): robustness without adversarial training, and
 * calibration.
 */
export const robustRecognition = defineExperiment({
  name: "robust-recognition",
  claims: RECOGNITION_CLAIMS,
  summary: "AKOrN against ResNet-18 and ViT on CIFAR-10: noise, attacks, corruptions, calibration.",
  scales: {
    smoke: {
      summary:
        "a few steps of every training run and every test, to check that everything works. Under 40 seconds.",
      seeds: 1,
    },
    laptop: {
      summary: "narrow networks with about equal numbers of parameters. About 45 minutes on 2 cores.",
      seeds: 3,
    },
    paper: {
      summary: "full width, 400 epochs, AutoAttack. Weeks on a CPU; --cells runs only parts of it.",
      seeds: 3,
    },
  },
  choosesCells: true,
  plan: ({ scale }) => RECOGNITION_PLANS[scale],
  cellsOf: (plan, { seeds }) => recognitionCells(plan, seeds),
  load: async () => ({ train: await loadCifar10("train"), test: await loadCifar10("test") }),
  nameOf: recognitionCellName,
  runCell: runRecognitionCell,
  describe,
  report: async (run) => {
    const report = recognitionReport(run);
    const numbers = { ...report, examples: [] };
    return {
      page: await recognitionPage(report),
      numbers,
      claims: recognitionClaims(run),
      tables: [tableOf(report)],
    };
  },
});

function describe(result: RecognitionResult): string {
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
  return {
    title: "CIFAR-10: accuracy and calibration error in %",
    columns: ["", ...report.networks.map(({ label }) => label)],
    rows: measures.map(({ title, detail, values }) => [
      `${title} (${detail})`,
      ...report.networks.map(({ id }) => spreadPlain(values(id))),
    ]),
    notes: [
      "Attacks on AKOrN average gradients over draws of its noise; if the noise is fixed, the attacker knows it.",
      "The authors' repository publishes no CIFAR-10 table.",
    ],
  };
}
