import type { ChartBlock } from "../../report/chart-block.js";
import { chartBlock, chartFigure, chartGrid, seriesLegend } from "../../report/chart-block.js";
import type { ChartBuilder } from "../../report/charts.js";
import { barChart, lineChart } from "../../report/charts.js";
import type { Html, Section } from "../../report/html.js";
import { details, figure, markup, number, table } from "../../report/html.js";
import type { TuningChart } from "./populations.js";
import type { V1SamplingReport, VariantReport } from "./results.js";

/** A chart that takes half the width of the page. */
export const half =
  (build: ChartBuilder): ChartBuilder =>
  (layout) =>
    build(layout.narrow ? layout : { ...layout, width: 370, height: 200 });

/** A wide image made of tiles, drawn without smoothing. */
function sheet(uri: string, alt: string): Html {
  return markup`<img src="${uri}" alt="${alt}" loading="lazy" style="display:block;width:100%;image-rendering:pixelated;border-radius:6px;background:#3a3d44">`;
}

export function filterSection({ variants, picture }: V1SamplingReport): Section {
  const galleries = ({ filters }: VariantReport) =>
    filters.map(
      ({ title, uri }) =>
        markup`<div style="min-width:0"><h3 style="margin:0 0 6px">${title}</h3>${sheet(uri, title)}</div>`,
    );
  const shown = (variant: VariantReport): Html =>
    figure(
      markup`<h3 style="margin:0 0 10px">${variant.label}</h3>
        <div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:16px">
          ${galleries(variant)}
        </div>`,
      "Every filter is drawn on its own scale, with grey for 0, in a tint of the colour channel that its cell sees. Rows go from low to high spatial frequency; within a row, orientation goes from 0 to 180 degrees.",
    );
  const responses = (variant: VariantReport): Html =>
    figure(
      markup`<h3 style="margin:0 0 10px">${variant.label}</h3>
        <div style="display:grid;grid-template-columns:minmax(96px,160px) 1fr;gap:16px;align-items:start">
          ${sheet(picture, "The image shown to V1")}${sheet(variant.responses, `Responses of all cells of ${variant.label}`)}
        </div>`,
      "A test image and the responses of all cells. Each map is drawn on its own scale, with 0 as dark. Simple cells come first, then complex cells, both in the order of the filters.",
    );
  return {
    id: "filters",
    title: "The filters and their responses",
    lead: "The fixed first stage of each variant, with the first seed. All variants have the same phases and colour channels.",
    body: markup`${variants.map((variant, i) => (i < 2 ? shown(variant) : details(variant.label, shown(variant))))}
    ${variants.map((variant, i) => (i < 2 ? responses(variant) : details(variant.label, responses(variant))))}`,
  };
}

export async function distributionSection({ distributions, variants }: V1SamplingReport): Promise<Section> {
  const blocks: ChartBlock[] = [];
  for (const [i, { title, unit, source, bins, series }] of distributions.entries()) {
    blocks.push(
      await chartBlock(
        `distribution-${i}`,
        half(
          barChart({
            series,
            legend: false,
            value: { title: "share of cells", format: ".0%" },
            bars: bins.flatMap((bin, b) =>
              series.map(({ name, shares }) => ({ group: bin, series: name, mean: shares[b]!, values: [] })),
            ),
          }),
        ),
        `${title}: shares of cells in the measured bins`,
        { heading: `${title} (${unit}; ${source})` },
      ),
    );
  }
  const facts = variants[0]!.facts.map(({ name }) => name);
  const series = distributions[0]!.series;
  return {
    id: "distributions",
    title: "What was drawn",
    lead: "Histograms of the properties of all cells of all seeds, in the bins of the physiological studies and beside the published counts.",
    body: markup`${figure(
      markup`${seriesLegend(series, "bar")}${chartGrid(blocks).body}`,
      "Grey: measured in macaque V1. The biological variant follows these measurements. Uniform variants fill the bins of spatial frequency evenly, and their widths are uniform on a logarithmic scale.",
    )}
    ${table({
      label: "Facts about the filter banks",
      caption: "Other differences between the filter banks",
      head: ["", ...variants.map(({ label }) => label)],
      rows: facts.map((name, i) => ({
        name,
        cells: variants.map(({ facts: own }) => number(own[i]!.value, 2)),
      })),
    })}
    <p><small>At 64 pixels and 2 degrees, uniform draws also give filters that the kernel cuts off and that respond to uniform light, so the variants differ in more than their distributions.</small></p>`,
  };
}

async function tuningBlocks(id: string, charts: readonly TuningChart[]): Promise<ChartBlock[]> {
  const blocks: ChartBlock[] = [];
  for (const [i, { title, axis, series }] of charts.entries()) {
    blocks.push(
      await chartBlock(
        `tuning-${id}-${i}`,
        half(
          lineChart({
            x: { title: axis },
            y: { title: "response", domain: [0, 1.05] },
            series,
            legend: false,
          }),
        ),
        `${title} tuning of ${series.length} cells`,
        { heading: title },
      ),
    );
  }
  return blocks;
}

export async function tuningSection({ variants }: V1SamplingReport): Promise<Section> {
  const figures: Html[] = [];
  for (const { id, label, tuning } of variants) {
    const blocks = await tuningBlocks(id, tuning);
    const { body, specs } = chartGrid(blocks);
    const made = chartFigure(
      {
        body: markup`<h3 style="margin:0 0 10px">${label}</h3>${seriesLegend(tuning[0]?.series ?? [])} ${body}`,
        specs,
      },
      "Two simple and two complex cells with low and with high spatial frequency. Each curve is divided by its largest response.",
    );
    figures.push(figures.length < 2 ? made : details(label, made));
  }
  return {
    id: "tuning",
    title: "Tuning, measured with gratings",
    lead: "The stimuli are gratings of full contrast, as in physiological experiments. Each curve starts from the preferred grating of a cell and varies one of its properties. The gratings drift through one cycle; the response of a simple cell is measured at the drift frequency, that of a complex cell is the mean. For the tuning to phase, the gratings stand still.",
    body: figures,
  };
}
