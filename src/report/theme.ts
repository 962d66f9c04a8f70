import type { Config } from "vega-lite";
import { CATEGORICAL, entry, FONT, hex, SEQUENTIAL } from "../draw/index.js";

/** The style that pages and charts share; colours and font are those of `draw/`. */

/** Dash patterns in the order of the categorical colours, so that series differ by more than colour. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [4, 4],
  [1, 3],
  [10, 4],
  [3, 2, 3, 5],
  [12, 3, 2, 3],
];

/** Point shapes in the order of the categorical colours. */
export const SHAPES = [
  "circle",
  "square",
  "diamond",
  "triangle-up",
  "cross",
  "triangle-down",
  "triangle-right",
  "triangle-left",
  "wedge",
] as const;

/** The Vega-Lite configuration of all charts. `currentColor` is the text colour of the page, in light and dark mode. */
export function chartConfig(): Config {
  const ink = "currentColor";
  return {
    background: "transparent",
    font: FONT,
    aria: false,
    view: { stroke: null },
    axis: {
      labelColor: ink,
      titleColor: ink,
      labelFontSize: 12,
      titleFontSize: 12.5,
      titleFontWeight: 600,
      labelOpacity: 0.8,
      titlePadding: 10,
      labelPadding: 6,
      domain: false,
      ticks: false,
      grid: true,
      gridColor: ink,
      gridOpacity: 0.13,
      labelFlush: true,
    },
    legend: {
      orient: "top",
      labelColor: ink,
      labelFontSize: 12.5,
      labelLimit: 240,
      title: null,
      symbolSize: 90,
      symbolStrokeWidth: 2.5,
      rowPadding: 4,
      columnPadding: 18,
      offset: 10,
    },
    title: { color: ink, fontSize: 14, fontWeight: 600, anchor: "start", offset: 12 },
    text: { color: ink, fontSize: 12 },
    range: {
      category: [...CATEGORICAL],
      heatmap: Array.from({ length: 16 }, (_, i) => hex(entry(SEQUENTIAL.table, i * 17))),
    },
  };
}
