import { CATEGORICAL, UNIFORM_CYCLE, cssGradient } from "../../draw/index.js";
import type { PairedDifference } from "../../metrics/paired.js";
import { chartFigure, lineBlock } from "../../report/chart-block.js";
import type { Content, Section } from "../../report/html.js";
import { details, figure, markup, note, page, percent, table } from "../../report/html.js";
import { pictureGrid } from "../../report/picture-grid.js";
import { betterMark, points } from "../../report/verdict.js";
import type { ComparedMeasure, Comparison } from "../../robustness/comparison.js";
import type { ComparedPictures } from "./pictures.js";

/** What the page shows besides the comparison. */
export interface ComparisonPageOptions {
  /** Names of the classes, if they are known. */
  readonly classes?: readonly string[];
  /** Pictures of images on which the networks differ, if the images are there. */
  readonly pictures?: ComparedPictures;
  readonly command: string;
  readonly date: string;
}

/** The comparison of several networks as one self-contained HTML file. */
export async function comparisonPage(
  comparison: Comparison,
  options: ComparisonPageOptions,
): Promise<string> {
  const { runs, cautions } = comparison;
  const [first] = runs;
  const { data } = first!.card.protocol;
  return page({
    title: runs.map(({ name }) => name).join(" against "),
    subtitle: `Accuracy, robustness and calibration on ${data.name}, image by image`,
    facts: [`${runs.length} networks`, `${first!.card.measured} images`, options.date.slice(0, 10)],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections: [
      summarySection(comparison),
      ...(await curveSections(comparison)),
      corruptionSection(comparison),
      classSection(comparison, options),
      imageSection(comparison, options),
    ].filter((section) => section !== undefined),
    provenance: [
      ["Command", markup`<code>${options.command}</code>`],
      ...runs.map(({ name, card }) => {
        const { model, seed, device, version } = card.protocol;
        return [
          name,
          `sha256 ${model.sha256.slice(0, 16)}, ${card.measured} images, seed ${seed}, ${device}, striate ${version}`,
        ] as const;
      }),
      ["Cautions", cautions.length === 0 ? "none" : String(cautions.length)],
      ["Date", options.date],
    ],
  });
}

/** A difference with its interval and, if there is one, the p-value of McNemar's test. */
function differenceText(difference: PairedDifference | undefined): Content {
  if (difference === undefined) return "–";
  const { difference: mean, low, high, status, p, gained, lost } = difference;
  const test = p === undefined ? "" : `, p ${p < 0.001 ? "< 0.001" : p.toFixed(3)}`;
  return markup`<b>${points(mean)}</b><span class="spread"> ${points(low)} to ${points(high)}</span><br>${betterMark(status)}<small>+${gained} −${lost}${test}</small>`;
}

function summarySection({ runs, measures, cautions }: Comparison): Section {
  const main = measures.filter(({ kind }) => kind !== "corruption" && kind !== "severity");
  const [first, ...others] = runs;
  return {
    id: "summary",
    title: "In short",
    lead: others.map((run, i) => headline(run.name, first!.name, main, i + 1)).join(" "),
    body: markup`${table({
      label: "Scores of all networks",
      caption: "In percent of images",
      head: ["Network", ...main.map(({ name }) => name), "ECE, clean"],
      rows: runs.map(({ name, card }, i) => ({
        name: markup`<span class="swatch" style="background:${CATEGORICAL[i % CATEGORICAL.length]}"></span>${name}`,
        cells: [...main.map(({ values }) => percent(values[i] ?? NaN)), percent(card.clean?.ece ?? NaN)],
      })),
    })}
    ${table({
      label: "Differences to the first network",
      caption: `Difference to ${first!.name} in points, with 95 % interval`,
      head: ["Network", ...main.map(({ name }) => name)],
      rows: others.map(({ name }, i) => ({
        name,
        cells: main.map(({ differences }) => differenceText(differences[i + 1])),
      })),
    })}
    <p><small>${methods(main)} +N −M: images on which the network is better, and worse, than ${first!.name}. Many comparisons were made, so some differences are decided by chance: about one in twenty.</small></p>
    ${cautions.map((caution) => note("caution", caution))}`,
  };
}

function methods(measures: readonly ComparedMeasure[]): string {
  const found = new Set(
    measures.flatMap(({ differences }) => differences.flatMap((one) => (one ? [one.method] : []))),
  );
  return found.size === 0 ? "" : `Intervals: ${[...found].join("; ")}.`;
}

function headline(name: string, first: string, measures: readonly ComparedMeasure[], at: number): string {
  const decided = measures.flatMap(({ name: measure, differences }) => {
    const one = differences[at];
    return one && one.status !== "undecided" ? [`${measure} ${points(one.difference)}`] : [];
  });
  if (measures.every(({ differences }) => differences[at] === undefined))
    return `${name} and ${first} have no images in common that could be compared.`;
  return decided.length === 0
    ? `No difference between ${name} and ${first} is decided.`
    : `Decided differences of ${name} to ${first}, in points: ${decided.join(", ")}.`;
}

