import { describePreprocessing } from "../../data/images/preprocessing.js";
import { cssGradient, drawReliabilityDiagram, svg, UNIFORM_CYCLE } from "../../draw/index.js";
import type { ReliabilityBin } from "../../metrics/index.js";
import { chartBlock, chartFigure, lineBlock } from "../../report/chart-block.js";
import { heatMap } from "../../report/charts.js";
import type { Card, Content, Html, Section } from "../../report/html.js";
import {
  cards,
  details,
  figure,
  markup,
  note,
  number,
  page,
  percent,
  raw,
  table,
} from "../../report/html.js";
import type { AttackScores, ResultCard, Scores, Share, TimestepFindings } from "../../robustness/card.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import type { ReportPicture } from "../../report/picture-grid.js";
import { pictureGrid } from "../../report/picture-grid.js";

export interface LabelledPictures {
  readonly label: number;
  readonly name: string;
  /** Number of measured images of the class. */
  readonly count: number;
  readonly pictures: readonly ReportPicture[];
}

export interface RobustnessReport {
  readonly card: ResultCard;
  /** One image under every corruption. */
  readonly gallery?: {
    readonly title: string;
    readonly severity: number;
    readonly pictures: readonly ReportPicture[];
  };
  /** The first images of a few classes, so that readers can check the labels. */
  readonly labels?: readonly LabelledPictures[];
  /** Wrong predictions with high confidence. */
  readonly failures: readonly ReportPicture[];
  /** For each example of each attack: the clean image, the adversarial image and their difference. */
  readonly adversarial: readonly {
    readonly title: string;
    readonly pictures: readonly ReportPicture[];
  }[];
  readonly date: string;
}

/** Writes the result of `striate robustness` as one self-contained HTML page. */
export async function robustnessPage(report: RobustnessReport): Promise<string> {
  const { card } = report;
  const { protocol } = card;
  const sections = [
    summarySection(card),
    await timestepSection(card),
    await corruptionSection(report),
    await attackSection(report),
    calibrationSection(card),
    labelSection(report),
    failureSection(report),
    skippedSection(card),
  ].filter((section) => section !== undefined);
  return page({
    title: `Robustness of ${protocol.model.name}`,
    subtitle: markup`Accuracy under common corruptions and attacks, and calibration, on ${protocol.data.name}.`,
    facts: [
      `${card.measured} images`,
      `${protocol.model.imageShape.slice(1).join(" × ")} pixels`,
      `${protocol.model.classes} classes`,
      `seed ${protocol.seed}`,
      report.date.slice(0, 10),
    ],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections,
    provenance: provenance(card),
  });
}

function meanOf(count: number): string {
  return `mean of ${count} ${count === 1 ? "corruption" : "corruptions"}`;
}

/** A share with its interval in percent, such as `87.2 [84.9, 89.2]`. */
function withInterval({ value, low, high }: Share): Html {
  return markup`<b>${percent(value)}</b> <small>[${percent(low)}, ${percent(high)}]</small>`;
}

function summarySection(card: ResultCard): Section {
  const { clean, summary, attacks } = card;
  const findings: Omit<Card, "colour">[] = [];
  if (clean) {
    findings.push({
      name: "Clean",
      value: percent(clean.accuracy.value),
      aside: markup`accuracy on ${clean.accuracy.n} images, 95 % interval ${percent(clean.accuracy.low)} to
        ${percent(clean.accuracy.high)}`,
    });
  }
  if (summary) {
    const { mceAlexNet, relativeMceAlexNet } = summary;
    findings.push({
      name: "Corrupted",
      value: percent(1 - summary.meanError),
      aside: markup`mean accuracy over ${card.protocol.corruptions.length} corruptions,
        severities ${card.protocol.severities.join(", ")}`,
    });
    if (mceAlexNet !== undefined && relativeMceAlexNet !== undefined) {
      findings.push({
        name: "mCE (AlexNet = 100)",
        unit: null,
        value: mceAlexNet.toFixed(1),
        aside: `relative mCE ${relativeMceAlexNet.toFixed(1)}`,
      });
    }
  }
  for (const plan of new Set(attacks.map((attack) => attack.plan))) {
    const [first, ...others] = attacks.filter((attack) => attack.plan === plan);
    if (!first) continue;
    const further = others.map(
      ({ epsilon, robust }) => `${percent(robust.value)} at ${showEpsilon(epsilon)}`,
    );
    findings.push({
      name: `${plan}, ε ${showEpsilon(first.epsilon)}`,
      value: percent(first.robust.value),
      aside: markup`robust accuracy on ${first.robust.n} images (${first.norm}), 95 % interval
        ${percent(first.robust.low)} to ${percent(first.robust.high)}${further.length > 0 ? `; ${further.join(", ")}` : ""}`,
    });
  }
  if (clean) {
    findings.push({
      name: "Calibration error",
      value: percent(clean.ece),
      aside: `ECE on clean images, ${card.protocol.bins} bins`,
    });
  }
  const warnings = [...new Set(attacks.flatMap((attack) => attack.warnings))];
  return {
    id: "summary",
    title: "In short",
    lead: headline(card),
    body: markup`${cards(findings.map((finding) => ({ colour: "var(--accent)", ...finding })))}
      ${card.complete ? null : note("caution", "The run was stopped early: the numbers cover only what had been measured by then.")}
      ${card.warnings.map((warning) => note("caution", warning))}
      ${warnings.map((warning) => note("caution", warning))}
      ${summary?.remark ? note("note", summary.remark) : null}`,
  };
}

