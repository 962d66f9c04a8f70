import { details, markup, number, percent, spreadCell, table } from "./html.js";
import type { Content, Html, Section } from "./html.js";
import { styleOf } from "./digits-charts.js";
import { heading, METRICS, result, SET_ACCURACY } from "./digits-data.js";
import type { ModelDescription, DigitsReport, ResultRow } from "./digits-data.js";
import { CATEGORICAL } from "../draw/index.js";
import { judge, points } from "./verdict.js";
import type { Verdict } from "./verdict.js";

/** The model's colour in tables and charts. */
export function colourOf(report: DigitsReport, model: ModelDescription): string {
  return CATEGORICAL[styleOf(report, model) % CATEGORICAL.length]!;
}

/** The authors' figure for a model, where there is one. */
export function referenceOf(report: DigitsReport, model: ModelDescription): number | undefined {
  return report.reference?.rows.find((row) => row.role === model.role)?.setAccuracy;
}

const MARKS = { holds: "✓ holds", reversed: "✗ reversed", undecided: "? undecided" } as const;

/** A verdict as a word in a pill. */
export function mark(verdict: Pick<Verdict, "status">): Html {
  return markup`<span class="mark ${verdict.status}">${MARKS[verdict.status]}</span>`;
}

function modelName(report: DigitsReport, model: ModelDescription): Html {
  const facts = [
    model.description,
    model.parameters === undefined ? undefined : `${model.parameters.toLocaleString("en-GB")} parameters`,
  ].filter((fact) => fact !== undefined);
  return markup`<span class="swatch" style="background:${colourOf(report, model)}"></span>${model.label}${facts.map((fact) => markup`<small>${fact}</small>`)}`;
}

/** Models by conditions, and the reference column. */
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
  return spreadCell(summary.mean, summary.std, summary.values, format);
}

/** A folded table for each further measure; `null` when there is none. */
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

/** Claims by conditions; `undefined` when no two models can be compared. */
export function orderingSection(report: DigitsReport): Section | undefined {
  const verdicts = report.conditions.map(({ id }) => judge(report, id));
  const claims = verdicts.find((list) => list.length > 0);
  if (!claims) return undefined;
  const rows = claims.map(({ better, worse }) => ({
    name: markup`${better.label} &gt; ${worse.label}`,
    cells: verdicts.map((list) => {
      const verdict = list.find((one) => one.better === better && one.worse === worse);
      if (!verdict) return "–";
      const seeds = verdict.pairs.map(({ seed, difference }) => ({ seed, value: difference }));
      return markup`${mark(verdict)}${spreadCell(verdict.mean, null, seeds, points)}<small>± ${percent(verdict.margin)}</small>`;
    }),
  }));
  return {
    ...heading(report, "ordering", "Does the ordering hold?"),
    lead: "Differences in set accuracy in percentage points, each seed’s two models paired. A claim holds, or is reversed, only when at least two seeds agree and the mean difference exceeds twice its standard error (the larger of the one over seeds and the one from the number of test images).",
    body: table({
      label: "Paired differences by claim and condition",
      head: ["Claim", ...report.conditions.map(({ label }) => label)],
      rows,
    }),
  };
}
