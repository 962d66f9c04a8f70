import { CATEGORICAL, meanPhases } from "../../draw/index.js";
import { chartFigure } from "../../report/chart-block.js";
import type { Card, Content, Html, Section } from "../../report/html.js";
import { cards, details, markup, note, number, percent, table } from "../../report/html.js";
import { spreadCell } from "../../report/over-seeds.js";
import { channelGallery, phaseLegend, phasePlayer } from "../../report/phase-player.js";
import { provenanceRows } from "../../report/provenance-node.js";
import { HOW_JUDGED, mark, points, verdictList } from "../../report/verdict.js";
import { accuracyBars, learningChart, pairChart, styleOf, timestepCharts } from "./charts.js";
import type { DigitsReport, DigitsModelDescription, PhasePicture, ResultRow } from "./results.js";
import { chanceLevel, heading, METRICS, result, SET_ACCURACY } from "./results.js";
import { budgetRemark, digitsHeadline, judge } from "./verdict.js";

/** The accuracies under the first condition and the verdicts that follow from them. */
export function digitsSummarySection(report: DigitsReport): Section {
  const condition = report.conditions[0]!;
  const results = report.models.flatMap((model): Card[] => {
    const summary = result(report, model.id, condition.id);
    if (!summary) return [];
    const { mean, std, values } = summary;
    const authors = referenceOf(report, model);
    return [
      {
        colour: colourOf(report, model),
        name: model.label,
        value: percent(mean),
        unit: std === null ? " %" : ` % ± ${percent(std)}`,
        aside: markup`${values.length === 1 ? "one seed" : `mean ± s.d. of ${values.length} seeds`}${
          authors === undefined ? null : markup`<br>authors’ code: ${percent(authors)} %`
        }`,
      },
    ];
  });
  const budget = budgetRemark(report);
  return {
    ...heading(report, "summary", "In short"),
    lead: digitsHeadline(report),
    body: markup`${cards(results)}
      ${verdicts(report)}
      ${budget === undefined ? null : note("caution", budget)}`,
  };
}

/** The list of verdicts under the first condition. */
export function verdicts(report: DigitsReport): Html {
  const judged = judge(report, report.conditions[0]!.id);
  return verdictList(judged.map((verdict) => [mark(verdict), verdict.sentence]));
}

/** Section with every accuracy as a table and as bars, and with the other measures. */
export async function digitsAccuracySection(report: DigitsReport): Promise<Section> {
  const bars = await accuracyBars(report);
  const pairs = await pairChart(report);
  const pairModel = report.models.find((model) => model.id === report.pairAccuracy?.model)?.label;
  return {
    ...heading(report, "accuracy", "Accuracy"),
    lead: markup`An image counts as right only if its ${report.digits} most probable classes are exactly its digits
    (set accuracy, chance ${percent(chanceLevel(report.digits))} %).`,
    body: markup`${accuracyTable(report)}
    ${report.reference ? note("note", markup`Shaded column: ${report.reference.description}`) : null}
    ${
      bars
        ? chartFigure(
            bars,
            markup`<b>Bars</b> are means over seeds, lines show ± one standard deviation, and each dot is one seed. In every group, compare KomplexNet with random phases: the network is the same, only the phases differ. The dashed line is chance.`,
          )
        : null
    }
    ${otherMetrics(report)}
    ${
      pairs
        ? chartFigure(
            pairs,
            markup`Set accuracy of ${pairModel} for each pair of digits, on clean images. Dark squares are pairs on which the network often errs.`,
          )
        : null
    }`,
  };
}

/** Section with accuracy and synchrony after every timestep, or `undefined` if no curves exist. */
export async function timestepSection(report: DigitsReport): Promise<Section | undefined> {
  const accuracy = await timestepCharts(report, "accuracy");
  const synchrony = await timestepCharts(report, "synchrony");
  if (!accuracy && !synchrony) return undefined;
  const better = report.synchronyMeasure?.better ?? "lower";
  return {
    ...heading(report, "timesteps", "Over the timesteps"),
    lead: "One forward pass, timestep by timestep. If it is synchrony that helps, accuracy rises as the phases of the digits separate.",
    body: markup`${
      accuracy
        ? chartFigure(
            accuracy,
            "Set accuracy of the read-out after each Kuramoto step. Only the accuracy of KomplexNet can rise: random phases never change, and ideal phases are right from the start. Bands: range over seeds.",
          )
        : null
    }${
      synchrony
        ? chartFigure(
            synchrony,
            markup`How well the phases separate the digits (${better} is better). ${synchronySentence(report)}`,
          )
        : null
    }`,
  };
}

