import type { ChartBlock } from "../../report/chart-block.js";
import { chartFigure, lineBlock } from "../../report/chart-block.js";
import type { LinePoint } from "../../report/charts.js";
import type { Content, Html, Section } from "../../report/html.js";
import { markup, note, number, percent, table } from "../../report/html.js";
import type { SeedSummary } from "../../report/over-seeds.js";
import { ends, overSeeds, seriesOverSeeds, spreadCell } from "../../report/over-seeds.js";
import { experimentPage, provenanceRows } from "../../report/provenance-node.js";
import { betterMark, sizeText, undecidedText, verdictList } from "../../report/verdict.js";
import { fieldSection, segmentSection } from "./page-pictures.js";
import type {
  Comparison,
  DiscoveryCurve,
  DiscoverySet,
  ObjectDiscoveryReport,
  ReportModel,
} from "./results.js";
import { checkDiscoveryReport, rowLabel } from "./results.js";

/** The report of the object-discovery experiment as one self-contained HTML file. */
export async function objectDiscoveryPage(report: ObjectDiscoveryReport): Promise<string> {
  checkDiscoveryReport(report);
  const sections: (Section | undefined)[] = [summarySection(report)];
  for (const set of report.sets) {
    sections.push(segmentSection(report, set), fieldSection(report, set));
    sections.push(await energySection(report, set), await learningSection(report, set));
    sections.push(groupSection(report, set));
  }
  sections.push(networkSection(report));
  return experimentPage(report, { sections, provenance: pageProvenance(report) });
}

const labelOf = (report: ObjectDiscoveryReport, model: string): string =>
  report.models.find(({ id }) => id === model)!.label;

/** One sentence on the result of a set. */
export function discoveryHeadline(report: ObjectDiscoveryReport, set: DiscoverySet): string {
  const best = set.rows.reduce((a, b) => (b.foregroundAri.mean > a.foregroundAri.mean ? b : a));
  const name = rowLabel(labelOf(report, best.model), best.upTiling);
  return `${set.title}: the best segments are those of ${name}, with FG-ARI ${percent(best.foregroundAri.mean)} % and MBO ${percent(best.bestOverlap.mean)} % (before training ${percent(best.untrained.foregroundAri.mean)} % and ${percent(best.untrained.bestOverlap.mean)} %).`;
}

/** "AKOrN (attn) against ItrSA: +4.2 ± 1.0 points of FG-ARI". */
export function comparisonText(report: ObjectDiscoveryReport, comparison: Comparison): string {
  const { model, control, upTiling, judged } = comparison;
  const name = `${labelOf(report, model)} against ${labelOf(report, control)}`;
  return `${rowLabel(name, upTiling)}: ${sizeText(judged)} of FG-ARI`;
}

/** A sentence on how this run falls short of the paper's recipe; undefined if it does not. */
export function budgetText({ budget }: DiscoverySet): string | undefined {
  const { views, channels, paper } = budget;
  if (views >= paper.views && channels >= paper.channels) return undefined;
  const share = number((100 * views) / paper.views, 2);
  const width = channels < paper.channels ? `, with ${channels} channels instead of ${paper.channels}` : "";
  return `A reduced budget: each network saw ${views.toLocaleString("en-GB")} views, ${share} % of the ${paper.views.toLocaleString("en-GB")} in the paper's recipe${width}. The paper's columns show the full recipe; this run is not expected to reach them.`;
}

function summarySection(report: ObjectDiscoveryReport): Section {
  return {
    id: "summary",
    title: "In short",
    lead: "Networks learn without labels: the loss only compares two views of the same image. Then the features of each test scene are clustered, and the clusters are compared with the true objects.",
    body: report.sets.map((set) => {
      const budget = budgetText(set);
      return markup`<h3>${set.title}</h3>
        <p>${set.description} ${set.source}</p>
        <p>${discoveryHeadline(report, set)}</p>
        ${verdicts(report, set)} ${budget === undefined ? null : note("caution", budget)} ${scoreTable(report, set)}`;
    }),
  };
}

function verdicts(report: ObjectDiscoveryReport, set: DiscoverySet): Html | null {
  if (set.comparisons.length === 0) return null;
  return verdictList(
    set.comparisons.map((comparison) => {
      const { seeds, status } = comparison.judged;
      const from = `95 % interval over ${set.testScenes} scenes${seeds > 1 ? ` and ${seeds} seeds` : ""}`;
      const sentence = markup`${comparisonText(report, comparison)} <small>(${from})</small> ${undecidedText(comparison.judged)}`;
      return [betterMark(status), sentence];
    }),
  );
}

