import { chartBlock, chartFigure, lineBlock, seriesLegend } from "./chart-block.js";
import { barChart } from "./charts.js";
import { markup, note, percent, spreadCell, table } from "./html.js";
import type { Html, Section } from "./html.js";
import { overSeeds } from "./over-seeds.js";
import { CATEGORICAL } from "../draw/index.js";
import type { NetworkReport, PairReport, Spread, V1SamplingReport } from "./v1-sampling-data.js";
import { PAPER_RELATIVE, networkStyle } from "./v1-sampling-data.js";

/** `+8.7 %` */
export function signedPercent(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = percent(Math.abs(value));
  return text === "0.0" ? "0.0 %" : `${value < 0 ? "−" : "+"}${text} %`;
}

const cell = (spread: Spread, format = percent): Html =>
  spreadCell(spread.mean, spread.std, spread.values, format);

/** A pair's difference in words: decided only where all of at least two seeds agree and it exceeds two standard errors. */
export function judged({ one, other, relative }: PairReport): string {
  const { mean, std, values } = relative;
  const n = values.length;
  const error = std === null ? 0 : std / Math.sqrt(n);
  const clear =
    n > 1 && Math.abs(mean) > 2 * error && values.every(({ value }) => Math.sign(value) === Math.sign(mean));
  const words = `${one} over ${other}: ${signedPercent(mean)} of mean corruption accuracy`;
  if (!clear) {
    return `${words}, undecided (${n === 1 ? "one seed cannot show how much seeds differ" : "within what seeds differ by, or of different sign"}).`;
  }
  return `${words}, in all ${n} seeds.`;
}

export function summarySection(report: V1SamplingReport): Section {
  const { networks, pairs, reduced } = report;
  const cards = networks.map(
    ({ id, label, scores }) =>
      markup`<li class="card" style="--mark:${CATEGORICAL[networkStyle(id)]}">
        <span class="name">${label}</span><span class="big">${percent(scores.mean.mean)}<small> %</small></span>
        <span class="aside">mean accuracy under corruptions${
          scores.mean.std === null ? "" : ` (± ${percent(scores.mean.std)} over seeds)`
        }; clean ${percent(scores.clean.mean)} %</span>
      </li>`,
  );
  return {
    id: "summary",
    title: "In short",
    lead:
      pairs.length === 0
        ? "No uniform variant was run beside the biological one."
        : pairs.map(judged).join(" "),
    body: markup`<ul class="cards">
        ${cards}
      </ul>
      ${
        pairs.length > 0
          ? table({
              label: "Relative difference of the biological over uniform variants",
              caption: "Relative difference in mean corruption accuracy, (BIOL − other) / other",
              head: ["", "here", "paper’s abstract"],
              foreign: [1],
              rows: pairs.map((pair, i) => ({
                name: `${pair.one} over ${pair.other}`,
                cells: [
                  cell(pair.relative, signedPercent),
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

export async function accuracySection(report: V1SamplingReport): Promise<Section> {
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
    "Accuracy on clean images and under each kind of corruption",
    { legend: seriesLegend(series, "bar") },
  );
  const head = [
    "Images",
    ...networks.map(({ label }) => label),
    ...pairs.map(({ one, other }) => `${one} over ${other}`),
  ];
  const row = (name: string, pick: (network: NetworkReport) => Spread, compared = true) => ({
    name,
    cells: [
      ...networks.map((network) => cell(pick(network))),
      ...pairs.map(({ one, other }) => {
        const [a, b] = [one, other].map((label) =>
          pick(networks.find((network) => network.label === label)!),
        );
        return compared ? signedPercent((a!.mean - b!.mean) / b!.mean) : "";
      }),
    ],
  });
  const corruptions = networks[0]!.scores.corruptions;
  return {
    id: "accuracy",
    title: "Accuracy under corruptions",
    lead: `Top-1 accuracy in percent, mean over severities; ± is the standard deviation over seeds (open a cell for each seed). Chance is ${percent(chance)} %.`,
    body: markup`${chartFigure(
      chart,
      "Mean over the corruptions of a kind; a dot for each seed, a line for the standard deviation.",
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
    <p><small>The last columns compare means over seeds, relative to the uniform variant.</small></p>`,
  };
}

export async function learningSection({ networks }: V1SamplingReport): Promise<Section> {
  const chart = await lineBlock(
    "learning",
    {
      x: { title: "training images", format: "~s" },
      y: { title: "validation accuracy", format: ".0%" },
      series: networks.map(({ id, label, learning }) => ({
        name: label,
        style: networkStyle(id),
        points: overSeeds(learning.map(({ points }) => [...points])),
      })),
    },
    "Validation accuracy against the number of training images",
  );
  return {
    id: "learning",
    title: "Learning",
    lead: "All networks see the same images in the same order, with the same augmentation, for as many steps.",
    body: markup`${chartFigure(chart, "Mean over seeds; bands reach from the worst to the best seed.")}
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
