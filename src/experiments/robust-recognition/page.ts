import { CATEGORICAL } from "../../draw/index.js";
import { chartBlock, chartFigure, lineBlock } from "../../report/chart-block.js";
import type { Bar, LineSeries } from "../../report/charts.js";
import { barChart } from "../../report/charts.js";
import type { Content, Html, Section } from "../../report/html.js";
import { details, figure, markup, note, number, percent, table } from "../../report/html.js";
import { meanAndSpread, seriesOverSeeds, spreadText } from "../../report/over-seeds.js";
import { experimentPage, provenanceRows } from "../../report/provenance-node.js";
import type { ConditionScores, Scores } from "../../robustness/card.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import type { RecognitionNetworkText, RecognitionReport } from "./results.js";
import { checkRecognitionReport, pooledBins } from "./results.js";

/** The report of the robust-recognition experiment as one self-contained HTML file. */
export async function recognitionPage(report: RecognitionReport): Promise<string> {
  checkRecognitionReport(report);
  const { scale, provenance } = report;
  return experimentPage(report, {
    sections: [
      summarySection(report),
      await attackSection(report),
      exampleSection(report),
      await corruptionSection(report),
      await calibrationSection(report),
      await learningSection(report),
      paperSection(),
    ],
    provenance: provenanceRows(scale, provenance, [], provenance.more),
  });
}

/** One column of the table: a condition, and a measure under it for each network. */
export interface RecognitionMeasure {
  readonly title: string;
  readonly detail: string;
  /** Whether the values are accuracies or calibration errors. */
  readonly kind: "accuracy" | "ece";
  readonly values: (network: string) => readonly number[];
}

/** All columns of the table: clean, corrupted, each attack at each radius, calibration. */
export function recognitionMeasures(report: RecognitionReport): RecognitionMeasure[] {
  const own = <T extends { readonly network: string }>(list: readonly T[], network: string) =>
    list.filter((one) => one.network === network);
  const clean = (pick: (scores: Scores) => number) => (network: string) =>
    own(report.clean, network).map(({ scores }) => pick(scores));
  const attacks = attackConditions(report).map(({ attack, epsilon }): RecognitionMeasure => ({
    title: `${attack}, ε ${showEpsilon(epsilon)}`,
    detail: "still right",
    kind: "accuracy",
    values: (network) => robustValues(report, network, attack, epsilon),
  }));
  return [
    { title: "clean", detail: "accuracy", kind: "accuracy", values: clean(({ accuracy }) => accuracy.value) },
    ...attacks,
    {
      title: "corrupted",
      detail: "mean accuracy",
      kind: "accuracy",
      values: (network) => own(report.corrupted, network).map(({ meanError }) => 1 - meanError),
    },
    { title: "clean", detail: "ECE", kind: "ece", values: clean(({ ece }) => ece) },
    {
      title: "corrupted",
      detail: "mean ECE",
      kind: "ece",
      values: (network) =>
        own(report.corrupted, network).map(
          ({ conditions }) => meanAndSpread(conditions.map(({ ece }) => ece)).mean,
        ),
    },
  ];
}

function attackConditions(report: RecognitionReport): { attack: string; epsilon: number }[] {
  const seen = new Map<string, { attack: string; epsilon: number }>();
  for (const { attack, scores } of report.attacks)
    for (const { epsilon } of scores) seen.set(`${attack} ${epsilon}`, { attack, epsilon });
  return [...seen.values()];
}

function robustValues(report: RecognitionReport, network: string, attack: string, epsilon: number): number[] {
  return report.attacks
    .filter((one) => one.network === network && one.attack === attack)
    .flatMap(({ scores }) =>
      scores.filter((one) => one.epsilon === epsilon).map(({ robust }) => robust.value),
    );
}

/** The warnings of the attacks. A warning appears only once for a network and radius. */
function attackCautions({ attacks, networks }: RecognitionReport): string[] {
  const labels = new Map(networks.map(({ id, label }) => [id, label]));
  const all = attacks.flatMap(({ network, scores }) =>
    scores.flatMap(({ epsilon, warnings }) =>
      warnings.map((warning) => `${labels.get(network)!}, ε ${showEpsilon(epsilon)}: ${warning}`),
    ),
  );
  return [...new Set(all)];
}

