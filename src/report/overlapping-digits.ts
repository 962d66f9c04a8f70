import { cssGradient, UNIFORM_CYCLE } from "./colour.js";
import { duration, markup, note, number, page, percent, raw } from "./html.js";
import type { Content, Section } from "./html.js";
import { chartFigure } from "./chart-block.js";
import {
  accuracyBars,
  accuracyCurves,
  accuracyPerTimestep,
  lossCurves,
  pairChart,
  synchronyPerTimestep,
} from "./overlapping-digits-charts.js";
import { chanceLevel, checkReport, result } from "./overlapping-digits-data.js";
import type { OverlappingDigitsReport } from "./overlapping-digits-data.js";
import { phaseSection } from "./overlapping-digits-pictures.js";
import {
  accuracyTable,
  colourOf,
  mark,
  orderingSection,
  otherMetrics,
  referenceOf,
} from "./overlapping-digits-tables.js";
import { phaseTables } from "./phase-player.js";
import { PLAYER_SCRIPT } from "./player-script.js";
import { budgetRemark, headline, judge } from "./verdict.js";

export type { OverlappingDigitsReport } from "./overlapping-digits-data.js";

/** The report of the overlapping-digits experiment as one self-contained HTML file. */
export async function overlappingDigitsPage(report: OverlappingDigitsReport): Promise<string> {
  checkReport(report);
  const sections = [
    summarySection(report),
    phaseSection(report),
    await accuracySection(report),
    await timestepSection(report),
    await learningSection(report),
    orderingSection(report),
    onnxSection(report),
  ].filter((section) => section !== undefined);
  const { seeds, wallTimeSeconds, date } = report.provenance;
  return page({
    title: report.title,
    subtitle: report.subtitle,
    facts: [
      `scale: ${report.scale}`,
      `${report.digits} digits per image`,
      seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`,
      duration(wallTimeSeconds),
      date.slice(0, 10),
    ],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections,
    provenance: provenance(report),
    data: phaseTables(),
    scripts: [PLAYER_SCRIPT],
  });
}

function summarySection(report: OverlappingDigitsReport): Section {
  const condition = report.conditions[0]!;
  const cards = report.models.flatMap((model) => {
    const summary = result(report, model.id, condition.id);
    if (!summary) return [];
    const authors = referenceOf(report, model);
    const seeds = summary.values.length;
    return markup`<li class="card" style="--mark:${colourOf(report, model)}">
      <span class="name">${model.label}</span>
      <span class="big">${percent(summary.mean)}<small>
          %${summary.std === null ? null : ` ± ${percent(summary.std)}`}</small></span>
      <span class="aside">${seeds === 1 ? "one seed" : `mean ± s.d. of ${seeds} seeds`}${
        authors === undefined ? null : markup`<br>authors’ code: ${percent(authors)} %`
      }</span>
    </li>`;
  });
  const budget = budgetRemark(report);
  return {
    id: "summary",
    title: "In short",
    lead: headline(report),
    body: markup`<ul class="cards">
        ${cards}
      </ul>
      <ul class="verdicts">
        ${judge(report, condition.id).map(
          (verdict) => markup`<li>${mark(verdict)}<span>${verdict.sentence}</span></li>`,
        )}
      </ul>
      ${budget === undefined ? null : note("caution", budget)}`,
  };
}

async function accuracySection(report: OverlappingDigitsReport): Promise<Section> {
  const bars = await accuracyBars(report);
  const pairs = await pairChart(report);
  const pairModel = report.models.find((model) => model.id === report.pairAccuracy?.model)?.label;
  return {
    id: "accuracy",
    title: "Accuracy",
    lead: markup`An image counts only when its ${report.digits} most probable classes are exactly its digits
    (set accuracy, chance ${percent(chanceLevel(report.digits))} %).`,
    body: markup`${accuracyTable(report)}
    ${report.reference ? note("note", markup`Shaded column: ${report.reference.description}`) : null}
    ${
      bars
        ? chartFigure(
            bars,
            markup`<b>Bars</b> are means, lines ± one standard deviation over seeds, dots the seeds. Look for
              KomplexNet’s bar standing above random phases in every group: same network, only the phases
              differ. Dashed: chance.`,
          )
        : null
    }
    ${otherMetrics(report)}
    ${
      pairs
        ? chartFigure(
            pairs,
            markup`Set accuracy of ${pairModel} for each pair of digits, clean images. Dark cells are pairs that
            it confuses.`,
          )
        : null
    }`,
  };
}

async function timestepSection(report: OverlappingDigitsReport): Promise<Section | undefined> {
  const accuracy = await accuracyPerTimestep(report);
  const synchrony = await synchronyPerTimestep(report);
  if (!accuracy && !synchrony) return undefined;
  const better = report.synchronyMeasure?.better ?? "lower";
  return {
    id: "timesteps",
    title: "Over the timesteps",
    lead: "One forward pass, read out at every timestep. If synchrony does the work, accuracy rises as the phases separate.",
    body: markup`${
      accuracy
        ? chartFigure(
            accuracy,
            "Set accuracy of the read-out after each Kuramoto step. Look for a climb in KomplexNet alone: random phases never change, ideal ones are right from the start. Bands: range over seeds.",
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

/** How much the first condition's synchrony changes from first to last timestep, from the data. */
function synchronySentence(report: OverlappingDigitsReport): string {
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

async function learningSection(report: OverlappingDigitsReport): Promise<Section | undefined> {
  const accuracy = await accuracyCurves(report);
  const loss = await lossCurves(report);
  if (!accuracy && !loss) return undefined;
  return {
    id: "learning",
    title: "Learning",
    lead: "Every model saw the same number of training images.",
    body: markup`${
      accuracy
        ? chartFigure(
            accuracy,
            markup`Lines: ours, mean over seeds with their range.
            ${
              report.reference
                ? markup`<b>Thin lines with hollow points: the authors’ code</b> (one seed, batch 32, test images; not paper
                    figures). `
                : null
            }Look
            for where KomplexNet leaves random phases behind.`,
          )
        : null
    }${loss ? chartFigure(loss, "Binary cross-entropy; lower is better.") : null}`,
  };
}

function onnxSection(report: OverlappingDigitsReport): Section | undefined {
  const check = report.onnxCheck;
  if (!check) return undefined;
  const same = check.maximumDifference <= check.tolerance;
  const [one, other] = check.runtimes ?? ["onnxruntime-node", "onnxruntime-web"];
  return {
    id: "onnx",
    title: "The exported model",
    body: markup`<ul class="verdicts">
      <li>
        <span class="mark ${same ? "holds" : "reversed"}">${same ? "✓ same" : "✗ differs"}</span>
        <span>${check.file ? markup`<code>${check.file}</code> gives the` : "The exported ONNX file gives the"}
          ${same ? "same" : raw("<strong>not the same</strong>")} logits in ${one} and ${other}: largest
          difference ${number(check.maximumDifference, 3)} over ${check.images} images (allowed:
          ${number(check.tolerance, 3)}).</span>
      </li>
    </ul>`,
  };
}

function provenance(report: OverlappingDigitsReport): [string, Content][] {
  const {
    seeds,
    steps,
    batchSize,
    imagesSeen,
    testImages,
    machine,
    versions,
    date,
    wallTimeSeconds,
    command,
    more,
  } = report.provenance;
  return [
    ["Command", markup`<code>${command}</code>`],
    ["Scale", report.scale],
    ["Seeds", seeds.join(", ")],
    [
      "Training, each model and seed",
      `${steps.toLocaleString("en-GB")} steps of ${batchSize}: ${imagesSeen.toLocaleString("en-GB")} images`,
    ],
    ["Test images per condition", testImages.toLocaleString("en-GB")],
    ["Wall time", duration(wallTimeSeconds)],
    ["Date", date],
    ["Machine", machine],
    [
      "Versions",
      Object.entries(versions).map(([name, version], i) => `${i > 0 ? ", " : ""}${name} ${version}`),
    ],
    ...Object.entries(more ?? {}),
  ];
}
