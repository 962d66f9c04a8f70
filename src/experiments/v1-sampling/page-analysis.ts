import type { ChartBlock } from "../../report/chart-block.js";
import { chartBlock, chartFigure, chartGrid, multiples } from "../../report/chart-block.js";
import { heatMap } from "../../report/charts.js";
import type { Content, Html, Section } from "../../report/html.js";
import { details, markup, number, percent, table } from "../../report/html.js";
import { scatterChart } from "../../report/scatter-chart.js";
import type { GroupFacts } from "./analysis.js";
import type { PairReport, V1SamplingReport, VariantReport } from "./results.js";
import { BAND_NAMES } from "./results.js";

export function groupTitle({ cellType, frequencyBand, widthBand }: GroupFacts): string {
  return `${cellType}, ${BAND_NAMES.frequency[frequencyBand]!} c/deg, nx ${BAND_NAMES.width[widthBand]!}`;
}

/** The upper limit of a band, as text. */
const upper = (band: string): string => band.split("–")[1]!;

/** Pairs of groups that both variants have. */
function common(one: VariantReport, other: VariantReport): (readonly [GroupFacts, GroupFacts])[] {
  return one.groups.groups.flatMap((group, g) => {
    const partner = other.groups.groups[g]!;
    return group.cells > 0 && partner.cells > 0 ? [[group, partner] as const] : [];
  });
}

const variantOf = (report: V1SamplingReport, label: string): VariantReport =>
  report.variants.find((variant) => variant.label === label)!;

async function groupMaps(variant: VariantReport): Promise<ChartBlock[]> {
  const blocks: ChartBlock[] = [];
  for (const cellType of ["simple", "complex"] as const) {
    const own = variant.groups.groups.filter((group) => group.cellType === cellType);
    blocks.push(
      await chartBlock(
        `groups-${variant.id}-${cellType}`,
        heatMap({
          x: { title: "nx up to, cycles" },
          y: { title: "c/deg up to" },
          cells: [...own]
            .sort((a, b) => b.frequencyBand - a.frequencyBand || a.widthBand - b.widthBand)
            .map(({ frequencyBand, widthBand, cells }) => ({
              x: upper(BAND_NAMES.width[widthBand]!),
              y: upper(BAND_NAMES.frequency[frequencyBand]!),
              value: cells,
            })),
          value: { title: "cells", format: ".0f" },
        }),
        `${variant.label}: number of ${cellType} cells in 12 groups`,
        { small: true, heading: `${variant.label}, ${cellType}` },
      ),
    );
  }
  return blocks;
}

export async function analysisSection(report: V1SamplingReport): Promise<Section | undefined> {
  const { variants, pairs } = report;
  if (variants.length === 0) return undefined;
  const maps: ChartBlock[] = [];
  for (const variant of variants) maps.push(...(await groupMaps(variant)));
  const scatters: Html[] = [];
  const caption = markup`One point for each group that both variants have; <b>on the diagonal</b> the two variants agree.`;
  for (const pair of pairs)
    scatters.push(await pairFigure(report, pair, { id: "pair", quantities: PROPERTIES, caption }));
  return {
    id: "analysis",
    title: "Sub-populations",
    lead: "The cells are grouped by type, spatial frequency and width (nx). In addition, each cell of one variant is paired with a similar cell of another (optimal assignment by the distance in log2 frequency, log10 nx and ny, and cos and sin of twice the orientation, each divided by its standard deviation; pairs further apart than 1 are left out).",
    body: markup`${chartFigure(
      chartGrid(maps),
      "Cells in each group, mean over seeds. The biological variant has few cells with low frequency and large width, and few with high frequency and small width.",
    )}
    ${pairs.length > 0 ? matchTable(pairs) : null} ${scatters}
    ${variants.map((variant) => details(`All groups of ${variant.label}`, groupTable(variant)))}`,
  };
}

function matchTable(pairs: readonly PairReport[]): Html {
  return table({
    label: "Matched cells",
    caption: "Do similar cells of two variants have similar responses and similar weights?",
    head: [
      "Variants, cell type",
      "overlap of groups",
      "matched pairs",
      "distance, median",
      "correlation of responses, median",
      "… of unmatched cells",
      "correlation of downstream weights",
      "ratio of weights",
    ],
    rows: pairs.flatMap(({ one, other, overlap, matches }) =>
      matches.map((match) => ({
        name: `${one} and ${other}, ${match.cellType}`,
        cells: [
          number(overlap[match.cellType], 2),
          String(Math.round(match.pairs)),
          number(match.distance, 2),
          number(match.correlation, 2),
          number(match.unmatchedCorrelation, 2),
          number(match.weights, 2),
          number(match.weightRatio, 2),
        ],
      })),
    ),
  });
}

/** A measure of groups of cells that the page compares between variants. */
interface Quantity {
  readonly id: string;
  readonly title: string;
  readonly pick: (group: GroupFacts) => number;
}