function summarySection(report: RecognitionReport): Section {
  const measures = recognitionMeasures(report);
  const attacked = report.attacks[0]?.scores[0]?.robust.n ?? 0;
  const pictures = report.clean[0]?.scores.accuracy.n ?? 0;
  return {
    id: "summary",
    title: "In short",
    lead: headline(report),
    body: markup`${table({
      label: "All measures by network",
      caption: "In percent of images; mean ± standard deviation over seeds",
      head: ["Network", ...measures.map(({ title, detail }) => markup`${title}<small>${detail}</small>`)],
      rows: report.networks.map((network) => ({
        name: nameOf(network),
        cells: measures.map(({ values }) => spreadText(values(network.id))),
      })),
    })}
    <p><small>Clean: ${pictures} test images, one pass each. Attacks: ${attacked} images; images that a network got wrong before the attack count as wrong. A 95 % interval is at most about ± ${percent(attacked > 0 ? 0.98 / Math.sqrt(attacked) : NaN)} points.</small></p>
    ${note(
      "note",
      "AKOrN draws random numbers. Against “AKOrN”, attacks average each gradient over several draws (expectation over transformation) and must fool the network in a pass with new noise. “AKOrN, noise fixed” has the same parameters and always starts from the same draw, which the attacker knows, so its robustness does not come from chance. Attacks give upper bounds: a stronger attack may find a network less robust.",
    )}
    ${attackCautions(report).map((caution) => note("caution", caution))}
    ${report.scale === "smoke" ? note("caution", "This scale only shows that the code runs: the networks are hardly trained.") : null}`,
  };
}

function nameOf({ label, description, parameters, style }: RecognitionNetworkText): Html {
  return markup`<span class="swatch" style="background:${CATEGORICAL[style % CATEGORICAL.length]}"></span>${label}<small>${parameters.toLocaleString("en-GB")} parameters</small><small style="white-space:normal;min-width:200px">${description}</small>`;
}

/** The order of the networks on clean images, under the strongest attack and in calibration, in words. */
function headline(report: RecognitionReport): string {
  const measures = recognitionMeasures(report);
  const ranked = (measure: RecognitionMeasure | undefined, better: 1 | -1) =>
    report.networks
      .map(({ id, label }) => ({ label, values: measure?.values(id) ?? [] }))
      .filter(({ values }) => values.length > 0)
      .map(({ label, values }) => ({ label, mean: meanAndSpread(values).mean }))
      .sort((a, b) => better * (b.mean - a.mean))
      .map(({ label, mean }) => `${label} ${percent(mean)} %`)
      .join(", ");
  const accuracies = measures.filter(({ kind }) => kind === "accuracy");
  const hardest = attackConditions(report).at(-1);
  const title = hardest && `${hardest.attack}, ε ${showEpsilon(hardest.epsilon)}`;
  const strongest = accuracies.find((measure) => measure.title === title);
  const errors = measures.find(({ kind }) => kind === "ece");
  return [
    `Accuracy on clean images: ${ranked(accuracies[0], 1)}.`,
    ...(strongest ? [`Accuracy under ${strongest.title}: ${ranked(strongest, 1)}.`] : []),
    `Calibration error on clean images: ${ranked(errors, -1)}.`,
  ].join(" ");
}

async function attackSection(report: RecognitionReport): Promise<Section | undefined> {
  const conditions = attackConditions(report);
  if (conditions.length === 0) return undefined;
  const groups = [
    { title: "clean", of: (id: string) => cleanOf(report, id) },
    ...conditions.map(({ attack, epsilon }) => ({
      title: `${attack}, ${showEpsilon(epsilon)}`,
      of: (id: string) => robustValues(report, id, attack, epsilon),
    })),
  ];
  const bars = groups.flatMap(({ title, of }) =>
    report.networks.flatMap(({ id, label }): Bar[] => {
      const values = of(id);
      if (values.length === 0) return [];
      const { mean, spread } = meanAndSpread(values);
      return [{ group: title, series: label, mean, values, ...(spread !== undefined && { spread }) }];
    }),
  );
  const chart = await chartBlock(
    "attacks",
    barChart({
      bars,
      series: report.networks.map(({ label, style }) => ({ name: label, style })),
      value: { title: "Right", format: ".0%", domain: [0, 1] },
      rules: [{ y: 0.1, label: "chance" }],
    }),
    `Share of attacked images that the network still gets right: ${bars.map(({ group, series, mean }) => `${series}, ${group} ${percent(mean)} %`).join("; ")}`,
  );
  return {
    id: "attacks",
    title: "Noise and attacks",
    lead: "An attack keeps each pixel within ε of the clean image (Linf) and in [0, 1]. The dashed line is chance.",
    body: markup`${chartFigure(chart, "Dots are seeds, and bars are their means. “Clean” is the accuracy on the larger set of clean images.")}
    ${details("Settings of the attacks", settingsTable(report))}`,
  };
}

