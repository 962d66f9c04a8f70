import { basename } from "node:path";
import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import { knownPreprocessing } from "../../data/images/preprocessing.js";
import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import { showShape } from "../../graph/dims.js";
import { openOnnx, sha256OfModel } from "../../graph/onnx/open-node.js";
import { number, percent } from "../../report/html.js";
import { predictiveCodingPage } from "../../report/predictive-coding.js";
import type { PredictiveCodingReport } from "../../report/predictive-coding.js";
import { changeOverTime } from "../../report/predictive-coding-data.js";
import { points } from "../../report/verdict.js";
import { Backbone } from "../../systems/predify/index.js";
import { StriateError, check } from "../../util/errors.js";
import { chooseCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, partialResult, runStages, withStarts } from "../stages-node.js";
import type { CellOptions } from "./cell-node.js";
import { ExperimentImages } from "./cell-node.js";
import type { CellConfig, GivenNetwork } from "./config.js";
import { PLANS, cellName, cellsOf } from "./config.js";
import type { CellResult } from "./report-node.js";
import { predictiveCodingReport } from "./report-node.js";
import { runCorruptions, runNoise } from "./test-cells-node.js";
import type { TuningResult } from "./train-cells-node.js";
import { runBackbone, runFeedback, runTuning } from "./train-cells-node.js";

/** Predify (Choksi et al. 2021) on CIFAR-10: what feedback does to a network's answers over time. */
export const predictiveCoding: Experiment = {
  name: "predictive-coding",
  summary:
    "Predictive feedback on a VGG trained on CIFAR-10: accuracy over timesteps under noise, reconstructions.",
  scales: {
    smoke: { summary: "a few steps of everything: does it work? Half a minute.", seeds: 1 },
    laptop: { summary: "VGG11 of a quarter of its width. About 15 minutes on 2 cores.", seeds: 2 },
    paper: { summary: "VGG16 in full width, every severity, 10,000 test images. Days.", seeds: 3 },
  },
  choosesCells: true,
  takesModel: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device, model } = options;
  const plan = PLANS[scale];
  const given = model && (await givenNetwork(model));
  const all = cellsOf(plan, seeds, given);
  const chosen = withStarts(chooseCells(all, cellName, options.cells), all);
  const images = new ExperimentImages(await loadCifar10("train"), await loadCifar10("test"));

  const results = await runStages(options, chosen, {
    nameOf: cellName,
    run: (config, common, done) =>
      runCell(config, done, { ...common, images, ...(model && { model: model.path }) }),
    describe,
  });
  if (results === undefined) return INTERRUPTED;
  if (chosen.length < all.length)
    return partialResult(results, all, (config, result) => [[cellName(config), describe(result)]]);

  const seconds = (performance.now() - started) / 1000;
  const command = [
    `striate run predictive-coding --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
    ...(model ? [`--model ${basename(model.path)}`, ...(model.flags ? [model.flags] : [])] : []),
  ].join(" ");
  const name = model && basename(model.path);
  const report = predictiveCodingReport({
    plan,
    scale,
    seeds,
    results,
    given: given && { ...given, name: name! },
    device,
    seconds,
    command,
  });
  const { reconstructions: _, ...data } = report;
  const files = await writeReport(out, await predictiveCodingPage(report), data);
  return { interrupted: false, tables: [resultTable(report)], files };
}

async function givenNetwork({
  path,
  preprocessing: stated,
}: NonNullable<ExperimentOptions["model"]>): Promise<GivenNetwork> {
  const name = basename(path);
  const file = await openOnnx(path, name);
  const backbone = new Backbone(file.read(), {}, name);
  const scores = backbone.output.shape.slice(1);
  check(
    scores.join() === String(CIFAR10_CLASSES.length),
    () =>
      `${name}: expected a score for each of CIFAR-10's ${CIFAR10_CLASSES.length} classes, its output is ${showShape(backbone.output.shape)}`,
  );
  const shape = backbone.imageShape as [number, number, number];
  const known = knownPreprocessing(stated, backbone.preprocessing, shape, name);
  check(
    known,
    () =>
      `${name}: say how pixels reach the network (--preprocessing, or --scale, --mean and --std): its file does not`,
  );
  const { preprocessing } = known;
  return { sha256: await sha256OfModel(path, file), preprocessing };
}

function runCell(
  config: CellConfig,
  results: ReadonlyMap<CellConfig, CellResult>,
  options: CellOptions,
): Promise<CellResult | undefined> {
  switch (config.kind) {
    case "backbone":
      return runBackbone(config, options);
    case "feedback":
      return runFeedback(config, options);
    case "tuning":
      return runTuning(config, options);
    case "noise":
      return runNoise(config, tuningOf(config.start, results), options);
    case "corruptions":
      return runCorruptions(config, tuningOf(config.start, results), options);
  }
}

function tuningOf(start: CellConfig, results: ReadonlyMap<CellConfig, CellResult>): TuningResult {
  const result = results.get(start);
  if (result?.kind !== "tuning") throw new StriateError(`${cellName(start)} has to be done first`);
  return result;
}

function describe(result: CellResult): string {
  const seconds = `${Math.round(result.seconds)} s`;
  switch (result.kind) {
    case "backbone":
      return `${percent(result.accuracy)} % of the images set aside in ${seconds}`;
    case "feedback": {
      const [first, last] = [result.curve[0]!, result.curve.at(-1)!];
      const errors = first.errors.map((error, i) => `${number(error)} to ${number(last.errors[i]!)}`);
      return `prediction errors ${errors.join(", ")} in ${seconds}`;
    }
    case "tuning":
      return `feedback ${result.tuned.map(({ feedback }) => number(feedback, 2)).join(", ")} in ${seconds}`;
    default:
      return `${result.scores.length} measurements in ${seconds}`;
  }
}

function resultTable(report: PredictiveCodingReport): ResultTable {
  const rowsOf = (setting: string, condition: string) =>
    report.noise.filter((row) => row.setting === setting && row.condition === condition);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const words = { holds: "helps", reversed: "harms", undecided: "undecided" };
  return {
    title: "Accuracy in %, and its change in points from timestep 0 to the last",
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
        percent(mean(rowsOf(setting, id).map(({ accuracy }) => accuracy.at(t)!)));
      const change = (setting: string) => {
        const { mean: value, margin, status } = changeOverTime(rowsOf(setting, id));
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
    notes: ["± is twice the larger of the standard error over seeds and that of the paired test images."],
  };
}
