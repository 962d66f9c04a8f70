import { CATEGORICAL } from "../../draw/index.js";
import { chartBlock, chartFigure, lineBlock, seriesLegend } from "../../report/chart-block.js";
import { barChart } from "../../report/charts.js";
import type { Section } from "../../report/html.js";
import { cards, markup, note, percent, table } from "../../report/html.js";
import { seriesOverSeeds, spreadCell } from "../../report/over-seeds.js";
import { experimentPage, runFacts } from "../../report/provenance-node.js";
import { HOW_JUDGED, mark, withReason } from "../../report/verdict.js";
import { judgeDifferences } from "../../metrics/judgement.js";
import type { Spread } from "./analysis.js";
import { analysisSection, impactSection } from "./page-analysis.js";
import { distributionSection, filterSection, tuningSection } from "./page-populations.js";
import { networkStyle } from "./populations.js";
import type { NetworkReport, PairReport, V1SamplingReport } from "./results.js";
import { PAPER_RELATIVE } from "./results.js";

/** The report of the study of V1 sampling as one self-contained HTML file. */
export async function v1SamplingPage(report: V1SamplingReport): Promise<string> {
  const { scale, seeds, date, seconds } = report;
  const run = { scale, provenance: { seeds, date, wallTimeSeconds: seconds } };
  const subtitle = markup`Does it matter whether the receptive fields of a model V1 are drawn from measurements in animals or uniformly? VOneResNet-18 after Barbulescu, Marques &amp; Oliveira (2023).`;
  return experimentPage(
    { ...run, title: report.title, subtitle },
    {
      facts: runFacts(run, [`${report.testImages} test images, ${report.conditions} conditions`]),
      sections: [
        v1SummarySection(report),
        await v1AccuracySection(report),
        await v1LearningSection(report),
        filterSection(report),
        await distributionSection(report),
        await tuningSection(report),
        await analysisSection(report),
        await impactSection(report),
      ],
      provenance: Object.entries(report.provenance),
    },
  );
}

/** A fraction as a percentage with its sign, such as "+8.7 %". */
export function signedPercent(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = percent(Math.abs(value));
  return text === "0.0" ? "0.0 %" : `${value < 0 ? "−" : "+"}${text} %`;
}

/** A sentence on the difference of a pair of variants, and on whether it is decided. */
export function judged({ one, other, relative }: PairReport): string {
  const { mean, margin } = relative.judged;
  const size = Number.isNaN(margin) ? signedPercent(mean) : `${signedPercent(mean)} ± ${percent(margin)}`;
  const words = `${one} over ${other}: ${size} in mean corruption accuracy.`;
  return withReason(words, relative.judged);
}

export function v1SummarySection(report: V1SamplingReport): Section {
  const { networks, pairs, reduced } = report;
  const results = networks.map(({ id, label, scores: { mean, clean } }) => ({
    colour: CATEGORICAL[networkStyle(id)]!,
    name: label,
    value: percent(mean.mean),
    aside: `mean accuracy under corruptions${mean.std === null ? "" : ` (± ${percent(mean.std)} over seeds)`}; clean ${percent(clean.mean)} %`,
  }));
  return {
    id: "summary",
    title: "In short",
    lead:
      pairs.length === 0
        ? "The run has no uniform variant to compare with the biological one."
        : pairs.map(judged).join(" "),
    body: markup`${cards(results)}
      ${
        pairs.length > 0
          ? table({
              label: "Relative difference of the biological over uniform variants",
              caption: `Relative difference in mean corruption accuracy, (BIOL − other) / other. ${HOW_JUDGED}`,
              head: ["", "here", "± (95 %)", "", "paper’s abstract"],
              foreign: [3],
              rows: pairs.map((pair, i) => ({
                name: `${pair.one} over ${pair.other}`,
                cells: [
                  spreadCell({ ...pair.relative, std: null }, signedPercent),
                  Number.isNaN(pair.relative.judged.margin)
                    ? "–"
                    : `${percent(pair.relative.judged.margin)} %`,
                  mark(pair.relative.judged),
                  i === 0 ? `${signedPercent(PAPER_RELATIVE)} (over “uniform”)` : "–",
                ],
              })),
            })
          : null
      }
      ${reduced.length > 0 ? note("caution", markup`<b>A reduced study, not the paper’s.</b> ${reduced.join(" ")}`) : null}`,
  };
}

const words = (name: string): string => name.replaceAll("_", " ");

const title = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

