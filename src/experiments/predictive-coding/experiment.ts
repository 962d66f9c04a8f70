import { basename } from "node:path";
import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import { knownPreprocessing } from "../../data/images/preprocessing.js";
import { showShape } from "../../graph/dims.js";
import { openOnnx, sha256OfModel } from "../../graph/onnx/read/open-node.js";
import { average } from "../../metrics/statistics.js";
import { number, percent } from "../../report/html.js";
import { points } from "../../report/verdict.js";
import { Backbone } from "../../systems/predify/index.js";
import { check, StriateError } from "../../util/errors.js";
import { byKind } from "../cell-work.js";
import type { ResultTable } from "../experiment.js";
import { defineExperiment } from "../experiment.js";
import type { ExperimentOptions } from "../options.js";
import { ExperimentImages } from "./images.js";
import type { PredictiveOptions } from "./network.js";
import { noiseRows } from "./page-charts.js";
import { predictiveCodingPage } from "./page.js";
import type { PredictiveCell, PredictivePlan } from "./plan.js";
import { predictiveCellName, predictiveCells, PREDICTIVE_PLANS } from "./plan.js";
import type { PredictiveResult, PredictiveCodingReport, TuningResult } from "./results.js";
import { PREDICTIVE_CLAIMS, predictiveClaims } from "./claims.js";
import { changeOverTime, predictiveCodingReport } from "./results.js";
import { runCorruptions, runNoise } from "./test-cells.js";
import { runBackbone, runFeedback, runTuning } from "./train-cells.js";

const runPredictiveCell = byKind<PredictiveCell, PredictiveResult, PredictiveOptions>({
  backbone: runBackbone,
  feedback: runFeedback,
  tuning: runTuning,
  noise: (config, options, done) => runNoise(config, tuningOf(config.start, done), options),
  corruptions: (config, options, done) => runCorruptions(config, tuningOf(config.start, done), options),
});

function tuningOf(
  start: PredictiveCell,
  results: ReadonlyMap<PredictiveCell, PredictiveResult>,
): TuningResult {
  const result = results.get(start);
  if (result?.kind !== "tuning")
    throw new StriateError(`${predictiveCellName(start)} must finish before the cells that start from it`);
  return result;
}

/** Predify (Choksi et al. 2021) on CIFAR-10: how feedback changes a network's answers over timesteps. */
export const predictiveCoding = defineExperiment({
  name: "predictive-coding",
  explorerView: "predify",
  claims: PREDICTIVE_CLAIMS,
  summary:
    "Predictive feedback on a VGG trained on CIFAR-10: accuracy over timesteps under noise, reconstructions.",
  scales: {
    smoke: {
      summary:
        "a few steps of every training run and every test, to check that everything works. Half a minute.",
      seeds: 1,
    },
    laptop: { summary: "VGG11 with a quarter of its width. About 15 minutes on 2 cores.", seeds: 2 },
    paper: {
      summary: "VGG16 with its full width, every severity, 10,000 test images. Several days.",
      seeds: 3,
    },
  },
  choosesCells: true,
  takesModel: true,
  plan: async ({ scale, model }): Promise<PredictivePlan> => ({
    ...PREDICTIVE_PLANS[scale],
    ...(model && { given: await givenNetwork(model) }),
  }),
  cellsOf: (plan, { seeds }) => predictiveCells(plan, seeds),
  load: async ({ given }) => ({
    images: new ExperimentImages(await loadCifar10("train"), await loadCifar10("test")),
    ...(given && { model: given.path }),
  }),
  nameOf: predictiveCellName,
  runCell: runPredictiveCell,
  describe,
  report: async (run) => {
    const report = predictiveCodingReport(run);
    const { reconstructions: _, ...numbers } = report;
    return {
      page: await predictiveCodingPage(report),
      numbers,
      claims: predictiveClaims(report),
      tables: [resultTable(report), ...familyTable(report)],
    };
  },
});

async function givenNetwork({
  path,
  preprocessing: stated,
}: NonNullable<ExperimentOptions["model"]>): Promise<NonNullable<PredictivePlan["given"]>> {
  const name = basename(path);
  const file = await openOnnx(path, name);
  const backbone = new Backbone(file.read(), {}, name);
  const scores = backbone.output.shape.slice(1);
  check(
    scores.join() === String(CIFAR10_CLASSES.length),
    () =>
      `${name}: expected a score for each of CIFAR-10's ${CIFAR10_CLASSES.length} classes, got the output ${showShape(backbone.output.shape)}`,
  );
  const shape = backbone.imageShape as [number, number, number];
  const known = knownPreprocessing(stated, backbone.preprocessing, shape, name);
  check(
    known,
    () =>
      `${name}: expected the preprocessing of the network (--preprocessing, or --scale, --mean and --std), since its file does not contain it; got none`,
  );
  const { preprocessing } = known;
  return { sha256: await sha256OfModel(path, file), preprocessing, name, path };
}

function describe(result: PredictiveResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "backbone":
      return `${percent(result.accuracy)} % of held-out images correct, in ${seconds}`;
    case "feedback": {
      const [first, last] = [result.curve[0]!, result.curve.at(-1)!];
      const errors = first.errors.map((error, i) => `from ${number(error)} to ${number(last.errors[i]!)}`);
      return `prediction errors ${errors.join(", ")}; ${seconds}`;
    }
    case "tuning":
      return `tuned feedback ${result.tuned.map(({ feedback }) => number(feedback, 2)).join(", ")}; ${seconds}`;
    default:
      return `${result.scores.length} measurements, in ${seconds}`;
  }
}

function resultTable(report: PredictiveCodingReport): ResultTable {
  const words = { holds: "helps", reversed: "harms", undecided: "undecided" };
  return {
    title: "Accuracy in %, and its change in points from timestep 0 to the last timestep",
    columns: [
      "condition",
      "network alone",
      "authors' values",
      "",
      "tuned",
      "",
      "no feedback",
      "no error term",
    ],
    rows: report.conditions.map(({ id, label }) => {
      const at = (setting: string, t: number) =>
        percent(average(noiseRows(report, setting, id).map(({ accuracy }) => accuracy.at(t)!)));
      const change = (setting: string) => {
        const { mean: value, margin, status } = changeOverTime(noiseRows(report, setting, id));
        return `${points(value)} ± ${percent(margin)} ${words[status]}`;
      };
      return [
        label,
        at("authors", 0),
        at("authors", -1),
        change("authors"),
        at("tuned", -1),
        change("tuned"),
        at("tunedNoFeedback", -1),
        at("tunedNoError", -1),
      ];
    }),
    notes: [
      "± is half of the 95 % interval, which joins the errors over seeds and over the paired test images.",
    ],
  };
}

function familyTable({ families, settings }: PredictiveCodingReport): ResultTable[] {
  if (families.length === 0) return [];
  return [
    {
      title:
        "Common corruptions by family: change of accuracy in points from timestep 0 to the last timestep",
      columns: ["family", "values", "change", "gained", "lost", "z"],
      rows: families.map(({ setting, family, change, gained, lost, z }) => [
        family,
        settings.find(({ id }) => id === setting)!.family,
        points(change),
        String(gained),
        String(lost),
        number(z),
      ]),
      notes: [
        "z counts each image once, whatever the number of corruptions; the error over seeds is not in z.",
      ],
    },
  ];
}