/** A sentence on how much the synchrony under the first condition changes from the first to the last timestep. */
function synchronySentence(report: DigitsReport): string {
  const model = report.models.find((one) => one.role === "kuramoto");
  const condition = report.conditions[0]!;
  const runs = report.synchronyPerTimestep.filter(
    (series) => series.model === model?.id && series.condition === condition.id && series.values.length > 1,
  );
  if (!model || runs.length === 0) return "";
  const mean = (pick: (values: readonly number[]) => number): number =>
    runs.reduce((sum, { values }) => sum + pick(values), 0) / runs.length;
  const [first, last] = [mean((values) => values[0]!), mean((values) => values.at(-1)!)];
  return `${model.label}, ${condition.label.toLowerCase()}: from ${number(first)} after the first step to ${number(last)} after the last.`;
}

/** Section with the curves of training, or `undefined` if no curves exist. */
export async function digitsLearningSection(report: DigitsReport): Promise<Section | undefined> {
  const accuracy = await learningChart(report, "setAccuracy");
  const loss = await learningChart(report, "loss");
  if (!accuracy && !loss) return undefined;
  return {
    ...heading(report, "learning", "Learning"),
    lead: "Every model saw the same number of training images.",
    body: markup`${
      accuracy
        ? chartFigure(
            accuracy,
            markup`Lines: our networks, mean over seeds; bands: range over seeds.
            ${
              report.reference
                ? markup`<b>Thin lines with hollow points: the authors’ code</b> (one seed, batches of 32, test images; not the paper’s
                    figures). `
                : null
            }The question is when KomplexNet rises above random phases.`,
          )
        : null
    }${loss ? chartFigure(loss, "Binary cross-entropy; lower is better.") : null}`,
  };
}

/** The colour of a model in tables and charts. */
export function colourOf(report: DigitsReport, model: DigitsModelDescription): string {
  return CATEGORICAL[styleOf(report, model) % CATEGORICAL.length]!;
}

/** The authors' figure for a model, if there is one. */
export function referenceOf(report: DigitsReport, model: DigitsModelDescription): number | undefined {
  return report.reference?.rows.find((row) => row.role === model.role)?.setAccuracy;
}

function modelName(report: DigitsReport, model: DigitsModelDescription): Html {
  const facts = [
    model.description,
    model.parameters === undefined ? undefined : `${model.parameters.toLocaleString("en-GB")} parameters`,
  ].filter((fact) => fact !== undefined);
  return markup`<span class="swatch" style="background:${colourOf(report, model)}"></span>${model.label}${facts.map((fact) => markup`<small>${fact}</small>`)}`;
}

/** Table of models by conditions, with the reference column. */
export function accuracyTable(report: DigitsReport): Html {
  const { reference, conditions } = report;
  const columnHead = (label: string, description: string | undefined): Html =>
    markup`${label}${description ? markup`<small>${description}</small>` : null}`;
  return table({
    label: "Set accuracy by model and condition",
    caption: "Set accuracy in %, mean ± standard deviation over seeds",
    head: [
      "Model",
      ...conditions.map(({ label, description }) => columnHead(label, description)),
      ...(reference ? [columnHead(reference.heading, `${reference.condition}, one seed`)] : []),
    ],
    foreign: reference ? [conditions.length] : [],
    rows: report.models.map((model) => {
      const authors = referenceOf(report, model);
      return {
        name: modelName(report, model),
        cells: [
          ...conditions.map(({ id }) => metricCell(report, model.id, id, SET_ACCURACY)),
          ...(reference
            ? [
                authors === undefined
                  ? "–"
                  : markup`${percent(authors)}<small>s.e. ${number(100 * reference.standardError, 1)}</small>`,
              ]
            : []),
        ],
      };
    }),
  });
}

function metricCell(report: DigitsReport, model: string, condition: string, metric: string): Content {
  const summary = result(report, model, condition, metric);
  if (!summary) return "–";
  const format = METRICS[metric]?.kind === "fraction" ? percent : (value: number) => number(value, 3);
  return spreadCell(summary, format);
}

/** A folded table for each further measure, or `null` if there are none. */
export function otherMetrics(report: DigitsReport): Html | null {
  const measured = (row: ResultRow): string[] => Object.keys(row.metrics);
  const names = [...new Set(report.rows.flatMap(measured))].filter((name) => name !== SET_ACCURACY);
  if (names.length === 0) return null;
  return details(
    `Other measures (${names.length})`,
    names.map((name) => {
      const metric = METRICS[name];
      const unit = metric?.kind === "fraction" ? " in %" : "";
      const better = metric ? `, ${metric.better} is better` : "";
      return table({
        label: metric?.label ?? name,
        caption: `${metric?.label ?? name}${unit}${better}`,
        head: ["Model", ...report.conditions.map(({ label }) => label)],
        rows: report.models.map((model) => ({
          name: model.label,
          cells: report.conditions.map(({ id }) => metricCell(report, model.id, id, name)),
        })),
      });
    }),
  );
}