function cleanOf(report: RecognitionReport, network: string): number[] {
  return report.clean.filter((one) => one.network === network).map(({ scores }) => scores.accuracy.value);
}

function settingsTable(report: RecognitionReport): Html {
  const rows = new Map<string, { name: Content; cells: Content[] }>();
  for (const { network, attack, eot, scores } of report.attacks) {
    const [first] = scores;
    if (!first) continue;
    const { label } = report.networks.find(({ id }) => id === network)!;
    const settings = first.settings.map(({ name, settings: own }) => {
      const list = Object.entries(own).map(
        ([key, value]) => `${key} ${typeof value === "number" ? number(value) : value}`,
      );
      return `${name}: ${list.join(", ") || "no settings"}`;
    });
    rows.set(`${network} ${attack}`, {
      name: `${attack} on ${label}`,
      cells: [settings.join("; "), String(eot), String(first.robust.n)],
    });
  }
  return table({
    label: "Settings of the attacks",
    head: ["Attack", "Settings", "Draws per gradient", "Images"],
    rows: [...rows.values()],
  });
}

function exampleSection({ examples }: RecognitionReport): Section | undefined {
  const shown = examples.filter((one) => one.examples.length > 0);
  if (shown.length === 0) return undefined;
  return {
    id: "examples",
    title: "What fooled the networks",
    lead: "The clean image, the attacked image, and the difference (grey is 0; scaled to the largest difference).",
    body: shown.map(({ title, examples: list }) =>
      figure(
        markup`<div class="channels" style="max-width:none;grid-template-columns:repeat(auto-fill,minmax(210px,1fr))">${list.map(
          ({ label, predicted, clean, adversarial, difference }) =>
            markup`<figure>
              <div style="display:grid;grid-template-columns:repeat(3,1fr);gap:4px">
                ${[clean, adversarial, difference].map(
                  (uri, i) =>
                    markup`<span><img src="${uri}" alt="${["clean", "changed", "change"][i]}" width="32" height="32"></span>`,
                )}
              </div>
              <figcaption>${label} taken for ${predicted}</figcaption>
            </figure>`,
        )}</div>`,
        title,
      ),
    ),
  };
}

async function corruptionSection(report: RecognitionReport): Promise<Section | undefined> {
  const { corrupted, networks } = report;
  const [first] = corrupted;
  if (!first || first.conditions.length === 0) return undefined;
  const severities = [...new Set(first.conditions.map(({ severity }) => severity))];
  const names = [...new Set(first.conditions.map(({ name }) => name))];
  const present = networks.filter(({ id }) => corrupted.some((one) => one.network === id));
  const meanAccuracy = (conditions: readonly ConditionScores[]) =>
    meanAndSpread(conditions.map(({ accuracy }) => accuracy.value)).mean;
  const series = seriesOverSeeds(networks, ({ id }) =>
    corrupted
      .filter((one) => one.network === id)
      .map(({ seed, conditions }) => [
        ...cleanPoint(report, id, seed),
        ...severities.map((severity) => ({
          x: severity,
          y: meanAccuracy(conditions.filter((one) => one.severity === severity)),
        })),
      ]),
  );
  const chart = await lineBlock(
    "corruptions",
    {
      x: { title: "Severity (0 = clean)", format: "d", domain: [0, 5] },
      y: { title: "Right", format: ".0%" },
      series,
      rules: [{ y: 0.1, label: "chance" }],
    },
    "Accuracy against severity, mean over corruptions",
  );
  const rows = names.map((name) => ({
    name: name.replaceAll("_", " "),
    cells: present.map(({ id }) => {
      const runs = corrupted.filter((one) => one.network === id);
      return spreadText(
        runs.map(({ conditions }) => meanAccuracy(conditions.filter((one) => one.name === name))),
      );
    }),
  }));
  return {
    id: "corruptions",
    title: "Common corruptions",
    lead: `${names.length} corruptions of Hendrycks & Dietterich (2019), computed by Striate with the constants for 32 pixels, severities ${severities.join(", ")}, on ${first.conditions[0]!.accuracy.n} test images.`,
    body: markup`${chartFigure(chart, "Mean over corruptions; bands are the range over seeds.")}
    ${details(
      "Accuracy under each corruption",
      table({
        label: "Accuracy under each corruption, mean over severities",
        caption: "Accuracy in %, mean over severities",
        head: ["Corruption", ...present.map(({ label }) => label)],
        rows,
      }),
    )}`,
  };
}

