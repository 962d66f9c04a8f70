import { CATEGORICAL } from "../../draw/index.js";
import { chartBlock, chartFigure, lineBlock } from "../../report/chart-block.js";
import type { Bar, LineSeries } from "../../report/charts.js";
import { barChart } from "../../report/charts.js";
import type { Content, Section } from "../../report/html.js";
import { details, duration, markup, note, number, percent, table } from "../../report/html.js";
import { meanAndSpread, meanPoint, overSeeds, spreadText } from "../../report/over-seeds.js";
import type { Provenance } from "../../report/provenance-node.js";
import { experimentPage, provenanceRows } from "../../report/provenance-node.js";
import { betterMark, points } from "../../report/verdict.js";
import type { StudyPlan } from "./plan.js";
import { PLAIN } from "./plan.js";
import type { StudyMeasure, VariantReport } from "./results.js";
import type { DataFacts } from "./training-page.js";

/** The results of a study. */
export interface StudyReport {
  readonly network: string;
  readonly plan: StudyPlan;
  readonly data: DataFacts;
  readonly variants: readonly VariantReport[];
  readonly provenance: Provenance;
}

const TEXTS: Readonly<Record<string, string>> = {
  v1: "a fixed V1 in place of the first stage",
  evnet: "a fixed retina and V1 in place of the first stage",
  kuramoto: "a layer of oscillators at a deep feature map",
  predify: "predictive feedback, trained without labels",
};

/** The report of a study as one self-contained HTML file. */
export async function studyPage(report: StudyReport): Promise<string> {
  const { network, data, plan, provenance } = report;
  const title = `${network} on ${data.name}: what additions change`;
  const subtitle = `The same network with ${plan.variants.filter((one) => one !== PLAIN).join(", ")}, trained alike`;
  return experimentPage(
    { title, subtitle, scale: "own images", provenance },
    {
      sections: [
        summarySection(report),
        await severitySection(report),
        corruptionSection(report),
        await attackSection(report),
        await learningSection(report),
      ],
      provenance: provenanceRows("own images", provenance, [
        [
          "Images",
          `${data.counts.train} to train on, ${data.counts.validation} for validation, ${data.counts.test} to test; ${data.text}`,
        ],
        [
          "Recipe",
          Object.entries(plan.recipe)
            .map(([name, value]) => `${name} ${value}`)
            .join(", "),
        ],
        [
          "Attack",
          `projected gradient descent, Linf, ${plan.test.attackSteps} steps, on ${plan.test.attackImages} images`,
        ],
      ]),
    },
  );
}

const named = (report: VariantReport, name: string): StudyMeasure | undefined =>
  report.measures.find((one) => one.name === name);

/** The measures of the main table: clean, corrupted, attacks and calibration. */
function mainMeasures({ variants }: StudyReport): readonly StudyMeasure[] {
  return variants[0]!.measures.filter(({ kind }) => kind !== "corruption" && kind !== "severity");
}

function summarySection(report: StudyReport): Section {
  const { variants, plan, data, provenance } = report;
  const measures = mainMeasures(report);
  const others = variants.filter(({ variant }) => variant !== PLAIN);
  const seeds = provenance.seeds.length;
  const cautions = [
    ...data.cautions,
    ...(seeds < 2 ? ["with a single seed nothing can be decided: use --seeds 3 or more"] : []),
    ...variants.flatMap(({ variant, cautions: own }) => own.map((caution) => `${variant}: ${caution}`)),
  ];
  return {
    id: "summary",
    title: "In short",
    lead: others.map((one) => headline(one)).join(" "),
    body: markup`${table({
      label: "All measures of all networks",
      caption: "In percent; mean ± standard deviation over seeds",
      head: ["Network", ...measures.map(({ name }) => name)],
      rows: variants.map((one) => ({
        name: markup`${one.variant}<small>${descriptionOf(one.variant)}</small>`,
        cells: measures.map(({ name }) => spreadText(named(one, name)?.values ?? [])),
      })),
    })}
    ${table({
      label: "Differences to the plain network",
      caption: `Difference to ${PLAIN} in points, with the same seeds and images`,
      head: ["Network", ...measures.map(({ name }) => name)],
      rows: others.map((one) => ({
        name: one.variant,
        cells: measures.map(({ name }) => differenceText(named(one, name))),
      })),
    })}
    <p><small>± is half of a 95 % interval, which joins the errors over seeds (Student’s t) and over images. A difference is decided if this interval leaves out 0. With two seeds the interval over seeds is 12.7 standard errors wide to each side, with three 4.3. Calibration errors are not judged. ${plan.test.images} test images at most, ${plan.test.attackImages} of them attacked.</small></p>
    ${cautions.map((caution) => note("caution", caution))}`,
  };
}

function descriptionOf(variant: string): string {
  if (variant === PLAIN) return "the network without additions";
  return variant
    .split("+")
    .map((one) => TEXTS[one])
    .join("; ");
}

function headline({ variant, measures }: VariantReport): string {
  const decided = measures
    .filter(
      ({ kind, difference }) =>
        kind !== "corruption" &&
        kind !== "severity" &&
        difference?.status !== undefined &&
        difference.status !== "undecided",
    )
    .map(({ name, difference }) => `${name} ${points(difference?.mean ?? NaN)}`);
  return decided.length === 0
    ? `No difference of ${variant} to ${PLAIN} is decided.`
    : `Decided differences of ${variant} to ${PLAIN}, in points: ${decided.join(", ")}.`;
}

