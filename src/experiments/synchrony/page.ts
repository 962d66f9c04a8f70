import type { PhasePlane } from "../../draw/index.js";
import { wilsonInterval } from "../../metrics/index.js";
import type { ChartBlock } from "../../report/chart-block.js";
import { chartBlock, chartFigure, lineBlock } from "../../report/chart-block.js";
import type { Content, Html, Section } from "../../report/html.js";
import { details, figure, markup, note, number, percent, table } from "../../report/html.js";
import { phaseTables, polarPlot } from "../../report/phase-player.js";
import { PLAYER_SCRIPT } from "../../report/player-script.js";
import { experimentPage } from "../../report/provenance-node.js";
import { scatterChart } from "../../report/scatter-chart.js";
import { average } from "../../metrics/statistics.js";
import { errorOverImages, judgeDifferences } from "../../metrics/judgement.js";
import { sizeText } from "../../report/verdict.js";
import type { DigitsReport, PhasePicture } from "../digits/results.js";
import { checkReport, heading } from "../digits/results.js";
import {
  digitsAccuracySection,
  digitsProvenance,
  digitsLearningSection,
  orderingSection,
  phaseSection,
  timestepSection,
  verdicts,
} from "../digits/sections.js";
import { budgetRemark, digitsHeadline } from "../digits/verdict.js";
import type { AblationRow, SynchronyPoint, SynchronyReport } from "./results.js";
import { rankCorrelation, synchronyPoints } from "./results.js";

/** The report of the synchrony experiment as one self-contained HTML file. */
export async function synchronyPage(report: SynchronyReport): Promise<string> {
  for (const set of report.sets) checkReport(set);
  const sections: (Section | undefined)[] = [summarySection(report)];
  for (const [i, set] of report.sets.entries()) {
    sections.push(phaseSection(set, i === 0), layerSection(set), await digitsAccuracySection(set));
    sections.push(orderingSection(set), await timestepSection(set), await digitsLearningSection(set));
  }
  sections.push(await scatterSection(report), ablationSection(report), await kernelSection(report));
  sections.push(sheetSection(report));
  const first = report.sets[0]!;
  return experimentPage(
    { ...report, scale: first.scale, provenance: first.provenance },
    { sections, provenance: digitsProvenance(first), data: phaseTables(), scripts: [PLAYER_SCRIPT] },
  );
}

function summarySection({ sets }: SynchronyReport): Section {
  return {
    id: "summary",
    title: "In short",
    lead: "The paper’s tables were not available, so this page does not compare with them. It shows our own paired runs, with the same images and the same number of steps.",
    body: sets.map((set) => {
      const budget = budgetRemark(set);
      return markup`<h3>${set.title}</h3>
        <p>${digitsHeadline(set)}</p>
        ${verdicts(set)}
        ${intervals(set)} ${budget === undefined ? null : note("caution", budget)}`;
    }),
  };
}

/**
 * A sentence with the 95 % interval of each network's set accuracy under the first condition. The interval is
 * that of the mean accuracy over seeds for the number of test images.
 */
function intervals(set: DigitsReport): Html {
  const { id } = set.conditions[0]!;
  const { testImages } = set.provenance;
  const parts = set.models.flatMap(({ id: model, label }) => {
    const summary = set.rows.find((row) => row.model === model && row.condition === id)?.metrics.setAccuracy;
    if (!summary) return [];
    // The seeds share their test images, so each image counts once.
    const { low, high } = wilsonInterval(Math.round(summary.mean * testImages), testImages);
    return [`${label} ${percent(low)} to ${percent(high)} %`];
  });
  return markup`<p><small>95 % Wilson intervals of set accuracy from ${testImages} test images (they do not include the differences between seeds): ${parts.join("; ")}.</small></p>`;
}

const LAYERS = [
  { name: "first layer", source: undefined },
  { name: "convolution", source: "convolution" },
  { name: "hidden layer", source: "hidden" },
  { name: "read-out", source: "readout" },
] as const;

