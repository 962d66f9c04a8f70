import { basename } from "node:path";
import type { TrainingParts } from "../../data/sets/training-parts-node.js";
import { percent } from "../../report/html.js";
import { spreadPlain } from "../../report/over-seeds.js";
import { points } from "../../report/verdict.js";
import type { Experiment, ResultTable } from "../experiment.js";
import { defineExperiment } from "../experiment.js";
import type { StudyData } from "./cell.js";
import { runStudyCell } from "./cell.js";
import type { StudyReport } from "./page.js";
import { studyPage } from "./page.js";
import type { StudyCell, StudyPlan } from "./plan.js";
import { PLAIN, studyCellName, studyCells } from "./plan.js";
import type { StudyResult } from "./results.js";
import { gatherStudy } from "./results.js";

/** What a study is about. */
export interface StudySettings {
  readonly plan: StudyPlan;
  readonly parts: TrainingParts;
  /** Name of the data for the report. */
  readonly dataName: string;
  /** The command that repeats the study. */
  readonly command: string;
}

const NO_SCALE = { summary: "a study has no scales", seeds: 3 };

/**
 * The experiment that `striate study` runs: the same network with different additions, trained alike on the user's
 * images, and measured on clean, corrupted and attacked test images.
 */
export function studyExperiment({ plan, parts, dataName, command }: StudySettings): Experiment {
  return defineExperiment<StudyPlan, StudyCell, StudyResult, StudyData>({
    name: "study",
    summary: "The same network with V1, oscillators or predictive feedback, on your own images.",
    scales: { smoke: NO_SCALE, laptop: NO_SCALE, paper: NO_SCALE },
    choosesCells: true,
    command: () => command,
    plan: () => plan,
    cellsOf: (_, { seeds }) => studyCells(plan, seeds),
    load: () => ({ parts }),
    nameOf: studyCellName,
    runCell: runStudyCell,
    describe,
    report: async (run) => {
      const { train, validation, test, text, cautions } = parts;
      const report: StudyReport = {
        network: basename(plan.network.model, ".onnx"),
        plan,
        data: {
          name: dataName,
          classes: train.classes,
          counts: { train: train.count, validation: validation.count, test: test.count },
          text,
          cautions,
        },
        variants: gatherStudy(plan.variants, run.seeds, run.results),
        provenance: run.provenance,
      };
      return { page: await studyPage(report), numbers: report, tables: [tableOf(report)] };
    },
  });
}

function describe(result: StudyResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "train": {
      const best = Math.max(...result.validation.map(({ accuracy }) => accuracy));
      const skipped = result.skipped > 0 ? `, ${result.skipped} images could not be read` : "";
      return `${percent(best)} % of validation images right${skipped}; ${seconds}, ${Math.round(result.imagesPerSecond)} images/s`;
    }
    case "feedback":
      return `decoders trained; ${seconds}`;
    case "test": {
      const { clean, summary } = result.card;
      const corrupted = summary ? `, corrupted ${percent(1 - summary.meanError)} %` : "";
      return `clean ${percent(clean?.accuracy.value ?? NaN)} %${corrupted}; ${seconds}`;
    }
  }
}

function tableOf({ variants, network, data }: StudyReport): ResultTable {
  const measures = variants[0]!.measures.filter(({ kind }) => kind !== "corruption" && kind !== "severity");
  return {
    title: `${network} on ${data.name}: percent right, and differences to ${PLAIN} in points`,
    columns: ["", ...measures.map(({ name }) => name)],
    rows: variants.flatMap(({ variant, measures: own }) => {
      const chosen = measures.map(({ name }) => own.find((one) => one.name === name));
      const values = [variant, ...chosen.map((one) => spreadPlain(one?.values ?? []))];
      if (variant === PLAIN) return [values];
      const differences = chosen.map((one) => {
        if (one?.difference === undefined) return "";
        const { mean, margin, status } = one.difference;
        return `${points(mean)} ± ${percent(margin)}${status === "undecided" ? " ?" : ""}`;
      });
      return [values, [`  against ${PLAIN}`, ...differences]];
    }),
    notes: ["± of a difference is half of its 95 % interval, over seeds and images; ? means undecided"],
  };
}