function differenceText(measure: StudyMeasure | undefined): Content {
  const difference = measure?.difference;
  if (difference === undefined) return "–";
  const { mean, margin, status } = difference;
  const shown = markup`<b>${points(mean)}</b><span class="spread"> ± ${percent(margin)}</span>`;
  if (status === undefined) return shown;
  return markup`${shown}<br>${betterMark(status)}`;
}

function seriesOf(
  { variants }: StudyReport,
  measuresOf: (report: VariantReport) => readonly (readonly [x: number, values: readonly number[]])[],
): LineSeries[] {
  return variants.map((one, style) => ({
    name: one.variant,
    style,
    points: measuresOf(one).map(([x, values]) => meanPoint(x, values)),
  }));
}

async function severitySection(report: StudyReport): Promise<Section | undefined> {
  const { plan } = report;
  const { severities, corruptions } = plan.test;
  if (corruptions.length === 0) return undefined;
  const series = seriesOf(report, (one) => [
    [0, named(one, "clean")?.values ?? []],
    ...severities.map((severity) => [severity, named(one, `severity ${severity}`)?.values ?? []] as const),
  ]);
  const chart = await lineBlock(
    "severities",
    { x: { title: "Severity (0 = clean)", format: "d" }, y: { title: "Right", format: ".0%" }, series },
    "Accuracy against severity, mean over corruptions",
  );
  return {
    id: "severities",
    title: "Common corruptions",
    lead: `${corruptions.length} corruptions of Hendrycks & Dietterich (2019) with the constants for ${plan.test.constants} pixels.`,
    body: chartFigure(chart, "Mean over corruptions; bands are one standard deviation over seeds."),
  };
}

function corruptionSection(report: StudyReport): Section | undefined {
  const names = report.variants[0]!.measures.filter(({ kind }) => kind === "corruption").map(
    ({ name }) => name,
  );
  if (names.length === 0) return undefined;
  const others = report.variants.filter(({ variant }) => variant !== PLAIN);
  return {
    id: "corruptions",
    title: "Which corruptions",
    lead: "Accuracy of the plain network, and the difference that each addition makes, as means over severities.",
    body: table({
      label: "Accuracy under each corruption",
      caption: "Accuracy in %, and differences in points",
      head: ["Corruption", PLAIN, ...others.map(({ variant }) => variant)],
      rows: names.map((name) => ({
        name: name.replaceAll("_", " "),
        cells: [
          spreadText(named(report.variants[0]!, name)?.values ?? []),
          ...others.map((one) => differenceText(named(one, name))),
        ],
      })),
    }),
  };
}

async function attackSection(report: StudyReport): Promise<Section | undefined> {
  const attacks = report.variants[0]!.measures.filter(({ kind }) => kind === "attack").map(
    ({ name }) => name,
  );
  if (attacks.length === 0) return undefined;
  const bars = ["clean", ...attacks].flatMap((name) =>
    report.variants.flatMap((one): Bar[] => {
      const values = named(one, name)?.values ?? [];
      if (values.length === 0) return [];
      const { mean, spread } = meanAndSpread(values);
      return [{ group: name, series: one.variant, mean, values, ...(spread !== undefined && { spread }) }];
    }),
  );
  const chart = await chartBlock(
    "attacks",
    barChart({
      bars,
      series: report.variants.map(({ variant }, style) => ({ name: variant, style })),
      value: { title: "Right", format: ".0%", domain: [0, 1] },
      rules: [{ y: 1 / report.data.classes.length, label: "chance" }],
    }),
    `Share of attacked images that stay right: ${bars.map(({ group, series, mean }) => `${series}, ${group} ${percent(mean)} %`).join("; ")}`,
  );
  return {
    id: "attacks",
    title: "Attacks",
    lead: "Projected gradient descent changes each pixel by at most ε. Networks with noise are attacked with gradients averaged over four draws; a stronger attack may find them less robust.",
    body: chartFigure(
      chart,
      "Dots are seeds, and bars are their means. “clean” is measured on all test images.",
    ),
  };
}

async function learningSection(report: StudyReport): Promise<Section> {
  const trained = report.variants.filter(({ variant }) => !variant.includes("predify"));
  const chart = await lineBlock(
    "learning",
    {
      x: { title: "Training step", format: "~s" },
      y: { title: "Right", format: ".0%" },
      series: trained.map(({ variant, training }) => ({
        name: variant,
        style: report.variants.findIndex((one) => one.variant === variant),
        points: overSeeds(
          training.map(({ validation }) =>
            validation.map(({ step, accuracy }) => ({ x: step, y: accuracy })),
          ),
        ),
      })),
    },
    "Accuracy on the validation images over training",
  );
  return {
    id: "learning",
    title: "Training",
    lead: "All networks see the same images in the same order. The best epoch on the validation images gives the weights.",
    body: markup`${chartFigure(chart, "Accuracy on the validation images after each epoch; bands are the range over seeds.")}
    ${details(
      "The networks",
      table({
        label: "The networks",
        head: ["Network", "parameters", "trained", "images/s", "time for each seed", "places"],
        rows: trained.map(({ variant, training }, i) => {
          const [first] = training;
          return {
            name: markup`<span class="swatch" style="background:${CATEGORICAL[i % CATEGORICAL.length]}"></span>${variant}`,
            cells: first
              ? [
                  number(first.parameters),
                  number(first.trained),
                  number(meanAndSpread(training.map(({ imagesPerSecond }) => imagesPerSecond)).mean),
                  duration(meanAndSpread(training.map(({ seconds }) => seconds)).mean),
                  first.choices.join("; ") || "–",
                ]
              : [],
          };
        }),
      }),
    )}`,
  };
}
