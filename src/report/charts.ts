import type { TopLevelSpec } from "vega-lite";
import { CATEGORICAL } from "../draw/index.js";
import { checkFinite } from "../util/check.js";
import { escape } from "../util/escape.js";
import { chartConfig, DASHES, SHAPES } from "./theme.js";
import { loadVega } from "./vega.js";

/**
 * The size of a chart. A page contains each chart for wide and for narrow screens and shows the one that
 * fits.
 */
export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  /** Whether the layout is for screens below about 600 px, with stacked legends and horizontal bars. */
  readonly narrow: boolean;
}

export const WIDE: ChartLayout = { width: 720, height: 300, narrow: false };
/** The layout of a chart that is one of several small charts in a row. */
export const SMALL: ChartLayout = { width: 232, height: 190, narrow: true };
export const NARROW: ChartLayout = { width: 250, height: 220, narrow: true };

/** A function that gives the Vega-Lite specification of a chart for one layout. */
export type ChartBuilder = (layout: ChartLayout) => TopLevelSpec;

/** An axis: its title and the format of its numbers (d3-format, e.g. `.0%`, `.2f`, `~s`). */
export interface AxisOptions {
  readonly title: string;
  readonly format?: string;
  readonly domain?: readonly [number, number];
  /**
   * Whether the axis is logarithmic, which needs numbers above 0. Only for the x axis of line charts. Default false.
   */
  readonly logarithmic?: boolean;
}

/** A point of a line, with an optional band (`low`..`high`). */
export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** A named line; `style` picks colour, dash and point shape (default: its position). */
export interface LineSeries {
  readonly name: string;
  readonly style?: number;
  readonly points: readonly LinePoint[];
}

export interface LineChartOptions {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly series: readonly LineSeries[];
  /**
   * Further lines, for example of published results. They are thin, with hollow points, in the colour of the
   * series of the same name.
   */
  readonly references?: readonly LineSeries[];
  /** Labelled horizontal lines, such as chance level. */
  readonly rules?: readonly { readonly y: number; readonly label: string }[];
  /** Whether the chart has a legend. Default true; false if the page has its own legend. */
  readonly legend?: boolean;
}

function axis(options: AxisOptions, tickCount: number): object {
  return { title: options.title, tickCount, ...(options.format ? { format: options.format } : {}) };
}

function scale(options: AxisOptions, fallback: object): object {
  if (options.logarithmic === true) return { type: "log", base: 2, nice: false };
  return options.domain ? { domain: [...options.domain], nice: false } : fallback;
}

/** The ticks of the x axis: on a logarithmic axis, the x values of the points. */
function ticksAt(options: AxisOptions, series: readonly LineSeries[]): object {
  if (options.logarithmic !== true) return {};
  const values = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))];
  return { values: values.sort((a, b) => a - b), labelOverlap: true };
}

/** The scales that give a series the same colour, dash and shape in every chart. */
function identity(
  series: readonly { readonly name: string; readonly style?: number }[],
  layout: ChartLayout,
  shown = true,
  symbol: object = {},
) {
  const domain = series.map((one) => one.name);
  const pick = <T>(list: readonly T[]): T[] => series.map((one, i) => list[(one.style ?? i) % list.length]!);
  const columns = layout.narrow ? Math.min(2, domain.length) : domain.length;
  // The opacity is set explicitly, because a merged legend would otherwise have the pale opacity of the
  // bands.
  const line = { symbolOpacity: 1, ...symbol };
  const legend = shown ? { columns, ...line } : null;
  const field = { field: "series", type: "nominal" as const, title: null };
  return {
    color: { ...field, scale: { domain, range: [...pick(CATEGORICAL)] }, legend },
    strokeDash: { ...field, scale: { domain, range: pick(DASHES).map((dash) => [...dash]) }, legend },
    shape: { ...field, scale: { domain, range: [...pick(SHAPES)] }, legend },
  };
}

/** Lines with at most this many points show a mark at each point. */
const MARKED = 40;

