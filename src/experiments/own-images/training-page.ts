import { wilsonInterval } from "../../metrics/statistics.js";
import { lineBlock, chartFigure } from "../../report/chart-block.js";
import type { Section } from "../../report/html.js";
import { cards, details, duration, markup, note, number, percent, table } from "../../report/html.js";
import type { Provenance } from "../../report/provenance-node.js";
import { versionsText } from "../../report/provenance-node.js";
import { page } from "../../report/html.js";
import { CATEGORICAL, UNIFORM_CYCLE, cssGradient } from "../../draw/index.js";
import type { SkippedImage } from "../../data/images/image-source.js";
import { describeSkipped } from "../../data/images/image-source.js";
import type { LoaderScores } from "./scores.js";
import type { ValidationScores } from "./train-network.js";
import type { FoundRate } from "./find-rate.js";
import type { TrainingRecipe } from "./recipe.js";

/** The images of a training run. */
export interface DataFacts {
  readonly name: string;
  readonly classes: readonly string[];
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
  /** Where the parts come from. */
  readonly text: string;
  readonly cautions: readonly string[];
}

/** The results of `striate train`. */
export interface TrainingReport {
  readonly network: string;
  /** What was decided about the network, in sentences. */
  readonly choices: readonly string[];
  readonly data: DataFacts;
  readonly recipe: TrainingRecipe;
  /** Number of trained parameters and of all. */
  readonly trained: number;
  readonly parameters: number;
  /** Mean training loss between two points, by step. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  /** Scores on the validation images, by step. */
  readonly validation: readonly ValidationScores[];
  readonly test: LoaderScores;
  readonly imagesPerSecond: number;
  readonly skipped: readonly SkippedImage[];
  readonly provenance: Provenance;
}

/** The report of a training run as one self-contained HTML file. */
export async function trainingPage(report: TrainingReport): Promise<string> {
  const { network, data, provenance } = report;
  return page({
    title: `${network} on ${data.name}`,
    subtitle: `Training on ${data.classes.length} classes`,
    facts: [
      `${data.counts.train.toLocaleString("en-GB")} training images`,
      duration(provenance.wallTimeSeconds),
      provenance.date.slice(0, 10),
    ],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections: [summarySection(report), await learningSection(report), classSection(report)],
    provenance: provenanceOf(report),
  });
}

/** The best validation accuracy and its step. */
function bestOf({ validation }: TrainingReport): { readonly step: number; readonly accuracy: number } {
  return validation.reduce((best, row) => (row.accuracy > best.accuracy ? row : best), validation[0]!);
}

function summarySection(report: TrainingReport): Section {
  const { test, data, choices, trained, parameters, skipped } = report;
  const right = Math.round(test.accuracy * test.count);
  const { low, high } = wilsonInterval(right, test.count);
  const best = bestOf(report);
  const cautions = [
    ...data.cautions,
    ...(skipped.length > 0
      ? [describeSkipped(skipped, data.counts.train + data.counts.validation + data.counts.test)!]
      : []),
    ...(test.count < 200 ? [`accuracy on ${test.count} test images is uncertain by several percent`] : []),
  ];
  return {
    id: "summary",
    title: "In short",
    lead: `${percent(test.accuracy)} % of ${test.count} test images are right (95 % interval ${percent(low)} to ${percent(high)}). Chance is ${percent(1 / data.classes.length)} %.`,
    body: markup`${cards([
      {
        colour: CATEGORICAL[0],
        name: "test accuracy",
        value: percent(test.accuracy),
        aside: `${test.count} images that were never trained on`,
      },
      {
        colour: CATEGORICAL[1],
        name: "best validation accuracy",
        value: percent(best.accuracy),
        aside: `after step ${best.step}; it chose the weights, so it is too high`,
      },
      {
        colour: CATEGORICAL[2],
        name: "trained parameters",
        value: number(trained),
        unit: "",
        aside: `of ${number(parameters)}`,
      },
    ])}
    ${choices.length > 0 ? markup`<p>The network has ${choices.join("; ")}.</p>` : null}
    ${cautions.map((caution) => note("caution", caution))}`,
  };
}