function cleanPoint(report: RecognitionReport, network: string, seed: number): { x: number; y: number }[] {
  const own = report.clean.find((one) => one.network === network && one.seed === seed);
  return own ? [{ x: 0, y: own.scores.accuracy.value }] : [];
}

async function calibrationSection(report: RecognitionReport): Promise<Section | undefined> {
  const { clean, networks } = report;
  if (clean.length === 0) return undefined;
  const series = networks.flatMap((network): LineSeries[] => {
    const bins = pooledBins(
      clean.filter((one) => one.network === network.id).map(({ reliability }) => reliability),
    );
    if (bins.length === 0) return [];
    const points = bins.map(({ confidence, accuracy }) => ({ x: confidence, y: accuracy }));
    return [{ name: network.label, style: network.style, points }];
  });
  const diagonal = {
    name: "perfectly calibrated",
    style: 4,
    points: [0, 1].map((x) => ({ x, y: x })),
  };
  const chart = await lineBlock(
    "reliability",
    {
      x: { title: "Confidence", format: ".0%", domain: [0, 1] },
      y: { title: "Right", format: ".0%", domain: [0, 1] },
      series: [...series, diagonal],
    },
    "Reliability diagram: accuracy against confidence on clean images",
  );
  return {
    id: "calibration",
    title: "Calibration",
    lead: "A network is well calibrated if it is right as often as its confidence says. All values are for clean images, with one pass each. ECE: expected calibration error over 15 bins of equal width.",
    body: markup`${chartFigure(chart, "Below the diagonal, a network is more confident than it is accurate. Each bin has the images of all seeds; bins with few images scatter.")}
    ${table({
      label: "Calibration on clean images",
      head: ["Network", "Accuracy %", "ECE %", "Adaptive ECE %", "NLL in nats", "Brier"],
      rows: networks.flatMap((network) => {
        const own = clean.filter((one) => one.network === network.id).map(({ scores }) => scores);
        if (own.length === 0) return [];
        const mean = (pick: (scores: Scores) => number) => meanAndSpread(own.map(pick)).mean;
        return [
          {
            name: network.label,
            cells: [
              spreadText(own.map(({ accuracy }) => accuracy.value)),
              spreadText(own.map(({ ece }) => ece)),
              percent(mean(({ adaptiveEce }) => adaptiveEce)),
              number(mean(({ nll }) => nll)),
              number(mean(({ brier }) => brier)),
            ],
          },
        ];
      }),
    })}`,
  };
}

async function learningSection(report: RecognitionReport): Promise<Section | undefined> {
  const series = seriesOverSeeds(report.networks, ({ id }) =>
    report.learning
      .filter((one) => one.network === id)
      .map(({ points }) => points.map(({ images, accuracy }) => ({ x: images, y: accuracy }))),
  );
  if (series.length === 0) return undefined;
  const chart = await lineBlock(
    "learning",
    {
      x: { title: "Training images seen", format: "~s" },
      y: { title: "Accuracy on validation images", format: ".0%" },
      series,
      rules: [{ y: 0.1, label: "chance" }],
    },
    "Accuracy on validation images while training",
  );
  return {
    id: "learning",
    title: "Learning",
    lead: "All networks saw the same images in the same order with the same augmentation, and had the same optimiser. The curves are those of the averaged weights.",
    body: chartFigure(chart, "Bands are the range over seeds."),
  };
}

function paperSection(): Section {
  return {
    id: "paper",
    title: "What the paper says",
    body: markup`<p>The authors’ repository publishes no table for CIFAR-10, so this page shows none. The paper’s claims (ICLR 2025), quoted from memory and not checked against its text, are: without any adversarial training, ResNet-18 and
      ViT are right on most clean images and on none under AutoAttack with ε 8/255, while AKOrN gives up some clean accuracy,
      is still right on some images under that attack, and is better calibrated under corruptions than ResNet-18.</p>`,
  };
}