/** Section with polar plots of every layer at the last timestep, for the first image. */
function layerSection(set: DigitsReport): Section | undefined {
  const sample = set.phasePictures[0];
  const networks = sample?.phases.filter(({ layers = [] }) => layers.length > 0) ?? [];
  if (!sample || networks.length === 0) return undefined;
  return {
    ...heading(set, "layers", "Phases of every layer"),
    lead: "The first image at the last timestep. Each dot is a unit: its angle is the unit’s phase, its radius the unit’s magnitude. A dot has the colour of the digit on which its unit lies; in the read-out, it has the colour of the digit that the unit stands for (grey if that digit is not in the image). Hidden units have no position in the image, so their dots do not have the colour of a digit.",
    body: table({
      label: `Polar plots of the layers, ${set.title}`,
      head: ["Network", ...LAYERS.map(({ name }) => name)],
      rows: networks.map((network) => ({
        name: set.models.find(({ id }) => id === network.model)!.label,
        cells: LAYERS.map(({ name, source }): Content => {
          const plot = source === undefined ? firstLayer(sample, network) : deeper(sample, network, source);
          return markup`<span class="polar" style="display:block;width:132px;background:#0d0f13;border-radius:6px">${polarPlot(
            plot.plane,
            plot.objects,
            sample.labels.length,
            `${name}: the angle is the phase, the radius the magnitude`,
          )}</span>`;
        }),
      })),
    }),
  };
}

type Network = PhasePicture["phases"][number];

interface Plot {
  readonly plane: PhasePlane;
  readonly objects: ArrayLike<number>;
}

/** The active units of the first layer. */
function firstLayer(
  { masks, width, height }: PhasePicture,
  { timesteps, amplitudes, channels }: Network,
): Plot {
  const objects = Uint8Array.from({ length: amplitudes.length }, (_, i) =>
    owner(masks, i % (width * height)),
  );
  const phase = Float32Array.from(timesteps.at(-1)!);
  return { plane: planeOf(phase, Float32Array.from(amplitudes), channels), objects };
}

function deeper(sample: PhasePicture, { layers = [] }: Network, source: string): Plot {
  const { real, imaginary } = layers.find(({ name }) => name === source)!;
  const phase = Float32Array.from(real, (x, i) => Math.atan2(imaginary[i]!, x));
  const amplitude = Float32Array.from(real, (x, i) => Math.hypot(x, imaginary[i]!));
  const objects = Uint8Array.from(real, (_, i) => {
    if (source === "hidden") return 0;
    if (source === "readout") return sample.labels.indexOf(i) + 1;
    const side = sample.width / 2;
    const [y, x] = [Math.floor((i % (side * side)) / side), i % side];
    return owner(sample.masks, 2 * y * sample.width + 2 * x);
  });
  return { plane: planeOf(phase, amplitude, 1), objects };
}

/** The number of the object whose mask contains a pixel, or 0 if none does. */
function owner(masks: PhasePicture["masks"], pixel: number): number {
  return masks.findIndex((mask) => mask[pixel]! > 0.5) + 1;
}

function planeOf(phase: Float32Array, amplitude: Float32Array, rows: number): PhasePlane {
  return { height: rows, width: phase.length / rows, phase, amplitude };
}

async function scatterSection(report: SynchronyReport): Promise<Section | undefined> {
  const all = synchronyPoints(report);
  const chart = await synchronyScatter(all);
  if (!chart) return undefined;
  const dynamic = all.filter(({ model }) => model !== "ideal phases" && model !== "random phases");
  const correlation = rankCorrelation(
    dynamic.map(({ ari }) => ari),
    dynamic.map(({ setAccuracy }) => setAccuracy),
  );
  const words =
    correlation === undefined
      ? "There are too few points for a correlation."
      : `Rank correlation over ${dynamic.length} points, only of networks whose phases follow Kuramoto dynamics: ${number(correlation, 2)}. Conditions differ in more than synchrony, so the correlation does not show a cause.`;
  return {
    id: "synchrony",
    title: "Synchrony against accuracy",
    lead: words,
    body: chartFigure(
      chart,
      "One point for each network with phases and each condition, mean over seeds. Horizontal axis: how well the phases alone tell the objects apart (adjusted Rand index of the clusters that the phases of active units form at the last timestep, against the masks). Vertical axis: set accuracy.",
    ),
  };
}

