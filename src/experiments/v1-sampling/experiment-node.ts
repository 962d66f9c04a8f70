import { join } from "node:path";
import { percent } from "../../report/html.js";
import { PAPER_RELATIVE } from "../../report/v1-sampling-data.js";
import type { V1SamplingReport } from "../../report/v1-sampling-data.js";
import { judged, signedPercent } from "../../report/v1-sampling-scores.js";
import { v1SamplingPage } from "../../report/v1-sampling.js";
import { chooseCells } from "../cells-node.js";
import type { Experiment, ExperimentOptions, ExperimentResult, ResultTable } from "../experiment.js";
import { writeReport } from "../report-files-node.js";
import { INTERRUPTED, runStages } from "../stages-node.js";
import { cleanAccuracy, meanCorruptionAccuracy } from "./analysis.js";
import type { NetworkResult } from "./cell-node.js";
import { runCell } from "./cell-node.js";
import { testImages } from "./conditions-node.js";
import { PLANS, cellName, cellsOf } from "./config.js";
import { openSources, studyImages } from "./images-node.js";
import { v1SamplingReport } from "./report-node.js";

/** Whether measured receptive fields make a network robust: Barbulescu et al. 2023 (arXiv:2310.10575). */
export const v1Sampling: Experiment = {
  name: "v1-sampling",
  summary:
    "Receptive fields of V1 as measured against uniform ones: accuracy under corruptions, and which cells matter.",
  scales: {
    smoke: { summary: "a few steps of every kind: does everything work? Under a minute.", seeds: 1 },
    laptop: {
      summary:
        'a reduced study: 3 networks a seed on enlarged CIFAR-10, about 15 minutes on 2 cores; UNIF2 and UNIF3 too with --cells "*".',
      seeds: 2,
    },
    paper: {
      summary:
        "5 networks a seed, 60 epochs of Tiny ImageNet. Days for each on a CPU; see --cells and --device.",
      seeds: 3,
    },
  },
  choosesCells: true,
  run,
};

async function run(options: ExperimentOptions): Promise<ExperimentResult> {
  const started = performance.now();
  const { scale, out, seeds, device, signal, onNote, onProgress } = options;
  const sources = await openSources(PLANS[scale].data, scale !== "smoke", onNote);
  const plan = { ...PLANS[scale], data: sources.data };
  const all = cellsOf(plan, seeds);
  const chosen =
    options.cells === undefined
      ? all.filter(({ network }) => plan.networks.includes(network))
      : chooseCells(all, cellName, options.cells);
  onNote(`Reading images: ${sources.train.name}.`);
  const images = await studyImages(sources, plan, onNote);
  const test = await testImages(images.test, {
    folder: join(out, "images"),
    data: sources.data,
    testing: plan.testing,
    threads: options.threads,
    signal,
    onProgress,
  }).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (test === undefined) return INTERRUPTED;
  const results = await runStages(options, chosen, {
    nameOf: cellName,
    run: (config, common) => runCell(config, { ...common, images, test }),
    describe,
  });
  if (results === undefined) return INTERRUPTED;
  const report = await v1SamplingReport({
    scale,
    plan,
    data: sources.data,
    seeds,
    results,
    test: images.test,
    session: { device, ...(options.threads !== undefined && { threads: options.threads }) },
    seconds: (performance.now() - started) / 1000,
    command: `striate run v1-sampling --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
  });
  const files = await writeReport(out, await v1SamplingPage(report), withoutPictures(report));
  return { interrupted: false, tables: tables(report), files };
}

function withoutPictures(report: V1SamplingReport): object {
  const { picture: _, variants, ...rest } = report;
  return { ...rest, variants: variants.map(({ filters: __, responses: ___, ...variant }) => variant) };
}

function describe({ tested, seconds, imagesPerSecond }: NetworkResult): string {
  return (
    `clean ${percent(cleanAccuracy(tested))} %, corrupted ${percent(meanCorruptionAccuracy(tested))} % ` +
    `in ${Math.round(seconds)} s, ${Math.round(imagesPerSecond)} images/s`
  );
}

function tables({ networks, pairs, reduced, seeds }: V1SamplingReport): ResultTable[] {
  const shown = ({ mean, std }: { mean: number; std: number | null }) =>
    `${percent(mean)}${std === null ? "" : ` ± ${percent(std)}`}`;
  const accuracy: ResultTable = {
    title: `Accuracy in %, mean ± s.d. over ${seeds.length} seed${seeds.length === 1 ? "" : "s"}`,
    columns: ["images", ...networks.map(({ label }) => label)],
    rows: [
      ["clean", ...networks.map(({ scores }) => shown(scores.clean))],
      ...networks[0]!.scores.corruptions.map(({ name }, i) => [
        name.replaceAll("_", " "),
        ...networks.map(({ scores }) => shown(scores.corruptions[i]!.accuracy)),
      ]),
      ["mean over corruptions", ...networks.map(({ scores }) => shown(scores.mean))],
      ["retention", ...networks.map(({ scores }) => shown(scores.retention))],
    ],
  };
  if (pairs.length === 0) return [accuracy];
  return [
    accuracy,
    {
      title: "Relative difference in mean corruption accuracy",
      columns: ["", "here", "each seed", "paper"],
      rows: pairs.map(({ one, other, relative }) => [
        `${one} over ${other}`,
        signedPercent(relative.mean),
        relative.values.map(({ value }) => signedPercent(value)).join(", "),
        other === "UNIF1" ? signedPercent(PAPER_RELATIVE) : "",
      ]),
      notes: [
        ...pairs.map(judged),
        "Paper: abstract of Barbulescu et al. 2023 (arXiv:2310.10575), biological over uniform sampling.",
        ...(reduced.length > 0 ? [`A reduced study: ${reduced.join(" ")}`] : []),
      ],
    },
  ];
}
