import { svg } from "striate/draw";
import { chartOf, paintChart } from "./chart.js";

/** Numbers of a run: a row for each timestep or cell. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string)[])[];
}

/** A table in the CSV format (RFC 4180), which spreadsheets, pandas and R read. */
export function csvOf({ columns, rows }: Table): string {
  const cell = (value: number | string): string => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** The chart of a figure as SVG, in dark ink; undefined if the figure has none. */
export function svgOf(figure: Element): string | undefined {
  const chart = chartIn(figure);
  return (
    chart &&
    svg({ width: chart.width, height: chart.height, label: titleOf(figure) }, (context) => {
      paintChart(context, chart, "#1b1b1f");
    })
  );
}

/** The values of the lines of a figure's chart; undefined if the figure has none. */
export function seriesOf(figure: Element): Table | undefined {
  const chart = chartIn(figure);
  if (chart === undefined) return undefined;
  const { lines } = chart;
  const title = titleOf(figure);
  const count = Math.max(0, ...lines.map(({ values }) => values.length));
  return {
    columns: [
      "index",
      ...lines.map(({ name }, i) => name ?? (lines.length === 1 ? title : `${title} ${i + 1}`)),
    ],
    rows: Array.from({ length: count }, (_, i) => [i, ...lines.map(({ values }) => values[i] ?? "")]),
  };
}

const chartIn = (figure: Element) => {
  const canvas = figure.querySelector("canvas[data-chart]");
  return canvas === null ? undefined : chartOf(canvas);
};

const titleOf = (figure: Element): string => figure.querySelector("h2")?.textContent ?? "";

/** The pictures of a figure side by side as PNG, on the figure's background. */
export async function pngOf(figure: Element): Promise<Blob> {
  const pictures = [...figure.querySelectorAll("canvas")].filter(({ width, height }) => width * height > 0);
  const width = pictures.reduce((sum, picture) => sum + picture.width, 0);
  const sheet = new OffscreenCanvas(width, Math.max(...pictures.map(({ height }) => height)));
  const context = sheet.getContext("2d")!;
  context.fillStyle = getComputedStyle(figure).backgroundColor;
  context.fillRect(0, 0, sheet.width, sheet.height);
  let left = 0;
  for (const picture of pictures) {
    context.drawImage(picture, left, 0);
    left += picture.width;
  }
  return sheet.convertToBlob({ type: "image/png" });
}

/** Hands a file to the visitor as a download. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  [link.href, link.download] = [url, name];
  link.click();
  URL.revokeObjectURL(url);
}