async function curveSections({ runs, measures }: Comparison): Promise<Section[]> {
  const sections: Section[] = [];
  const severities = measures.filter(({ kind }) => kind === "severity");
  const clean = measures.find(({ kind }) => kind === "clean");
  const series = (rows: readonly (readonly [x: number, values: readonly (number | undefined)[]])[]) =>
    runs.map(({ name }, i) => ({
      name,
      style: i,
      points: rows.flatMap(([x, values]) => {
        const y = values[i];
        return y === undefined ? [] : [{ x, y }];
      }),
    }));
  const start = clean ? [[0, clean.values] as const] : [];
  if (severities.length > 0) {
    const rows = severities.map(({ name, values }) => [Number(name.split(" ")[1]), values] as const);
    const chart = await lineBlock(
      "severities",
      {
        x: { title: "Severity (0 = clean)", format: "d" },
        y: { title: "Right", format: ".0%" },
        series: series([...start, ...rows]),
      },
      "Accuracy of each network against severity, mean over corruptions",
    );
    sections.push({
      id: "severities",
      title: "Corruptions",
      lead: "Mean accuracy over the corruptions that were measured.",
      body: chartFigure(chart, "Severity 0 is the clean image."),
    });
  }
  const plans = [
    ...new Set(runs.flatMap(({ card }) => card.attacks.map(({ plan, norm }) => `${plan} ${norm}`))),
  ];
  for (const [i, plan] of plans.entries()) {
    const epsilons = [
      ...new Set(
        runs.flatMap(({ card }) =>
          card.attacks.filter((one) => `${one.plan} ${one.norm}` === plan).map(({ epsilon }) => epsilon),
        ),
      ),
    ].sort((a, b) => a - b);
    const rows = epsilons.map(
      (epsilon) =>
        [
          epsilon,
          runs.map(
            ({ card }) =>
              card.attacks.find((one) => `${one.plan} ${one.norm}` === plan && one.epsilon === epsilon)
                ?.robust.value,
          ),
        ] as const,
    );
    const chart = await lineBlock(
      `attack-${i}`,
      {
        x: { title: "Radius ε", format: ".3~f" },
        y: { title: "Right", format: ".0%", domain: [0, 1] },
        series: series([...start, ...rows]),
      },
      `Accuracy of each network under ${plan} against the radius`,
    );
    sections.push({
      id: `attack-${i}`,
      title: plan,
      lead: "Share of images that stay right under the attack.",
      body: chartFigure(chart, "Radius 0 is the clean image, measured on all images."),
    });
  }
  return sections;
}

function corruptionSection({ runs, measures }: Comparison): Section | undefined {
  const own = measures.filter(({ kind }) => kind === "corruption");
  if (own.length === 0) return undefined;
  const [first, ...others] = runs;
  return {
    id: "corruptions",
    title: "Which corruptions",
    lead: `Accuracy of ${first!.name}, and differences to it, as means over severities.`,
    body: table({
      label: "Accuracy under each corruption",
      caption: "In percent, and differences in points",
      head: ["Corruption", ...runs.map(({ name }) => name)],
      rows: own.map(({ name, values, differences }) => ({
        name: name.replaceAll("_", " "),
        cells: [percent(values[0] ?? NaN), ...others.map((_, i) => differenceText(differences[i + 1]))],
      })),
    }),
  };
}

function classSection(
  { runs, classes }: Comparison,
  { classes: names }: ComparisonPageOptions,
): Section | undefined {
  if (classes.length === 0) return undefined;
  const change = ({ accuracy }: (typeof classes)[number]) =>
    Math.max(...accuracy.slice(1).map((value) => Math.abs((value ?? 0) - (accuracy[0] ?? 0))));
  const sorted = [...classes].sort((a, b) => change(b) - change(a));
  const rows = (list: typeof classes) =>
    table({
      label: "Accuracy of each class",
      caption: "Percent of clean images that are right",
      head: ["Class", "images", ...runs.map(({ name }) => name)],
      rows: list.map(({ label, count, accuracy }) => ({
        name: names?.[label] ?? `class ${label}`,
        cells: [String(count), ...accuracy.map((value) => percent(value ?? NaN))],
      })),
    });
  return {
    id: "classes",
    title: "Classes",
    lead: "The classes whose accuracy changes most. Few images of a class make its change uncertain.",
    body: markup`${rows(sorted.slice(0, 10))}${sorted.length > 10 ? details(`All ${sorted.length} classes`, rows(sorted)) : null}`,
  };
}

const SHOWN = 200;

function imageSection(
  { runs, changed }: Comparison,
  { classes: names, pictures }: ComparisonPageOptions,
): Section | undefined {
  if (changed.length === 0) return undefined;
  const className = (label: number | undefined) =>
    label === undefined ? "–" : (names?.[label] ?? `class ${label}`);
  return {
    id: "images",
    title: "Where they differ",
    lead: `${changed.length} clean images are right for one network and wrong for another.`,
    body: markup`${pictures ? figure(shownPictures(runs, changed, pictures, className), "The image, its label, and the answer of each network.") : null}${details(
      `The ${changed.length > SHOWN ? `first ${SHOWN} of them` : "images"}`,
      table({
        label: "Images on which the networks differ",
        head: ["Image", "label", ...runs.map(({ name }) => name)],
        rows: changed.slice(0, SHOWN).map(({ image, label, predicted }) => ({
          name: pictures?.nameOf(image) ?? `image ${image}`,
          cells: [
            className(label),
            ...predicted.map((one) => (one === label ? markup`<b>✓</b>` : className(one))),
          ],
        })),
      }),
    )}`,
  };
}

function shownPictures(
  runs: Comparison["runs"],
  changed: Comparison["changed"],
  { uris, nameOf }: ComparedPictures,
  className: (label: number | undefined) => string,
): Content {
  return pictureGrid(
    changed.flatMap(({ image, label, predicted }) => {
      const uri = uris.get(image);
      if (uri === undefined) return [];
      const answers = runs.map(({ name }, i) => ({
        text: `${name}: ${className(predicted[i])}`,
        wrong: predicted[i] !== label,
      }));
      return [{ uri, title: className(label), alt: `${className(label)}: ${nameOf(image)}`, answers }];
    }),
    150,
  );
}