async function learningSection({ losses, validation, data }: TrainingReport): Promise<Section> {
  const accuracy = await lineBlock(
    "accuracy",
    {
      x: { title: "Training step", format: "~s" },
      y: { title: "Right", format: ".0%" },
      series: [
        { name: "validation images", points: validation.map(({ step, accuracy: y }) => ({ x: step, y })) },
      ],
      rules: [{ y: 1 / data.classes.length, label: "chance" }],
    },
    "Accuracy on the validation images over training",
  );
  const loss = await lineBlock(
    "loss",
    {
      x: { title: "Training step", format: "~s" },
      y: { title: "Loss", format: ".2~f" },
      series: [
        { name: "training images", points: thinned(losses).map(({ step, loss: y }) => ({ x: step, y })) },
        { name: "validation images", points: validation.map(({ step, loss: y }) => ({ x: step, y })) },
      ],
    },
    "Loss on the training and validation images over training",
  );
  return {
    id: "learning",
    title: "Learning",
    lead: "The loss on training images is that of augmented images, with label smoothing; the loss on validation images has neither.",
    body: markup`${chartFigure(accuracy, "Accuracy after each epoch.")}${chartFigure(loss, "Cross-entropy in nats.")}`,
  };
}

const MOST_POINTS = 200;

function thinned<T>(rows: readonly T[]): readonly T[] {
  const every = Math.ceil(rows.length / MOST_POINTS);
  return rows.filter((_, i) => i % every === every - 1 || i === rows.length - 1);
}

function classSection({ test, data }: TrainingReport): Section {
  const rows = data.classes
    .map((name, i) => ({ name, ...test.perClass[i]! }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.right / a.count - b.right / b.count || b.count - a.count);
  const shown = rows.slice(0, 10);
  const asTable = (list: typeof rows, label: string) =>
    table({
      label,
      head: ["Class", "right %", "images"],
      rows: list.map(({ name, count, right }) => ({ name, cells: [percent(right / count), String(count)] })),
    });
  return {
    id: "classes",
    title: "Classes",
    lead: "Accuracy on the test images of each class, the hardest classes first.",
    body: markup`${asTable(shown, "The hardest classes")}
    ${rows.length > shown.length ? details(`All ${rows.length} classes`, asTable(rows, "All classes")) : null}`,
  };
}

function provenanceOf({ provenance, recipe, data, imagesPerSecond }: TrainingReport) {
  const settings = Object.entries(recipe).map(([name, value]) => `${name} ${value}`);
  const { counts } = data;
  return [
    ["Command", markup`<code>${provenance.command}</code>`],
    [
      "Images",
      `${counts.train} to train on, ${counts.validation} for validation, ${counts.test} to test; ${data.text}`,
    ],
    ["Recipe", settings.join(", ")],
    ["Speed", `${number(imagesPerSecond)} images/s`],
    ["Wall time", duration(provenance.wallTimeSeconds)],
    ["Date", provenance.date],
    ["Machine", provenance.machine],
    ["Versions", versionsText(provenance.versions)],
  ] as const;
}

/** A page with the loss at each learning rate that `findRate` tried. */
export async function ratePage(network: string, { points, suggested }: FoundRate): Promise<string> {
  const chart = await lineBlock(
    "rates",
    {
      x: { title: "Learning rate", format: ".0e", logarithmic: true },
      y: { title: "Loss", format: ".2~f" },
      series: [{ name: "loss, averaged", points: points.map(({ rate: x, loss: y }) => ({ x, y })) }],
    },
    "Loss at each learning rate",
  );
  return page({
    title: `Learning rates of ${network}`,
    subtitle: "One training step at each rate, from small to large",
    facts: [`suggested: ${suggested}`],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections: [
      {
        id: "rates",
        title: "Loss at each learning rate",
        lead: `A good rate is where the loss still falls steeply, well before it rises. Suggested: ${suggested}, a tenth of the rate with the smallest loss.`,
        body: chartFigure(chart, "The loss is a moving average over steps."),
      },
    ],
  });
}
