import type { Config } from "vega-lite";
import { hex, SEQUENTIAL, entry } from "./colour.js";
import type { Rgb } from "./colour.js";

/**
 * Looks shared by pages and charts. Every categorical colour has a contrast of at least 3:1 against the light and
 * the dark card, and neighbours in the list stay apart for the common colour-vision deficiencies.
 */

/** Font of pages and charts. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

/** Categorical colours in order of use. */
export const CATEGORICAL = [
  "#1f7fc2",
  "#d35f0a",
  "#0c9469",
  "#b968a4",
  "#7d7f86",
  "#a3861a",
  "#c2485c",
  "#8a63d2",
  "#5f8a1f",
] as const;

/** Second carrier of identity beside colour: dash patterns in the same order. */
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

/** Third carrier: point shapes in the same order. */
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

/** Colours of objects 1, 2, 3 and of pixels shared by several, for dark pictures. */
export const OBJECT_COLOURS: readonly Rgb[] = [
  [86, 180, 233],
  [240, 168, 48],
  [62, 201, 147],
  [214, 196, 240],
];

/** Vega-Lite configuration: `currentColor` follows the page's light or dark text colour. */
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
      heatmap: Array.from({ length: 16 }, (_, i) => hex(entry(SEQUENTIAL, i * 17))),
    },
  };
}
