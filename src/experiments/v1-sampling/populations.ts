import { correlation, median } from "../../metrics/statistics.js";
import type { Distribution, TuningChart } from "../../report/v1-sampling-data.js";
import { MEASURED_STYLE, networkStyle } from "../../report/v1-sampling-data.js";
import type { Histogram, ReceptiveFields, TuningAxis, VOneBlock } from "../../systems/vonenet/index.js";
import {
  FOVEAL_FREQUENCY,
  ORIENTATION,
  WIDTHS,
  gaborKernel,
  inPixels,
  tuningCurve,
} from "../../systems/vonenet/index.js";
import type { SampledName } from "./config.js";
import { IMAGE_SIZE, NETWORK_LABELS } from "./config.js";

/** A drawn population, named by its variant. */
export interface DrawnPopulation {
  readonly variant: SampledName;
  readonly fields: ReceptiveFields;
}

const sums = (rows: readonly (readonly number[])[], pick: "rows" | "columns"): number[] =>
  pick === "rows"
    ? rows.map((row) => row.reduce((a, b) => a + b, 0))
    : rows[0]!.map((_, c) => rows.reduce((sum, row) => sum + row[c]!, 0));

const short = (value: number): string =>
  String(Number(Math.abs(value) < 10 ? value.toPrecision(2) : value.toFixed(1)));

interface Property {
  readonly title: string;
  readonly unit: string;
  readonly source: string;
  readonly measured: Pick<Histogram, "edges" | "counts">;
  readonly values: (fields: ReceptiveFields) => ArrayLike<number>;
  /** Length of a circle on which values come back. */
  readonly period?: number;
}

const cellsOf = (values: Float64Array, { simple }: ReceptiveFields, type: "simple" | "complex") =>
  type === "simple" ? values.subarray(0, simple) : values.subarray(simple);

/** What was measured in animals, with the bins of the papers. */
const PROPERTIES: readonly Property[] = [
  {
    title: "Orientation",
    unit: "degrees",
    source: "De Valois et al. 1982a",
    measured: ORIENTATION,
    values: ({ orientation }) => orientation,
    period: 180,
  },
  ...(["simple", "complex"] as const).map((type): Property => ({
    title: `Spatial frequency, ${type} cells`,
    unit: "cycles per degree",
    source: "De Valois et al. 1982b",
    measured: FOVEAL_FREQUENCY[type],
    values: (fields) => cellsOf(fields.spatialFrequency, fields, type),
  })),
  {
    title: "Width along the carrier, nx",
    unit: "cycles",
    source: "Ringach 2002",
    measured: { edges: WIDTHS.edges, counts: sums(WIDTHS.counts, "rows") },
    values: ({ nx }) => nx,
  },
  {
    title: "Width across the carrier, ny",
    unit: "cycles",
    source: "Ringach 2002",
    measured: { edges: WIDTHS.edges, counts: sums(WIDTHS.counts, "columns") },
    values: ({ ny }) => ny,
  },
  {
    title: "Phase",
    unit: "degrees",
    source: "taken as uniform",
    measured: { edges: [0, 90, 180, 270, 360], counts: [1, 1, 1, 1] },
    values: ({ phase }) => phase,
    period: 360,
  },
];

/** Shares of all drawn cells in the measured bins, variant by variant, beside the measurements. */
export function distributions(populations: readonly DrawnPopulation[]): Distribution[] {
  const variants = [...new Set(populations.map(({ variant }) => variant))];
  return PROPERTIES.map(({ title, unit, source, measured, values, period }) => {
    const { edges, counts } = measured;
    const shares = (list: readonly number[]): number[] => {
      const total = list.reduce((a, b) => a + b, 0);
      return list.map((count) => (total === 0 ? 0 : count / total));
    };
    const counted = (variant: SampledName): number[] => {
      const bins = counts.map(() => 0);
      for (const { fields } of populations.filter((one) => one.variant === variant)) {
        for (const raw of Array.from(values(fields))) {
          const value =
            period === undefined ? raw : edges[0]! + ((((raw - edges[0]!) % period) + period) % period);
          // The border of the last bin belongs to it.
          const bin = edges.findIndex(
            (edge, i) => value >= edge && (value < edges[i + 1]! || i === counts.length - 1),
          );
          if (bin >= 0 && bin < bins.length) bins[bin]!++;
        }
      }
      return bins;
    };
    return {
      title,
      unit,
      source,
      bins: counts.map((_, i) => `${short(edges[i]!)}–${short(edges[i + 1]!)}`),
      series: [
        { name: "measured", style: MEASURED_STYLE, shares: shares(counts) },
        ...variants.map((variant) => ({
          name: NETWORK_LABELS[variant],
          style: networkStyle(variant),
          shares: shares(counted(variant)),
        })),
      ],
    };
  });
}