/** Specifies a chart of lines with points and bands. */
export function lineChart(options: LineChartOptions): ChartBuilder {
  for (const { name, points } of [...options.series, ...(options.references ?? [])]) {
    for (const point of points) {
      for (const value of Object.values(point) as number[]) checkFinite(`chart line "${name}"`, value);
    }
  }
  return (layout) => {
    const rows = (list: readonly LineSeries[]) =>
      list.flatMap(({ name, points }) => points.map((point) => ({ series: name, ...point })));
    const values = rows(options.series);
    const banded = values.filter((row) => row.low !== undefined && row.high !== undefined);
    const longest = Math.max(0, ...options.series.map((one) => one.points.length));
    const { color, strokeDash, shape } = identity(
      options.series,
      layout,
      options.legend ?? true,
      longest <= MARKED
        ? { symbolDash: [1, 0], symbolStrokeWidth: 0 }
        : { symbolType: "stroke", symbolSize: 360 },
    );
    const x = {
      field: "x",
      type: "quantitative" as const,
      axis: { ...axis(options.x, layout.narrow ? 4 : 8), ...ticksAt(options.x, options.series) },
      scale: scale(options.x, { nice: false, zero: false }),
    };
    const yAxis = axis(options.y, layout.narrow ? 4 : 6);
    const yScale = scale(options.y, { nice: true, zero: false });
    const y = { field: "y", type: "quantitative" as const, axis: yAxis, scale: yScale };
    const layers: object[] = [];
    if (banded.length > 0) {
      layers.push({
        data: { values: banded },
        mark: { type: "area", opacity: 0.18, line: false, interpolate: "linear" },
        encoding: {
          x,
          y: { field: "low", type: "quantitative", axis: yAxis, scale: yScale },
          y2: { field: "high" },
          color,
        },
      });
    }
    for (const rule of options.rules ?? []) {
      layers.push(
        {
          data: { values: [{ y: rule.y }] },
          mark: { type: "rule", color: "currentColor", opacity: 0.55, strokeDash: [3, 3] },
          encoding: { y },
        },
        {
          data: { values: [{ y: rule.y, label: rule.label }] },
          mark: { type: "text", align: "right", baseline: "bottom", dy: -4, opacity: 0.75, fontSize: 11 },
          encoding: { x: { value: layout.width - 2 }, y, text: { field: "label" } },
        },
      );
    }
    layers.push({ mark: { type: "line", strokeWidth: 2.2 }, encoding: { x, y, color, strokeDash } });
    if (longest <= MARKED) {
      layers.push({
        mark: { type: "point", filled: true, size: longest > 20 ? 22 : 42, opacity: 1 },
        encoding: { x, y, color, shape },
      });
    }
    const references = rows(options.references ?? []);
    if (references.length > 0) {
      const data = { values: references };
      layers.push(
        {
          data,
          mark: { type: "line", strokeWidth: 1, opacity: 0.6 },
          encoding: { x, y, color, detail: { field: "series" } },
        },
        {
          data,
          mark: { type: "point", filled: false, size: 34, strokeWidth: 1.4, shape: "circle" },
          encoding: { x, y, color },
        },
      );
    }
    return specification(layout, { data: { values }, layer: layers });
  };
}

/** One bar: a condition (group) and a model (series) with mean, spread and each seed's value. */
export interface Bar {
  readonly group: string;
  readonly series: string;
  readonly mean: number;
  /** Half the length of the error bar; absent for a single seed. */
  readonly spread?: number;
  readonly values: readonly number[];
}

export interface BarChartOptions {
  readonly bars: readonly Bar[];
  /** The series in their order, with their styles. */
  readonly series: readonly { readonly name: string; readonly style?: number }[];
  readonly value: AxisOptions;
  readonly rules?: readonly { readonly y: number; readonly label: string }[];
  /** Whether the chart has a legend. Default true; false if the page has its own legend. */
  readonly legend?: boolean;
}

/** Specifies a chart of grouped bars with error bars and one dot per seed. Bars are horizontal in narrow layouts. */
export function barChart(options: BarChartOptions): ChartBuilder {
  for (const bar of options.bars) {
    for (const value of [bar.mean, bar.spread ?? 0, ...bar.values]) {
      checkFinite(`chart bar "${bar.series}, ${bar.group}"`, value);
    }
  }
  const groups = [...new Set(options.bars.map((bar) => bar.group))];
  return (layout) => {
    const [along, across, offset] = layout.narrow ? ["y", "x", "yOffset"] : ["x", "y", "xOffset"];
    const names = options.series.map((one) => one.name);
    const { color } = identity(options.series, layout, options.legend ?? true);
    const height = layout.narrow ? groups.length * (names.length * 19 + 16) : layout.height;
    const base = {
      [along]: {
        field: "group",
        type: "nominal",
        sort: groups,
        title: null,
        axis: {
          grid: false,
          labelAngle: 0,
          labelLimit: layout.narrow ? 80 : 220,
          ...(layout.narrow || groups.length > 6 ? { labelExpr: "split(datum.label, ' ')" } : {}),
        },
        scale: { paddingInner: 0.22, paddingOuter: 0.1 },
      },
      [offset]: { field: "series", type: "nominal", sort: names, scale: { paddingInner: 0.12 } },
      color,
    };
    const value = (field: string, extra: object = {}) => ({
      [across]: {
        field,
        type: "quantitative",
        axis: axis(options.value, layout.narrow ? 4 : 6),
        scale: scale(options.value, { zero: true, nice: true }),
        ...extra,
      },
    });
    const spreads = options.bars.flatMap((bar) =>
      bar.spread === undefined
        ? []
        : [{ group: bar.group, series: bar.series, low: bar.mean - bar.spread, high: bar.mean + bar.spread }],
    );
    const dots = options.bars.flatMap((bar) =>
      bar.values.map((one) => ({ group: bar.group, series: bar.series, value: one })),
    );
    const unlit = { ...base, color: { value: "currentColor" } };
    const rules = (options.rules ?? []).map((rule) => ({
      data: { values: [{ y: rule.y }] },
      mark: { type: "rule", color: "currentColor", opacity: 0.55, strokeDash: [3, 3] },
      encoding: value("y"),
    }));
    return specification(
      { ...layout, height },
      {
        data: {
          values: options.bars.map(({ group, series, mean }) => ({ group, series, mean })),
        },
        layer: [
          {
            mark: { type: "bar", opacity: 0.85, [layout.narrow ? "cornerRadiusEnd" : "cornerRadiusTop"]: 2 },
            encoding: { ...base, ...value("mean") },
          },
          ...rules,
          {
            data: { values: spreads },
            mark: { type: "rule", strokeWidth: 1.6 },
            encoding: { ...unlit, ...value("low"), [`${across}2`]: { field: "high" } },
          },
          {
            data: { values: dots },
            mark: { type: "point", filled: true, size: 26, opacity: 1, stroke: "white", strokeWidth: 0.9 },
            encoding: { ...unlit, ...value("value") },
          },
        ],
      },
    );
  };
}