/** The scores at each timestep of the network; everything else on the page is about the last timestep. */
async function timestepSection({ overTime, protocol }: ResultCard): Promise<Section | undefined> {
  if (!overTime) return undefined;
  const last = overTime.at(-1)!;
  const attackNames = last.attacks.map(({ plan, epsilon }) => `${plan}, ε ${showEpsilon(epsilon)}`);
  const curves = [
    { name: "clean", at: ({ clean }: TimestepFindings) => clean?.accuracy },
    ...attackNames.map((name, i) => ({ name, at: ({ attacks }: TimestepFindings) => attacks[i]?.robust })),
  ].map(({ name, at }) => ({
    name,
    points: overTime.flatMap((one) => {
      const found = at(one);
      return found ? [{ x: one.timestep, y: found.value, low: found.low, high: found.high }] : [];
    }),
  }));
  const corrupted = {
    name: meanOf(protocol.corruptions.length),
    points: overTime.flatMap(({ timestep, summary }) =>
      summary ? [{ x: timestep, y: 1 - summary.meanError }] : [],
    ),
  };
  const chart = await lineBlock(
    "timesteps",
    {
      x: { title: "timestep", format: "d" },
      y: { title: "accuracy", format: ".0%", domain: [0, 1] },
      series: [...curves, corrupted].filter(({ points }) => points.length > 0),
      rules: [{ y: 1 / protocol.model.classes, label: "chance" }],
    },
    "Accuracy at each timestep, on clean, corrupted and attacked images",
  );
  return {
    id: "timesteps",
    title: "Timestep by timestep",
    lead: `The network has an output at each of ${overTime.length} timesteps; an attack on a timestep uses gradients through all timesteps up to it. Everything else on this page is about timestep ${last.timestep}.`,
    body: markup`${chartFigure(chart, markup`Bands are 95 % Wilson intervals.`)}
    ${table({
      label: "Scores at each timestep",
      head: [
        "timestep",
        "clean %",
        "ECE %",
        ...(last.summary ? ["corrupted, mean %"] : []),
        ...attackNames.map((name) => `${name} %`),
      ],
      rows: overTime.map(({ timestep, clean, summary, attacks }) => ({
        name: String(timestep),
        cells: [
          clean ? withInterval(clean.accuracy) : "",
          clean ? percent(clean.ece) : "",
          ...(last.summary ? [summary ? percent(1 - summary.meanError) : ""] : []),
          ...attacks.map(({ robust }) => withInterval(robust)),
        ],
      })),
    })}`,
  };
}

function headline(card: ResultCard): string {
  const { clean, summary, corruptions, attacks } = card;
  const parts: string[] = [];
  if (clean && summary) {
    const lost = 100 * (clean.accuracy.value - (1 - summary.meanError));
    const means = meansOf(card);
    const [worst] = [...means].sort((a, b) => a.accuracy - b.accuracy);
    parts.push(
      `Corruptions cost ${lost.toFixed(1)} points of accuracy on average` +
        (worst && corruptions.length > 1
          ? `; ${nameOf(worst.name, card)} costs the most (accuracy ${percent(worst.accuracy)} %).`
          : "."),
    );
  }
  const [hardest] = [...attacks].sort((a, b) => a.robust.value - b.robust.value);
  if (hardest) {
    parts.push(
      `${hardest.plan} at ε ${showEpsilon(hardest.epsilon)} leaves ${percent(hardest.robust.value)} % of the images correctly classified.`,
    );
  }
  const text = parts.join(" ") || "Accuracy and calibration on clean images.";
  const last = card.overTime?.at(-1)?.timestep;
  return last === undefined ? text : `At timestep ${last}, the last one: ${text}`;
}

