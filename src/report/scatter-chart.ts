import { specification } from "./charts.js";
import type { AxisOptions, ChartBuilder } from "./charts.js";
import { check } from "../util/errors.js";
import { CATEGORICAL } from "../draw/index.js";
import { SHAPES } from "./theme.js";

export interface ScatterOptions {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly points: readonly {
    /** The group, which has its own colour and shape. */
    readonly group: string;
    /** The name of the point in the data of the specification. */
    readonly name: string;
    readonly x: number;
    readonly y: number;
  }[];
  /** Whether to draw a thin line x = y. Default false. */
  readonly diagonal?: boolean;
}

/** Specifies a chart of points in groups. Throws `StriateError` for coordinates that are not finite. */
export function scatterChart({ x, y, points, diagonal = false }: ScatterOptions): ChartBuilder {
  for (const point of points) {
    check(
      Number.isFinite(point.x) && Number.isFinite(point.y),
      () => `scatter chart, ${point.name}: expected finite coordinates, got ${point.x}, ${point.y}`,
    );
  }
  const groups = [...new Set(points.map(({ group }) => group))];
  const field = { field: "group", type: "nominal" as const, title: null };
  const axis = ({ title, format, domain }: AxisOptions, name: string) => ({
    field: name,
    type: "quantitative" as const,
    axis: { title, ...(format && { format }) },
    scale: domain ? { domain: [...domain], nice: false } : { nice: true, zero: true },
  });
  const ends = points.flatMap((point) => [point.x, point.y]);
  const line = { from: Math.min(0, ...ends), to: Math.max(0, ...ends) };
  return (layout) => {
    const dots = {
      mark: { type: "point", filled: true, size: 52, opacity: 0.85 },
      encoding: {
        x: axis(x, "x"),
        y: axis(y, "y"),
        color: {
          ...field,
          scale: { domain: groups, range: groups.map((_, i) => CATEGORICAL[i % CATEGORICAL.length]!) },
          legend: { columns: layout.narrow ? 1 : groups.length },
        },
        shape: {
          ...field,
          scale: { domain: groups, range: groups.map((_, i) => SHAPES[i % SHAPES.length]!) },
        },
        tooltip: { field: "name" },
      },
    };
    const data = { values: points };
    if (!diagonal) return specification(layout, { data, ...dots });
    const rule = {
      data: { values: [line] },
      mark: { type: "rule", color: "currentColor", opacity: 0.45, strokeDash: [3, 3] },
      encoding: {
        x: axis(x, "from"),
        y: axis(y, "from"),
        x2: { field: "to" },
        y2: { field: "to" },
      },
    };
    return specification(layout, { data, layer: [rule, dots] });
  };
}