export async function v1AccuracySection(report: V1SamplingReport): Promise<Section> {
  const { networks, pairs, chance } = report;
  const series = networks.map(({ id, label }) => ({ name: label, style: networkStyle(id) }));
  const bar = (group: string, label: string, spread: Spread) => ({
    group,
    series: label,
    mean: spread.mean,
    ...(spread.std !== null && { spread: spread.std }),
    values: spread.values.map(({ value }) => value),
  });
  const kinds = networks[0]!.scores.kinds.map(({ name }) => name);
  const chart = await chartBlock(
    "accuracy-by-kind",
    barChart({
      series,
      legend: false,
      value: { title: "accuracy", format: ".0%" },
      rules: [{ y: chance, label: "chance" }],
      bars: ["clean", ...kinds].flatMap((kind) =>
        networks.map(({ label, scores }) =>
          bar(
            title(kind),
            label,
            kind === "clean" ? scores.clean : scores.kinds.find(({ name }) => name === kind)!.accuracy,
          ),
        ),
      ),
    }),
    "Accuracy on clean images and by kind of corruption",
    { legend: seriesLegend(series, "bar") },
  );
  const head = [
    "Images",
    ...networks.map(({ label }) => label),
    ...pairs.map(({ one, other }) => `${one} over ${other}`),
  ];
  const row = (name: string, pick: (network: NetworkReport) => Spread) => ({
    name,
    cells: [
      ...networks.map((network) => spreadCell(pick(network), percent)),
      ...pairs.map(({ one, other }) => {
        const [a, b] = [one, other].map((label) =>
          pick(networks.find((network) => network.label === label)!),
        );
        return relativeText(a!, b!);
      }),
    ],
  });
  const corruptions = networks[0]!.scores.corruptions;
  return {
    id: "accuracy",
    title: "Accuracy under corruptions",
    lead: `Top-1 accuracy in percent, mean over severities; ± is the standard deviation over seeds (open a table cell to see each seed). Chance is ${percent(chance)} %.`,
    body: markup`${chartFigure(
      chart,
      "Bars are means over the corruptions of a kind, dots are seeds, and lines are standard deviations.",
    )}
    ${table({
      label: "Accuracy for every corruption",
      head,
      rows: [
        row("clean", ({ scores }) => scores.clean),
        ...kinds.flatMap((kind) => [
          ...corruptions
            .filter((one) => one.kind === kind)
            .map(({ name }) =>
              row(words(name), ({ scores }) => scores.corruptions.find((one) => one.name === name)!.accuracy),
            ),
          row(
            `${title(kind)}, mean`,
            ({ scores }) => scores.kinds.find((one) => one.name === kind)!.accuracy,
          ),
        ]),
        row("Mean over corruptions", ({ scores }) => scores.mean),
        row("Retention (mean / clean)", ({ scores }) => scores.retention),
      ],
    })}
    <p><small>The last columns give the mean over seeds of the difference relative to the uniform variant, with half of its 95 % interval over the seeds. Of 20 rows without any true difference, one is beyond its interval by chance.</small></p>`,
  };
}

/**
 * The mean difference of two networks relative to the second, over the seeds that both have, with half of its 95 %
 * interval if there are several.
 */
export function relativeText(one: Spread, other: Spread): string {
  const differences = one.values.flatMap(({ seed, value }) => {
    const base = other.values.find((paired) => paired.seed === seed)?.value;
    return base === undefined || base === 0 ? [] : [value / base - 1];
  });
  if (differences.length === 0) return "–";
  const { mean, margin } = judgeDifferences(differences);
  return `${signedPercent(mean)}${Number.isNaN(margin) ? "" : ` ± ${percent(margin)}`}`;
}

export async function v1LearningSection({ networks }: V1SamplingReport): Promise<Section> {
  const chart = await lineBlock(
    "learning",
    {
      x: { title: "training images", format: "~s" },
      y: { title: "validation accuracy", format: ".0%" },
      series: seriesOverSeeds(
        networks.map((network) => ({ ...network, style: networkStyle(network.id) })),
        ({ learning }) => learning.map(({ points }) => points),
      ),
    },
    "Validation accuracy against the number of training images",
  );
  return {
    id: "learning",
    title: "Learning",
    lead: "All networks see the same images in the same order, with the same augmentation, for the same number of steps.",
    body: markup`${chartFigure(chart, "Lines are means over seeds; bands go from the worst to the best seed.")}
    ${table({
      label: "The networks",
      head: ["Network", "Parameters trained", ""],
      rows: networks.map(({ label, parameters, description }) => ({
        name: label,
        cells: [
          parameters.toLocaleString("en-GB"),
          markup`<span style="white-space:normal">${description}</span>`,
        ],
      })),
    })}`,
  };
}