function ablationSection({ ablation }: SynchronyReport): Section | undefined {
  const [trained] = ablation;
  if (!trained) return undefined;
  return {
    id: "ablation",
    title: "What changes it",
    lead: "KomplexNet was trained on two digits. Here it is tested on clean images with other dynamics, without further training. ± is half of the 95 % interval over seeds and test images.",
    body: table({
      label: "Ablation of timesteps, epsilon and coupling size",
      head: ["Dynamics", "Set accuracy in %", "Difference to training", "Phases against masks (ARI)"],
      rows: ablation.map((row) => ({
        name: row.trained ? `as trained: ${row.label}` : row.label,
        cells: [
          percent(meanOf(row, "setAccuracy")),
          row.trained ? "" : difference(row, trained),
          number(meanOf(row, "ari"), 2),
        ],
      })),
    }),
  };
}

function meanOf({ runs }: AblationRow, name: "setAccuracy" | "ari"): number {
  return runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
}

function difference(row: AblationRow, trained: AblationRow): string {
  const perSeed = row.runs.map(({ seed, right }) => {
    const base = trained.runs.find((run) => run.seed === seed)!.right;
    return Array.from(right, (hit, i) => Number(hit) - Number(base[i]));
  });
  const judged = judgeDifferences(perSeed.map(average), errorOverImages(perSeed));
  return `${sizeText(judged)}${judged.status === "undecided" ? " (undecided)" : ""}`;
}

async function kernelSection({ kernels }: SynchronyReport): Promise<Section | undefined> {
  if (kernels.length === 0) return undefined;
  const average = (pick: (kernel: (typeof kernels)[number]) => readonly number[]) =>
    pick(kernels[0]!).map((_, t) => ({
      x: t + 1,
      y: kernels.reduce((sum, kernel) => sum + pick(kernel)[t]!, 0) / kernels.length,
    }));
  const [before, after] = [average((kernel) => kernel.before), average((kernel) => kernel.after)];
  const block = await lineBlock(
    "kernel-training",
    {
      x: { title: "Timestep", format: "d" },
      y: { title: "Synchrony loss", format: ".2f" },
      series: [
        { name: "pretrained", points: after },
        { name: "Gaussian start", points: before },
      ],
    },
    `Synchrony loss per timestep before and after training the kernel: ${number(before.at(-1)!.y)} and ${number(after.at(-1)!.y)} at the last timestep.`,
  );
  return {
    id: "kernels",
    title: "A kernel trained for synchrony",
    lead: "Only the coupling is trained, to lower the synchrony loss at the last timestep. The Gabor filters are frozen, as in the authors’ earlier work (CCN 2023).",
    body: chartFigure(block, "Mean over seeds, on scenes that training did not use. Lower is better."),
  };
}

function sheetSection({ sheets }: SynchronyReport): Section | undefined {
  if (sheets.length === 0) return undefined;
  return {
    id: "conditions",
    title: "The conditions",
    lead: "The first test scenes as the networks get them, with one row for each condition.",
    body: sheets.map(({ title, uri }, i) => {
      const picture = markup`<img src="${uri}" alt="Contact sheet: ${title}, a row for each condition" style="max-width:100%">`;
      return i === 0 ? figure(picture, title) : details(title, figure(picture, title));
    }),
  };
}

/** Chart of accuracy against synchrony, or `undefined` if there are no points. */
export async function synchronyScatter(points: readonly SynchronyPoint[]): Promise<ChartBlock | undefined> {
  if (points.length === 0) return undefined;
  const chart = scatterChart({
    x: { title: "Phases against masks (ARI)", format: ".1f" },
    y: { title: "Set accuracy", format: ".0%" },
    points: points.map(({ set, model, condition, ari, setAccuracy }) => ({
      group: set,
      name: `${model}, ${condition}`,
      x: ari,
      y: setAccuracy,
    })),
  });
  return chartBlock("synchrony-accuracy", chart, `Accuracy against synchrony, ${points.length} points.`);
}