function nameOf(name: string, { protocol }: ResultCard): string {
  const words = name.replaceAll("_", " ");
  return name === "frost" && protocol.frost === "procedural" ? "frost (procedural)" : words;
}

function meansOf(card: ResultCard): { name: string; accuracy: number; scores: readonly Scores[] }[] {
  return card.protocol.corruptions.flatMap((name) => {
    const scores = card.corruptions.filter((one) => one.name === name);
    if (scores.length === 0) return [];
    const accuracy = scores.reduce((total, one) => total + one.accuracy.value, 0) / scores.length;
    return [{ name, accuracy, scores }];
  });
}

async function corruptionSection(report: RobustnessReport): Promise<Section | undefined> {
  const { card, gallery } = report;
  const { corruptions, summary, clean, protocol } = card;
  if (!summary || !clean) return undefined;
  const cells = corruptions.map((one) => ({
    x: String(one.severity),
    y: nameOf(one.name, card),
    value: 100 * one.accuracy.value,
  }));
  const map = await chartBlock(
    "corruption-map",
    heatMap({
      x: { title: "severity" },
      y: { title: "" },
      cells,
      value: { title: "accuracy in %", format: ".0f", domain: [0, 100] },
    }),
    `Accuracy for ${protocol.corruptions.length} corruptions and severities ${protocol.severities.join(", ")}`,
  );
  const groups = groupCurves(card);
  const curves =
    protocol.severities.length > 1
      ? await lineBlock(
          "corruption-curves",
          {
            x: { title: "severity (0 = clean)", domain: [0, 5] },
            y: { title: "accuracy", format: ".0%", domain: [0, 1] },
            series: groups,
            rules: [{ y: 1 / protocol.model.classes, label: "chance" }],
          },
          "Accuracy against severity for each group of corruptions",
        )
      : undefined;
  return {
    id: "corruptions",
    title: "Common corruptions",
    lead: markup`${protocol.corruptions.length} corruptions of Hendrycks &amp; Dietterich (2019), made with the constants
      for ${protocol.constants}-pixel images${
        protocol.reencode === false ? "" : markup`, stored as JPEG of quality ${protocol.reencode}`
      }. Brackets are 95 % Wilson intervals.`,
    body: markup`${chartFigure(
      map,
      markup`Accuracy in percent. <b>A row</b> shows how fast a corruption takes effect; <b>a column</b> shows which corruption harms the network most.`,
    )}
    ${
      curves
        ? chartFigure(
            curves,
            markup`Mean accuracy of each <b>group</b> of corruptions; all begin at the accuracy on clean images.`,
          )
        : null
    }
    ${corruptionTable(card)}
    ${
      gallery
        ? figure(
            pictureGrid(gallery.pictures, 128),
            markup`${gallery.title}: every corruption at severity ${gallery.severity}, with the network’s prediction.`,
          )
        : null
    }`,
  };
}

function groupCurves(card: ResultCard) {
  const { clean, corruptions, protocol } = card;
  return card.groups.map(({ name, members }) => ({
    name,
    points: [
      { x: 0, y: clean!.accuracy.value },
      ...protocol.severities.map((severity) => {
        const own = corruptions.filter((one) => one.severity === severity && members.includes(one.name));
        return {
          x: severity,
          y: own.reduce((total, { accuracy }) => total + accuracy.value, 0) / own.length,
        };
      }),
    ],
  }));
}

function corruptionTable(card: ResultCard): Html {
  const { severities } = card.protocol;
  return table({
    label: "Accuracy by corruption and severity",
    caption: "Accuracy in percent",
    head: ["corruption", "mean", ...severities.map((severity) => `severity ${severity}`)],
    rows: meansOf(card).map(({ name, accuracy, scores }) => ({
      name: nameOf(name, card),
      cells: [markup`<b>${percent(accuracy)}</b>`, ...scores.map((one) => withInterval(one.accuracy))],
    })),
  });
}

