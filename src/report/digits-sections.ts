import { markup, note, number, percent } from "./html.js";
import type { Section } from "./html.js";
import { chartFigure } from "./chart-block.js";
import {
  accuracyBars,
  accuracyCurves,
  accuracyPerTimestep,
  lossCurves,
  pairChart,
  synchronyPerTimestep,
} from "./digits-charts.js";
import { chanceLevel, heading, result } from "./digits-data.js";
import type { DigitsReport } from "./digits-data.js";
import { accuracyTable, colourOf, mark, otherMetrics, referenceOf } from "./digits-tables.js";
import { budgetRemark, headline, judge } from "./verdict.js";

/** The first condition's accuracies and what they decide. */
export function summarySection(report: DigitsReport): Section {
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
    ...heading(report, "summary", "In short"),
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

/** Every accuracy, as table, bars and other measures. */
export async function accuracySection(report: DigitsReport): Promise<Section> {
  const bars = await accuracyBars(report);
  const pairs = await pairChart(report);
  const pairModel = report.models.find((model) => model.id === report.pairAccuracy?.model)?.label;
  return {
    ...heading(report, "accuracy", "Accuracy"),
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

/** Accuracy and synchrony after every timestep; `undefined` where there are none. */
export async function timestepSection(report: DigitsReport): Promise<Section | undefined> {
  const accuracy = await accuracyPerTimestep(report);
  const synchrony = await synchronyPerTimestep(report);
  if (!accuracy && !synchrony) return undefined;
  const better = report.synchronyMeasure?.better ?? "lower";
  return {
    ...heading(report, "timesteps", "Over the timesteps"),
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

/** Curves of training; `undefined` where there are none. */
export async function learningSection(report: DigitsReport): Promise<Section | undefined> {
  const accuracy = await accuracyCurves(report);
  const loss = await lossCurves(report);
  if (!accuracy && !loss) return undefined;
  return {
    ...heading(report, "learning", "Learning"),
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