/** What is known to differ between banks besides the draw itself. */
export function bankFacts(blocks: readonly VOneBlock[]): { readonly name: string; readonly value: number }[] {
  const energy = blocks.flatMap((block) => windowEnergy(block));
  const sums0 = blocks.flatMap(({ bank }) => {
    const area = bank.size * bank.size;
    const cells = Array.from({ length: bank.simple + bank.complex }, (_, i) => i);
    return cells.map((cell) =>
      Math.abs(bank.kernels.subarray(cell * area, (cell + 1) * area).reduce((a, b) => a + b, 0)),
    );
  });
  const log = (values: Float64Array) => Float64Array.from(values, Math.log10);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const sorted = [...energy].sort((a, b) => a - b);
  return [
    {
      name: "correlation of log frequency and log nx",
      value: mean(blocks.map(({ fields }) => correlation(log(fields.spatialFrequency), log(fields.nx)))),
    },
    {
      name: "correlation of log nx and log ny",
      value: mean(blocks.map(({ fields }) => correlation(log(fields.nx), log(fields.ny)))),
    },
    {
      name: "energy inside the kernel, 10th percentile of cells",
      value: sorted[Math.floor(0.1 * sorted.length)] ?? NaN,
    },
    { name: "energy inside the kernel, least", value: sorted[0] ?? NaN },
    { name: "|sum of a kernel| (answer to uniform light), median", value: median(sums0) },
  ];
}

/** Share of each filter's energy that its kernel holds, the whole being the same filter to three deviations. */
function windowEnergy({ bank, fields, pixelsPerDegree }: VOneBlock): number[] {
  const { frequency, sigmaX, sigmaY, orientation, phase } = inPixels(fields, {
    imageSize: IMAGE_SIZE,
    visualDegrees: IMAGE_SIZE / pixelsPerDegree,
  });
  const area = bank.size * bank.size;
  const energy = (kernel: Float32Array): number => kernel.reduce((sum, value) => sum + value * value, 0);
  return Array.from({ length: bank.simple + bank.complex }, (_, cell) => {
    const reach = Math.ceil(3 * Math.max(sigmaX[cell]!, sigmaY[cell]!));
    if (2 * reach + 1 <= bank.size) return 1;
    const shape = {
      frequency: frequency[cell]!,
      sigmaX: sigmaX[cell]!,
      sigmaY: sigmaY[cell]!,
      orientation: orientation[cell]!,
      phase: phase[cell]!,
    };
    const inside = energy(bank.kernels.subarray(cell * area, (cell + 1) * area));
    return inside / energy(gaborKernel(shape, 2 * reach + 1));
  });
}

const AXES: readonly {
  readonly axis: TuningAxis;
  readonly title: string;
  readonly label: string;
  readonly values: (block: VOneBlock, cell: number) => number[];
}[] = [
  {
    axis: "orientation",
    title: "Orientation",
    label: "degrees from the preferred one",
    values: (block, cell) => steps(-90, 90, 25).map((offset) => block.fields.orientation[cell]! + offset),
  },
  {
    axis: "spatialFrequency",
    title: "Spatial frequency",
    label: "cycles per degree",
    values: () => steps(-1.5, 3.5, 26).map((power) => 2 ** power),
  },
  {
    axis: "phase",
    title: "Phase (still)",
    label: "degrees from the preferred one",
    values: (block, cell) => steps(-180, 180, 25).map((offset) => block.fields.phase[cell]! + offset),
  },
  {
    axis: "radius",
    title: "Size",
    label: "radius, degrees",
    values: (block) => steps(0.02, (block.bank.size >> 1) / block.pixelsPerDegree, 20),
  },
];

function steps(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

/** Tuning of some cells, each curve over its largest response: two simple and two complex cells of different frequency. */
export function tuningCharts(block: VOneBlock): TuningChart[] {
  const cells = chosenCells(block);
  return AXES.map(({ axis, title, label, values }) => ({
    title,
    axis: label,
    series: cells.map((cell) => {
      const at = values(block, cell);
      const curve = tuningCurve(block, cell, axis, at);
      const most = curve.reduce((a, b) => Math.max(a, b), 0) || 1;
      const origin = axis === "orientation" || axis === "phase" ? block.fields[axis][cell]! : 0;
      return {
        name: cellTitle(block, cell),
        points: at.map((value, i) => ({ x: value - origin, y: curve[i]! / most })),
      };
    }),
  }));
}

function chosenCells({ fields }: VOneBlock): number[] {
  const { simple, complex, spatialFrequency } = fields;
  const pick = (from: number, count: number, part: number): number[] => {
    const sorted = Array.from({ length: count }, (_, i) => from + i).sort(
      (a, b) => spatialFrequency[a]! - spatialFrequency[b]!,
    );
    return count === 0 ? [] : [sorted[Math.min(count - 1, Math.floor(part * count))]!];
  };
  return [
    ...pick(0, simple, 0.25),
    ...pick(0, simple, 0.75),
    ...pick(simple, complex, 0.25),
    ...pick(simple, complex, 0.75),
  ];
}

function cellTitle({ fields }: VOneBlock, cell: number): string {
  const type = cell < fields.simple ? "simple" : "complex";
  return `${type}, ${fields.spatialFrequency[cell]!.toFixed(1)} c/deg`;
}
