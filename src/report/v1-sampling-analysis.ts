import { chartBlock, chartFigure } from "./chart-block.js";
import type { ChartBlock } from "./chart-block.js";
import { heatMap } from "./charts.js";
import { details, markup, number, percent, table } from "./html.js";
import type { Content, Html, Section } from "./html.js";
import { scatterChart } from "./scatter-chart.js";
import { pairs as chartPairs } from "./v1-sampling-v1.js";
import type { GroupFacts, PairReport, V1SamplingReport, VariantReport } from "./v1-sampling-data.js";
import { BAND_NAMES } from "./v1-sampling-data.js";

export function groupTitle({ cellType, frequencyBand, widthBand }: GroupFacts): string {
  return `${cellType}, ${BAND_NAMES.frequency[frequencyBand]!} c/deg, nx ${BAND_NAMES.width[widthBand]!}`;
}

/** The upper border of a band. */
const upper = (band: string): string => band.split("–")[1]!;

/** Groups that both variants have. */
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
  for (const pair of pairs) scatters.push(await pairFigure(report, pair));
  return {
    id: "analysis",
    title: "Sub-populations",
    lead: "Cells grouped by type, spatial frequency and width (nx), and cells of different variants paired by their receptive fields (log2 frequency, log10 nx and ny, cos and sin of twice the orientation, each over its deviation; optimal assignment, pairs further apart than 1 left out).",
    body: markup`${chartFigure(
      {
        body: chartPairs(maps),
        specs: maps.flatMap(({ specs }) => specs),
      },
      "Cells in each group, mean over seeds. The biological variant has few cells of low frequency and large width or of high frequency and small width.",
    )}
    ${pairs.length > 0 ? matchTable(pairs) : null} ${scatters}
    ${variants.map((variant) => details(`All groups of ${variant.label}`, groupTable(variant)))}`,
  };
}

function matchTable(pairs: readonly PairReport[]): Html {
  return table({
    label: "Matched cells",
    caption: "Similar cells of two variants: do they answer alike, and are they listened to alike?",
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

/** The same groups in two variants: responses and weights. */
async function pairFigure(report: V1SamplingReport, { one, other }: PairReport): Promise<Html> {
  const groups = common(variantOf(report, one), variantOf(report, other));
  const quantities = [
    { id: "mean", title: "Mean response", pick: (group: GroupFacts) => group.mean },
    { id: "sparseness", title: "Lifetime sparseness", pick: (group: GroupFacts) => group.sparseness },
    { id: "weight", title: "Downstream weight", pick: (group: GroupFacts) => group.weight },
  ];
  const blocks: ChartBlock[] = [];
  for (const { id, title, pick } of quantities)
    blocks.push(await groupScatter(`pair-${one}-${other}-${id}`, title, [one, other], groups, pick));
  return chartFigure(
    {
      body: markup`<div class="multiples">${blocks.map(({ body }) => body)}</div>`,
      specs: blocks.flatMap(({ specs }) => specs),
    },
    markup`One point for each group that both variants have; <b>on the diagonal</b> the two variants agree.`,
  );
}

async function groupScatter(
  id: string,
  title: string,
  [one, other]: readonly [string, string],
  groups: readonly (readonly [GroupFacts, GroupFacts])[],
  pick: (group: GroupFacts) => number,
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
  <p><small>${Math.round(groups.silentPositions)} positions of cells were silent on all images; they are left out of variation and
    sparseness.</small></p>`;
}

export async function impactSection(report: V1SamplingReport): Promise<Section | undefined> {
  const { variants, pairs } = report;
  if (variants.length === 0) return undefined;
  const blocks: Html[] = [];
  for (const { one, other } of pairs) {
    const groups = common(variantOf(report, one), variantOf(report, other));
    const charts = [
      await groupScatter(
        `impact-${one}-${other}-clean`,
        "Clean accuracy lost",
        [one, other],
        groups,
        (g) => g.zero.clean,
      ),
      await groupScatter(
        `impact-${one}-${other}-all`,
        "Corruption accuracy lost",
        [one, other],
        groups,
        (g) => g.zero.corrupted,
      ),
      await groupScatter(
        `impact-${one}-${other}-cell`,
        "… per cell",
        [one, other],
        groups,
        (g) => g.zero.corruptedPerCell,
      ),
    ];
    blocks.push(
      chartFigure(
        {
          body: markup`<div class="multiples">${charts.map(({ body }) => body)}</div>`,
          specs: charts.flatMap(({ specs }) => specs),
        },
        "Loss of accuracy (fraction of images) when a group is silenced, one point for each group that both variants have. Points off the diagonal: cells alike, effects not.",
      ),
    );
  }
  return {
    id: "impact",
    title: "What each sub-population is worth",
    lead: "One group after the other is silenced at the output of V1 in the trained network (or held at its mean response); the loss of accuracy is measured on clean images and by kind of corruption.",
    body: markup`${blocks}
    ${impactTable(variants)}
    <p><small>The groups whose loss costs most accuracy under corruptions, mean over seeds; negative: accuracy rises without them.</small></p>`,
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