/**
 * Section with a table of the claims under each condition, or `undefined` if no two models can be compared.
 */
export function orderingSection(report: DigitsReport): Section | undefined {
  const verdicts = report.conditions.map(({ id }) => judge(report, id));
  const claims = verdicts.find((list) => list.length > 0);
  if (!claims) return undefined;
  const rows = claims.map(({ better, worse }) => ({
    name: markup`${better.label} &gt; ${worse.label}`,
    cells: verdicts.map((list) => {
      const verdict = list.find((one) => one.better === better && one.worse === worse);
      if (!verdict) return "–";
      return markup`${mark(verdict)}${spreadCell({ mean: verdict.mean, std: null, values: verdict.pairs }, points)}<small>± ${percent(verdict.margin)}</small>`;
    }),
  }));
  return {
    ...heading(report, "ordering", "Does the ordering hold?"),
    lead: `Differences in set accuracy in percentage points. ${HOW_JUDGED}`,
    body: table({
      label: "Paired differences by claim and condition",
      head: ["Claim", ...report.conditions.map(({ label }) => label)],
      rows,
    }),
  };
}

function sameSet(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((label) => other.includes(label));
}

function listed(labels: readonly number[]): string {
  return [...labels].sort((a, b) => a - b).join(" and ");
}

function player(report: DigitsReport, sample: PhasePicture, position: number): Html {
  const { height, width, labels } = sample;
  const label = (id: string): string => report.models.find((model) => model.id === id)?.label ?? id;
  const answer = (id: string): Content => {
    const predicted = sample.predictions.find((prediction) => prediction.model === id)?.labels;
    if (!predicted) return null;
    const right = sameSet(predicted, labels);
    return markup`<span class="${right ? "right" : "wrong"}">${right ? "✓" : "✗"} ${listed(predicted)}</span>`;
  };
  const shown = new Set(sample.phases.map(({ model }) => model));
  const others = sample.predictions.filter(({ model }) => !shown.has(model));
  const panels = sample.phases.map(({ model, channels, timesteps, amplitudes }) => ({
    name: label(model),
    remark: answer(model),
    planes: timesteps.map((phases) => meanPhases({ channels, height, width, phases, amplitudes })),
  }));
  const first = sample.phases[0];
  return markup`${phasePlayer({
    title: `Sample ${position + 1}: a ${listed(labels).replace(/ and /g, " and a ")}`,
    remark:
      others.length > 0
        ? markup`Without phases:
          ${others.map(({ model }, i) => markup`${i > 0 ? ", " : null}${label(model)} ${answer(model)}`)}`
        : null,
    height,
    width,
    image: sample.image,
    masks: sample.masks,
    objectNames: labels.map((digit) => `the ${digit}`),
    panels,
  })}${
    first && position === 0
      ? details(
          `All ${first.channels} channels of ${label(first.model)} at the last timestep`,
          channelGallery(
            {
              channels: first.channels,
              height,
              width,
              phases: first.timesteps.at(-1)!,
              amplitudes: first.amplitudes,
            },
            label(first.model),
          ),
        )
      : null
  }`;
}

/**
 * Section that plays every network's phases on sample images, or `undefined` if there are no samples. Only
 * the first such section of a page has the legend.
 */
export function phaseSection(report: DigitsReport, legend = true): Section | undefined {
  if (report.phasePictures.length === 0) return undefined;
  return {
    ...heading(report, "phases", "Phases on the digits"),
    lead:
      "KomplexNet starts with random colours. Under Kuramoto coupling, the strokes of one digit settle on one " +
      "colour and the other digit on the opposite one. Random phases never settle, and ideal phases are set from the masks.",
    body: markup`${
      legend &&
      phaseLegend(
        markup`<strong>Colour is phase, opacity is amplitude.</strong> Each pixel shows the amplitude-weighted
        circular mean over the channels. In the round plots, each active pixel is a dot at its phase (angle)
        and amplitude (radius), coloured by the digit it belongs to: two tight bunches on opposite sides mean that the phases tell the digits apart. A ring shows a digit’s order parameter: a ring at the rim means that all phases of the digit agree.`,
      )
    }
    ${report.phasePictures.map((sample, i) => player(report, sample, i))}`,
  };
}

/** Rows that say where, when and how a report's networks were trained and tested. */
export function digitsProvenance({ scale, provenance }: DigitsReport) {
  const { steps, batchSize, imagesSeen, testImages, more } = provenance;
  const own: [string, Content][] = [
    [
      "Training of each model and seed",
      `${steps.toLocaleString("en-GB")} steps of ${batchSize}: ${imagesSeen.toLocaleString("en-GB")} images`,
    ],
    ["Clean test images", testImages.toLocaleString("en-GB")],
  ];
  return provenanceRows(scale, provenance, own, more);
}