async function attackSection(report: RobustnessReport): Promise<Section | undefined> {
  const { attacks } = report.card;
  const [first] = attacks;
  if (!first) return undefined;
  const plans = [...new Set(attacks.map(({ plan }) => plan))];
  const radii = [...new Set(attacks.map(({ epsilon }) => epsilon))].sort((a, b) => a - b);
  const curve =
    radii.length > 0
      ? await lineBlock(
          "attack-curves",
          {
            x: {
              title: first.norm === "Linf" ? "radius ε in 255ths (Linf)" : "radius ε (L2), images in [0, 1]",
              format: "~g",
            },
            y: { title: "robust accuracy", format: ".0%", domain: [0, 1] },
            series: plans.map((plan) => ({
              name: plan,
              points: [
                { x: 0, y: first.clean.value, low: first.clean.low, high: first.clean.high },
                ...attacks
                  .filter((attack) => attack.plan === plan)
                  .sort((a, b) => a.epsilon - b.epsilon)
                  .map(({ epsilon, robust }) => ({
                    x: first.norm === "Linf" ? 255 * epsilon : epsilon,
                    y: robust.value,
                    low: robust.low,
                    high: robust.high,
                  })),
              ],
            })),
          },
          "Robust accuracy against the radius, for each attack",
        )
      : undefined;
  return {
    id: "attacks",
    title: "Attacks",
    lead: markup`Robust accuracy is the share of all attacked images that were classified correctly before and after the attack. Every adversarial image was checked to lie within the radius of the clean image and in [0, 1], and was classified once more.`,
    body: markup`${
      curve
        ? chartFigure(
            curve,
            markup`Bands are 95 % Wilson intervals. An attack gives an <b>upper bound</b> of robustness: a stronger attack may leave less.`,
          )
        : null
    }
    ${table({
      label: "Robust accuracy of each attack",
      caption: "Robust accuracy in percent",
      head: ["attack", "norm", "ε", "images", "clean", "robust", "after each stage"],
      rows: attacks.map((attack) => ({
        name: markup`${attack.plan} <small>${settingsOf(attack)}</small>`,
        cells: [
          attack.norm,
          showEpsilon(attack.epsilon),
          attack.robust.n,
          withInterval(attack.clean),
          withInterval(attack.robust),
          attack.stages.length > 1
            ? attack.stages.map(({ name, robust }) => markup`<small>${name}: ${percent(robust)}</small>`)
            : "",
        ],
      })),
    })}
    ${report.adversarial.map(({ title, pictures }) => figure(pictureGrid(pictures, 128), title))}`,
  };
}

function settingsOf({ settings }: AttackScores): string {
  const [only] = settings;
  if (settings.length > 1 || !only) return "";
  return Object.entries(only.settings)
    .map(([key, value]) => `${key} ${typeof value === "number" ? number(value) : value}`)
    .join(", ");
}

function calibrationSection(card: ResultCard): Section | undefined {
  const { clean, reliability, corruptions, protocol } = card;
  if (!clean || !reliability) return undefined;
  const occupied = reliability.bins.filter(({ count }) => count > 0);
  const counts = occupied.map(({ count }) => count);
  const diagram = svg(
    { width: 420, height: 440, label: "Reliability diagram: accuracy against confidence on clean images" },
    (context) => {
      drawReliabilityDiagram(context, reliability, { width: 420, height: 440 });
    },
  );
  const bySeverity = protocol.severities.flatMap((severity) => {
    const own = corruptions.filter((one) => one.severity === severity);
    if (own.length === 0) return [];
    const mean = (value: (one: Scores) => number) =>
      own.reduce((total, one) => total + value(one), 0) / own.length;
    return [
      {
        name: `severity ${severity}, ${meanOf(own.length)}`,
        cells: [
          percent(mean((one) => one.accuracy.value)),
          percent(mean((one) => one.ece)),
          percent(mean((one) => one.adaptiveEce)),
          number(mean((one) => one.nll)),
          number(mean((one) => one.brier)),
        ],
      },
    ];
  });
  return {
    id: "calibration",
    title: "Calibration",
    lead: markup`Calibration compares the confidence of the network with its accuracy. ECE: expected calibration error over ${protocol.bins}
      bins of equal width, adaptive ECE over as many bins with equal numbers of images; NLL: negative log-likelihood in nats; Brier: squared error of the probabilities, summed over classes.`,
    body: markup`${figure(
      markup`<div style="max-width:500px">${raw(diagram)}</div>`,
      markup`Clean images. Blue bars show accuracy; the orange part (brown over a bar) is the gap to the mean confidence of the bin. A bar that ends <b>below</b> the dashed line means that the network is overconfident. Bins hold ${Math.min(...counts)} to
        ${Math.max(...counts)} images; accuracy in small bins is uncertain.`,
      details("Data", binTable(occupied)),
    )}
    ${table({
      label: "Calibration by severity",
      head: ["images", "accuracy %", "ECE %", "adaptive ECE %", "NLL", "Brier"],
      rows: [
        {
          name: `clean (n = ${clean.accuracy.n})`,
          cells: [
            withInterval(clean.accuracy),
            percent(clean.ece),
            percent(clean.adaptiveEce),
            number(clean.nll),
            number(clean.brier),
          ],
        },
        ...bySeverity,
      ],
    })}`,
  };
}

