import { lineChart, NARROW, renderSvg, SMALL, WIDE } from "./charts.js";
import type { ChartBuilder, LineChartOptions } from "./charts.js";
import type { Content, Html } from "./html.js";
import { details, figure, markup, raw } from "./html.js";
import { CATEGORICAL } from "../draw/index.js";
import { DASHES, SHAPES } from "./theme.js";

/** The charts of one figure with their Vega-Lite specifications. */
export interface ChartBlock {
  readonly body: Html;
  readonly specs: readonly { readonly name: string; readonly spec: object }[];
}

/** Options of {@link chartBlock}. */
export interface ChartBlockOptions {
  /** Whether the chart is one of several small charts in a row. */
  readonly small?: boolean;
  /** Heading above the chart. */
  readonly heading?: string;
  /** Legend between the heading and the chart. */
  readonly legend?: Html;
  /**
   * The chart whose specification readers can copy; it has a legend of its own. Default: the chart as drawn.
   */
  readonly standalone?: ChartBuilder;
}

/**
 * Draws a chart for wide and for narrow screens. `description` is the text for screen readers; `id` must be unique on
 * the page.
 */
export async function chartBlock(
  id: string,
  build: ChartBuilder,
  description: string,
  options: ChartBlockOptions = {},
): Promise<ChartBlock> {
  const { heading, legend, standalone = build } = options;
  const layout = options.small ? SMALL : WIDE;
  const [wide, narrow] = await Promise.all([
    renderSvg(build(layout), description, id),
    renderSvg(build(NARROW), description, `${id}-narrow`),
  ]);
  const body = markup`<div class="chart">
    ${heading ? markup`<h3>${heading}</h3>` : null}${legend}
    <div class="wide">${raw(wide)}</div>
    <div class="narrow">${raw(narrow)}</div>
  </div>`;
  return { body, specs: [{ name: heading ?? "", spec: standalone(layout) }] };
}

/**
 * Draws a line chart, with its legend as HTML of the page. A small chart has no legend, because its row has
 * one for all charts.
 */
export function lineBlock(
  id: string,
  options: LineChartOptions,
  description: string,
  { small = false, heading }: { readonly small?: boolean; readonly heading?: string } = {},
): Promise<ChartBlock> {
  return chartBlock(id, lineChart({ ...options, legend: false }), description, {
    small,
    standalone: lineChart(options),
    ...(small ? {} : { legend: seriesLegend(options.series) }),
    ...(heading === undefined ? {} : { heading }),
  });
}

/** Lays out small charts in a row, under one legend if `series` is given. */
export function multiples(
  charts: readonly ChartBlock[],
  series?: readonly { readonly name: string; readonly style?: number }[],
): ChartBlock {
  return {
    body: markup`${series && seriesLegend(series)}<div class="multiples">${charts.map(({ body }) => body)}</div>`,
    specs: charts.flatMap(({ specs }) => specs),
  };
}

/** Lays out charts in two columns, or in one on narrow screens. */
export function chartGrid(charts: readonly ChartBlock[]): ChartBlock {
  return {
    body: markup`<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:24px 18px">
      ${charts.map(({ body }) => body)}
    </div>`,
    specs: charts.flatMap(({ specs }) => specs),
  };
}

/** A figure with its caption and a folded part with the Vega-Lite specifications and all data. */
export function chartFigure(block: ChartBlock, caption: Content): Html {
  const specs = block.specs.map(
    ({ name, spec }) =>
      markup`${name ? markup`<p>${name}</p>` : null}<pre tabindex="0">${JSON.stringify(spec)}</pre>`,
  );
  return figure(
    block.body,
    caption,
    details(
      "Data and Vega-Lite specification",
      markup`<p>To change or export a chart, paste its text into the Vega-Lite editor (<code>vega.github.io/editor</code>).</p>${specs}`,
    ),
  );
}

const MARKERS: Readonly<Record<(typeof SHAPES)[number], string>> = {
  circle: "M11.5 6a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z",
  square: "M11.8 2.8h6.4v6.4h-6.4Z",
  diamond: "M15 1.8l4 4.2l-4 4.2l-4 -4.2Z",
  "triangle-up": "M15 2l4 7h-8Z",
  cross: "M13.5 2h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5Z",
  "triangle-right": "M12 2l7 4l-7 4Z",
  "triangle-left": "M18 2l-7 4l7 4Z",
  wedge: "M15 1l2.5 9h-5Z",
  "triangle-down": "M15 10l4 -7h-8Z",
};

/** A legend with the colour, dash and point shape (or bar colour) of each series; every name appears once. */
export function seriesLegend(
  series: readonly { readonly name: string; readonly style?: number }[],
  kind: "line" | "bar" = "line",
): Html {
  const unique = new Map(series.map(({ name, style }, i) => [name, (style ?? i) % CATEGORICAL.length]));
  return markup`<ul class="series">${[...unique].map(([name, style]) => {
    const colour = CATEGORICAL[style]!;
    const dash = DASHES[style]!.join(" ");
    const mark =
      kind === "bar"
        ? markup`<path d="M14 0h12v12h-12Z" fill="${colour}"/>`
        : markup`<path d="M0 6H30" stroke="${colour}" stroke-width="2.2" stroke-dasharray="${dash}"/><path d="${MARKERS[SHAPES[style]!]}" fill="${colour}"/>`;
    return markup`<li><svg aria-hidden="true" width="30" height="12" viewBox="0 0 30 12">${mark}</svg>${name}</li>`;
  })}</ul>`;
}
