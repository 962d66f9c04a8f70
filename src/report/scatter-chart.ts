import { specification } from "./charts.js";
import type { AxisOptions, ChartBuilder } from "./charts.js";
import { check } from "../util/errors.js";
import { CATEGORICAL, SHAPES } from "./theme.js";

export interface ScatterOptions {
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly points: readonly {
    /** Decides colour and shape. */
    readonly group: string;
    /** What the point stands for, kept in the specification's data. */
    readonly name: string;
    readonly x: number;
    readonly y: number;
  }[];
}

/** Points in groups. Throws {@link StriateError} for coordinates that are not finite. */
export function scatterChart({ x, y, points }: ScatterOptions): ChartBuilder {
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
  return (layout) =>
    specification(layout, {
      data: { values: points },
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
    });
}