export interface HeatMapOptions {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly cells: readonly { readonly x: string; readonly y: string; readonly value: number }[];
  readonly value: AxisOptions;
}

/** Specifies a heat map: a table of coloured cells with their numbers. Its colour scale is sequential, never cyclic. */
export function heatMap(options: HeatMapOptions): ChartBuilder {
  for (const cell of options.cells) checkFinite(`chart cell (${cell.x}, ${cell.y})`, cell.value);
  const list = options.cells.map((cell) => cell.value);
  const [low, high] = options.value.domain ?? [Math.min(...list), Math.max(...list)];
  const columns = [...new Set(options.cells.map((cell) => cell.x))];
  const rows = [...new Set(options.cells.map((cell) => cell.y))];
  return (layout) => {
    const side = Math.min(46, layout.width / columns.length);
    const place = (field: "x" | "y", sort: string[]) => ({
      field,
      type: "nominal",
      sort,
      title: options[field].title,
      axis: { labelAngle: 0, grid: false },
      scale: { padding: 0.04 },
    });
    const number = {
      condition: { test: `datum.value > ${(low + 0.55 * (high - low)).toString()}`, value: "#10131a" },
      value: "#f4f5f7",
    };
    const format = options.value.format ?? ".2f";
    const legend = {
      title: options.value.title,
      titleColor: "currentColor",
      orient: "top",
      gradientLength: 200,
    };
    return specification(
      { width: side * columns.length, height: side * 0.8 * rows.length, narrow: layout.narrow },
      {
        data: { values: options.cells.map((cell) => ({ ...cell })) },
        encoding: { x: place("x", columns), y: place("y", rows) },
        layer: [
          {
            mark: { type: "rect", cornerRadius: 2 },
            encoding: {
              color: {
                field: "value",
                type: "quantitative",
                scale: { domain: [low, high] },
                legend: { ...legend, format, tickCount: 4 },
              },
            },
          },
          ...(side >= 30
            ? [
                {
                  mark: { type: "text", fontSize: side > 40 ? 12 : 10 },
                  encoding: { text: { field: "value", type: "quantitative", format }, color: number },
                },
              ]
            : []),
        ],
      },
    );
  };
}

/** A specification in the common style of all charts, from the parts that differ. */
export function specification(layout: ChartLayout, body: object): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: layout.width,
    height: layout.height,
    padding: 4,
    config: chartConfig(),
    ...body,
  } as TopLevelSpec;
}

/**
 * Returns the largest width of a chart on the page. Charts may grow a little to fill the available width, but
 * their text must not become larger than that of the page.
 */
function grown(width: string): number {
  return Math.round(1.2 * Number(width));
}

/**
 * Draws a specification as an SVG element, without a DOM or a canvas. `description` becomes its accessible
 * name; `id` makes its identifiers unique on the page.
 *
 * @throws StriateError if vega or vega-lite is not installed
 */
export async function renderSvg(spec: TopLevelSpec, description: string, id: string): Promise<string> {
  const { parse, View, compile } = await loadVega();
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    // Vega numbers identifiers across the whole process; renumbering them here makes the result repeatable.
    const names = [...new Set(Array.from(svg.matchAll(/ id="([^"]+)"/g), (match) => match[1]!))];
    const renamed = (name: string): string => `${id}-${names.indexOf(name)}`;
    return svg
      .replace(/ id="([^"]+)"/g, (_, name: string) => ` id="${renamed(name)}"`)
      .replace(/url\(#([^)]+)\)/g, (_, name: string) => `url(#${renamed(name)})`)
      .replace(/^<svg /, `<svg role="img" aria-label="${escape(description)}" `)
      .replace(
        / width="(\d+)(?:\.\d+)?"/,
        (size, width: string) => `${size} style="max-width:${grown(width)}px"`,
      )
      .replace(/ xmlns:xlink="[^"]*"/, "");
  } finally {
    view.finalize();
  }
}