function scoreTable(report: ObjectDiscoveryReport, set: DiscoverySet): Html {
  const cell = (summary: SeedSummary) => spreadCell(summary, percent);
  const paper = (score: readonly [number, number] | undefined) =>
    score === undefined ? "" : `${score[0].toFixed(1)} ± ${score[1].toFixed(1)}`;
  const rows = set.rows.map(
    ({ model, upTiling, untrained, foregroundAri, bestOverlap, paper: reported }) => ({
      name: rowLabel(labelOf(report, model), upTiling),
      cells: [
        cell(foregroundAri),
        cell(bestOverlap),
        cell(untrained.foregroundAri),
        cell(untrained.bestOverlap),
        paper(reported?.foregroundAri),
        paper(reported?.bestOverlap),
      ] as Content[],
    }),
  );
  const { colourControl } = set;
  if (colourControl) {
    const name = markup`colour alone<small>without a network: every colour of an image is a segment</small>`;
    const { foregroundAri, bestOverlap } = colourControl;
    rows.push({ name, cells: [percent(foregroundAri), percent(bestOverlap), "", "", "", ""] } as never);
  }
  return markup`${table({
    caption: `${set.title}: ${set.testScenes} test scenes`,
    label: `Scores, ${set.title}`,
    head: [
      "Network",
      "FG-ARI in %",
      "MBO in %",
      markup`FG-ARI<small>before training</small>`,
      markup`MBO<small>before training</small>`,
      markup`FG-ARI<small>paper, full recipe</small>`,
      markup`MBO<small>paper, full recipe</small>`,
    ],
    rows,
    foreign: [4, 5],
  })}
    <p><small>FG-ARI: adjusted Rand index over the pixels of objects. MBO: mean best overlap (intersection over union) of
      every object, background pixels included. Mean ± standard deviation over seeds; click a score to see each seed.</small></p>`;
}

async function energySection(report: ObjectDiscoveryReport, set: DiscoverySet): Promise<Section | undefined> {
  const chart = await energyChart(report.models, set);
  if (!chart) return undefined;
  return {
    id: `${set.id}-energies`,
    title: `${set.title}: energy`,
    lead: "E = −Σ x · (Conn(x) + c), divided by the number of oscillators: x are the oscillators, Conn(x) is their coupling, and c comes from the image. The energy is low if each oscillator agrees with the pull of its neighbours and of the image. It falls at every timestep if the coupling is symmetric; here the coupling need not be symmetric, and the loss does not contain the energy.",
    body: chartFigure(
      chart,
      "Energy of the state before each timestep, mean over oscillators and test scenes. With several seeds, the line is their mean and the band their range.",
    ),
  };
}

async function learningSection(
  report: ObjectDiscoveryReport,
  set: DiscoverySet,
): Promise<Section | undefined> {
  const charts = await trainingCharts(report.models, set);
  if (charts.length === 0) return undefined;
  return {
    id: `${set.id}-learning`,
    title: `${set.title}: learning`,
    lead: "The scores belong to the moving average of the weights. Even untrained features separate colours and positions, so the curves do not start at 0.",
    body: charts.map((chart) =>
      chartFigure(chart, "With several seeds, lines are means and bands are ranges."),
    ),
  };
}

function groupSection(report: ObjectDiscoveryReport, set: DiscoverySet): Section | undefined {
  if (set.groups.length < 2) return undefined;
  const rows = set.rows.map(({ model, upTiling }) => ({
    name: rowLabel(labelOf(report, model), upTiling),
    cells: set.groups.map(({ scores }) => {
      const own = scores.find((score) => score.model === model && score.upTiling === upTiling);
      return own === undefined ? "" : percent(own.foregroundAri);
    }),
  }));
  return {
    id: `${set.id}-colours`,
    title: `${set.title}: beyond colour`,
    lead: "If all objects of a scene differ in colour, colour is enough to tell them apart. If two share a colour, a network needs their shapes and positions.",
    body: table({
      label: `FG-ARI by colours, ${set.title}`,
      head: [
        "FG-ARI in %",
        ...set.groups.map(({ label, scenes }) => markup`${label}<small>${scenes} scenes</small>`),
      ],
      rows,
    }),
  };
}