function binTable(bins: readonly ReliabilityBin[]): Html {
  return table({
    label: "Bins of the reliability diagram",
    head: ["confidences %", "mean confidence %", "accuracy %", "images"],
    rows: bins.map(({ low, high, confidence, accuracy, count }) => ({
      name: `${percent(low)} to ${percent(high)}`,
      cells: [percent(confidence), percent(accuracy), count],
    })),
  });
}

function labelSection({ card, labels = [] }: RobustnessReport): Section | undefined {
  if (labels.length === 0) return undefined;
  return {
    id: "labels",
    title: "Labels",
    lead: `Labels are ${card.protocol.data.labels}. If images do not show what their labels say, no number on this page is valid.`,
    body: markup`${labels.map(({ label, name, count, pictures }) =>
      figure(
        pictureGrid(pictures, 110),
        markup`<b>Output ${label}: ${name}</b>, ${count} ${count === 1 ? "image" : "images"}`,
      ),
    )}`,
  };
}

function failureSection({ failures }: RobustnessReport): Section | undefined {
  if (failures.length === 0) return undefined;
  return {
    id: "failures",
    title: "Worst failures",
    lead: "The wrong predictions with the highest confidence, on clean and corrupted versions, at most one for each image.",
    body: figure(pictureGrid(failures, 150), "Each image with its true class and the predicted class."),
  };
}

function skippedSection({ skipped, protocol }: ResultCard): Section | undefined {
  if (skipped.length === 0) return undefined;
  return {
    id: "skipped",
    title: "Left out",
    lead: `${skipped.length} of ${protocol.data.images} images could not be read and are excluded from all numbers.`,
    body: markup`<ul>
      ${skipped.map(({ name, reason }) => markup`<li><code>${name}</code>: ${reason}</li>`)}
    </ul>`,
  };
}

/** The noise and the constant values that the user gave for the model's other inputs. */
function inputFacts({
  timesteps,
  noise = {},
  inputs = {},
  fixedNoise,
}: ResultCard["protocol"]["model"]): (readonly [string, string])[] {
  const stated = [
    ...Object.entries(noise).map(([name, kind]) => `${name}: ${kind} noise`),
    ...Object.entries(inputs).map(([name, values]) => `${name} = ${values.join(", ")}`),
  ];
  return [
    ...(timesteps ? [["Timesteps", timesteps.join(", ")] as const] : []),
    ...(stated.length > 0 ? [["Inputs", stated.join("; ")] as const] : []),
    ...(fixedNoise === true ? [["Noise", "the same for every image and pass"] as const] : []),
  ];
}

function passesText(passes: number, single: Scores["singlePass"]): string {
  if (single === undefined) return String(passes);
  const accuracy = `${percent(single.accuracy)} ± ${percent(single.spread)} %`;
  return `${passes}, with averaged outputs; accuracy of a single pass on clean images: ${accuracy}`;
}

function provenance({ protocol, measured, clean }: ResultCard): (readonly [string, Content])[] {
  const { model, data } = protocol;
  return [
    ["Model", markup`${model.name} <small>SHA-256 ${model.sha256.slice(0, 16)}…</small>`],
    ["Model’s answers", model.answers],
    ["Preprocessing", `${describePreprocessing(model.preprocessing)} (${model.preprocessingFrom})`],
    ...inputFacts(model),
    ["Data", `${data.name}: ${measured} of ${data.count} images, ${data.choice}`],
    ["Labels", data.labels],
    ["Attacked images", String(data.attacked)],
    ["Corruptions", `constants for ${protocol.constants} pixels, frost ${protocol.frost}`],
    [
      "Stored as",
      protocol.reencode === false ? "bytes, not re-encoded" : `JPEG, quality ${protocol.reencode}`,
    ],
    ["Severities", protocol.severities.join(", ") || "none"],
    ["Seed", String(protocol.seed)],
    ["Forward passes", passesText(protocol.passes, clean?.singlePass)],
    ["Batch", `${protocol.batch} (the random search of the Square attack depends on it)`],
    ["Intervals", "Wilson, 95 %"],
    ["Device", protocol.device],
    ["Striate", protocol.version],
  ];
}
