import { join } from "node:path";
import { percent } from "../../report/html.js";
import type { ResultTable } from "../experiment.js";
import { defineExperiment } from "../experiment.js";
import type { ExperimentOptions } from "../options.js";
import { cleanAccuracy, meanCorruptionAccuracy } from "./analysis.js";
import type { V1NetworkResult } from "./cell.js";
import { runV1Cell } from "./cell.js";
import type { StudyPlan } from "./images.js";
import { openSources, studyImages, testImages } from "./images.js";
import { V1_CLAIMS, v1Claims } from "./claims.js";
import { judged, signedPercent, v1SamplingPage } from "./page.js";
import { v1CellName, v1Cells, V1_PLANS } from "./plan.js";
import type { V1SamplingReport } from "./results.js";
import { PAPER_RELATIVE, v1SamplingReport } from "./results.js";

/**
 * Tests whether measured receptive fields make a network robust, after Barbulescu et al. 2023
 * (arXiv:2310.10575).
 */
export const v1Sampling = defineExperiment({
  name: "v1-sampling",
  explorerView: "v1",
  claims: V1_CLAIMS,
  summary:
    "Receptive fields of V1 with measured or with uniform properties: accuracy under corruptions, and which cells matter.",
  scales: {
    smoke: {
      summary: "a few steps of every network, to check that everything works. Under a minute.",
      seeds: 1,
    },
    laptop: {
      summary:
        'a reduced study: 5 seeds of BIOL and UNIF1, 2 of the others, on enlarged CIFAR-10. About 50 minutes on 2 cores; --cells "*" adds UNIF2 and UNIF3.',
      seeds: 5,
    },
    paper: {
      summary:
        "5 networks per seed, 60 epochs of Tiny ImageNet. Days for each network on a CPU; see --cells and --device.",
      seeds: 3,
    },
  },
  choosesCells: true,
  plan: async ({ scale, onNote }): Promise<StudyPlan> => {
    const sources = await openSources(V1_PLANS[scale].data, scale !== "smoke", onNote);
    return { ...V1_PLANS[scale], data: sources.data, sources };
  },
  cellsOf: ({ sources: _, ...plan }, { seeds }) => v1Cells(plan, seeds),
  standardCells: ({ networks }, all) => all.filter(({ network }) => networks.includes(network)),
  load,
  nameOf: v1CellName,
  runCell: runV1Cell,
  describe,
  reportsSome: true,
  report: async (run) => {
    const report = await v1SamplingReport(run);
    return {
      page: await v1SamplingPage(report),
      numbers: withoutPictures(report),
      claims: v1Claims(report),
      tables: tables(report),
    };
  },
});

/** Reads the images and makes the corrupted ones. Returns undefined if the run was stopped meanwhile. */
async function load(plan: StudyPlan, options: ExperimentOptions) {
  const { out, device, threads, signal, onNote, onProgress } = options;
  const { sources, testing } = plan;
  onNote(`Reading images: ${sources.train.name}.`);
  const images = await studyImages(sources, plan, onNote);
  const folder = join(out, "images");
  const common = { folder, data: sources.data, testing, threads, signal, onProgress };
  try {
    const test = await testImages(images.test, common);
    return { images, test, session: { device, ...(threads !== undefined && { threads }) } };
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function withoutPictures(report: V1SamplingReport): object {
  const { picture: _, variants, ...rest } = report;
  return { ...rest, variants: variants.map(({ filters: __, responses: ___, ...variant }) => variant) };
}

function describe({ tested, seconds, imagesPerSecond }: V1NetworkResult): string {
  return (
    `clean ${percent(cleanAccuracy(tested))} %, corrupted ${percent(meanCorruptionAccuracy(tested))} %, ` +
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
      ["retention (mean / clean)", ...networks.map(({ scores }) => shown(scores.retention))],
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