function networkSection(report: ObjectDiscoveryReport): Section {
  const count = (model: string) =>
    report.sets.flatMap(({ rows }) => rows).find((row) => row.model === model)?.parameters;
  return {
    id: "networks",
    title: "The networks",
    body: table({
      label: "Networks",
      head: [
        "Network",
        "Trained parameters",
        markup`<span style="display:block;text-align:left">What it is</span>`,
      ],
      rows: report.models.map(({ id, label, description }) => ({
        name: label,
        cells: [
          count(id)?.toLocaleString("en-GB"),
          markup`<span style="display:block;white-space:normal;text-align:left">${description}</span>`,
        ],
      })),
    }),
  };
}

function pageProvenance({ scale, sets, provenance }: ObjectDiscoveryReport) {
  const training = sets.map(({ title, budget }): [string, string] => [
    `Training, ${title}`,
    `${budget.steps.toLocaleString("en-GB")} steps of ${budget.batchSize} images, two views of each, out of ${budget.trainScenes.toLocaleString("en-GB")} scenes; ${budget.channels} channels; temperature ${budget.temperature}`,
  ]);
  return provenanceRows(scale, provenance, training, provenance.more);
}

/**
 * Charts of the FG-ARI on validation scenes and of the contrastive loss against training views; a chart
 * without curves is left out. Chance is the loss of uninformative features.
 */
async function trainingCharts(
  models: readonly ReportModel[],
  { id, learningCurves, paperGoal, budget }: DiscoverySet,
): Promise<ChartBlock[]> {
  const seriesOf = (points: (curve: DiscoveryCurve) => readonly LinePoint[]) =>
    seriesOverSeeds(models, (network) =>
      learningCurves.filter(({ model }) => model === network.id).map(points),
    );
  const scores = seriesOf((curve) => curve.scores.map(({ views: x, foregroundAri: y }) => ({ x, y })));
  const losses = seriesOf((curve) => curve.losses.map(({ views: x, loss: y }) => ({ x, y })));
  const x = { title: "Training views seen", format: "~s" };
  const rules = paperGoal && [{ y: paperGoal.foregroundAri, label: paperGoal.label }];
  const chance = Math.log(2 * budget.batchSize - 1);
  const blocks: ChartBlock[] = [];
  if (scores.length > 0)
    blocks.push(
      await lineBlock(
        `${id}-scores`,
        { x, y: { title: "FG-ARI", format: ".0%" }, series: scores, ...(rules && { rules }) },
        `FG-ARI on validation scenes while training. ${ends(scores)}.`,
        { heading: "FG-ARI on validation scenes, no up-tiling" },
      ),
    );
  if (losses.length > 0)
    blocks.push(
      await lineBlock(
        `${id}-losses`,
        {
          x,
          y: { title: "Contrastive loss", format: ".1f" },
          series: losses,
          rules: [{ y: chance, label: "chance" }],
        },
        `Contrastive loss while training; chance ${number(chance)}. ${ends(losses, number)}.`,
        { heading: "Contrastive loss of training" },
      ),
    );
  return blocks;
}

/**
 * Chart of the energy of an oscillator at each timestep, before and after training, or `undefined` if no
 * network has oscillators.
 */
async function energyChart(
  models: readonly ReportModel[],
  set: DiscoverySet,
): Promise<ChartBlock | undefined> {
  const layers = Math.max(0, ...set.energies.map(({ layer }) => layer));
  const series = models.flatMap(({ id, label }) =>
    Array.from({ length: layers }, (_, i) => i + 1).flatMap((layer) => {
      const own = set.energies.filter((curve) => curve.model === id && curve.layer === layer);
      if (own.length === 0) return [];
      const name = layers > 1 ? `${label}, layer ${layer}` : label;
      return (["trained", "untrained"] as const).map((when) => ({
        name: when === "trained" ? name : `${name}, before training`,
        points: overSeeds(own.map((curve) => curve[when].map((y, t) => ({ x: t, y })))),
      }));
    }),
  );
  if (series.length === 0) return undefined;
  return lineBlock(
    `${set.id}-energy`,
    {
      x: { title: "Steps done", format: "d" },
      y: { title: "Energy of an oscillator", format: ".2f" },
      series: series.map((one, style) => ({ ...one, style })),
    },
    `Energy over the timesteps. ${ends(series, (value) => number(value))}.`,
  );
}