const PROPERTIES: readonly Quantity[] = [
  { id: "mean", title: "Mean response", pick: ({ mean }) => mean },
  { id: "sparseness", title: "Lifetime sparseness", pick: ({ sparseness }) => sparseness },
  { id: "weight", title: "Downstream weight", pick: ({ weight }) => weight },
];

const LOSSES: readonly Quantity[] = [
  { id: "clean", title: "Clean accuracy lost", pick: ({ zero }) => zero.clean },
  { id: "all", title: "Corruption accuracy lost", pick: ({ zero }) => zero.corrupted },
  { id: "cell", title: "… per cell", pick: ({ zero }) => zero.corruptedPerCell },
];

/** Charts that compare the same groups in two variants, one for each measure. */
async function pairFigure(
  report: V1SamplingReport,
  { one, other }: PairReport,
  {
    id,
    quantities,
    caption,
  }: { readonly id: string; readonly quantities: readonly Quantity[]; readonly caption: Content },
): Promise<Html> {
  const groups = common(variantOf(report, one), variantOf(report, other));
  const charts = quantities.map((quantity) =>
    groupScatter(`${id}-${one}-${other}-${quantity.id}`, [one, other], groups, quantity),
  );
  return chartFigure(multiples(await Promise.all(charts)), caption);
}

function groupScatter(
  id: string,
  [one, other]: readonly [string, string],
  groups: readonly (readonly [GroupFacts, GroupFacts])[],
  { title, pick }: Quantity,
): Promise<ChartBlock> {
  const points = groups.flatMap(([a, b]) => {
    const [x, y] = [pick(b), pick(a)];
    return Number.isFinite(x) && Number.isFinite(y) ? [{ group: a.cellType, name: groupTitle(a), x, y }] : [];
  });
  return chartBlock(
    id,
    scatterChart({ x: { title: other }, y: { title: one }, points, diagonal: true }),
    `${title} of the groups of cells, ${one} against ${other}`,
    { small: true, heading: title },
  );
}

function groupTable({ label, groups }: VariantReport): Html {
  const rows = groups.groups.filter(({ cells }) => cells > 0);
  return markup`${table({
    label: `Groups of ${label}`,
    head: [
      "Group",
      "cells",
      "mean response",
      "variation (CV)",
      "sparseness",
      "weight",
      "share of weights, %",
      "silenced: clean lost, points",
      "corrupted lost, points",
      "… per cell",
      "at the mean: corrupted lost",
      "bottleneck moved by",
    ],
    rows: rows.map((group) => ({
      name: groupTitle(group),
      cells: [
        number(group.cells, 2),
        number(group.mean, 2),
        number(group.variation, 2),
        number(group.sparseness, 2),
        number(group.weight, 2),
        percent(group.weightShare),
        percent(group.zero.clean),
        percent(group.zero.corrupted),
        number(100 * group.zero.corruptedPerCell, 2),
        percent(group.held.corrupted),
        number(group.zero.moved, 2),
      ],
    })),
  })}
  <p><small>${Math.round(groups.silentPositions)} cell positions responded to no image; variation and sparseness leave them out.</small></p>`;
}

export async function impactSection(report: V1SamplingReport): Promise<Section | undefined> {
  const { variants, pairs } = report;
  if (variants.length === 0) return undefined;
  const caption =
    "Loss of accuracy (fraction of images) when a group is silenced, one point for each group that both variants have. A point off the diagonal is a group with similar cells and different effects in the two variants.";
  const blocks: Html[] = [];
  for (const pair of pairs)
    blocks.push(await pairFigure(report, pair, { id: "impact", quantities: LOSSES, caption }));
  return {
    id: "impact",
    title: "How much each sub-population matters",
    lead: "Each group in turn is silenced at the output of V1 in the trained network, or held at its mean response. The loss of accuracy is measured on clean images and by kind of corruption.",
    body: markup`${blocks}
    ${impactTable(variants)}
    <p><small>The five groups of each variant whose silencing costs the most accuracy under corruptions, mean over seeds. If the loss is negative, accuracy rises without the group.</small></p>`,
  };
}

function impactTable(variants: readonly VariantReport[]): Html {
  const kinds = [
    ...new Set(
      variants.flatMap(({ groups }) => groups.groups.flatMap(({ zero }) => Object.keys(zero.kinds))),
    ),
  ];
  const rows = variants.flatMap(({ label, groups }) =>
    groups.groups
      .filter(({ zero }) => Number.isFinite(zero.corrupted))
      .sort((a, b) => b.zero.corrupted - a.zero.corrupted)
      .slice(0, 5)
      .map((group) => ({
        name: `${label}: ${groupTitle(group)}`,
        cells: [
          number(group.cells, 2),
          percent(group.zero.clean),
          ...kinds.map((kind): Content => percent(group.zero.kinds[kind] ?? NaN)),
          percent(group.zero.corrupted),
          percent(group.weightShare),
        ],
      })),
  );
  return table({
    label: "Groups that matter most",
    head: [
      "Group",
      "cells",
      "clean, points",
      ...kinds.map((kind) => `${kind}, points`),
      "mean, points",
      "share of weights, %",
    ],
    rows,
  });
}
