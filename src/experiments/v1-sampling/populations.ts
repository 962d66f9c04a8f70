import { featureMaps, filterMaps } from "../../draw/index.js";
import { average, correlation, median } from "../../metrics/statistics.js";
import { pngDataUri } from "../../report/png.js";
import type {
  FilterBank,
  Histogram,
  ReceptiveFields,
  TuningAxis,
  VOneBlock,
} from "../../systems/vonenet/index.js";
import {
  FOVEAL_FREQUENCY,
  gaborKernel,
  inPixels,
  ORIENTATION,
  tuningCurve,
  WIDTHS,
} from "../../systems/vonenet/index.js";
import type { SampledName } from "./plan.js";
import { IMAGE_SIZE, NETWORK_LABELS } from "./plan.js";

/** The distribution of one property in the populations, beside the measurements. */
export interface Distribution {
  readonly title: string;
  readonly unit: string;
  readonly source: string;
  readonly bins: readonly string[];
  /** Shares of cells in the bins. */
  readonly series: readonly {
    readonly name: string;
    readonly style: number;
    readonly shares: readonly number[];
  }[];
}

export interface TuningChart {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

const ORDER: readonly string[] = ["biol", "unif1", "unif2", "unif3", "plain"];

/**
 * Colour, dash and marker of each network on the whole page. The fifth entry, grey, is for the measurements in animals.
 */
export function networkStyle(id: string): number {
  return [0, 1, 2, 3, 6][ORDER.indexOf(id)] ?? 7;
}

export const MEASURED_STYLE = 4;

/** A drawn population, with the name of its variant. */
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
  /** Period of the property, if it is circular. */
  readonly period?: number;
}

const cellsOf = (values: Float64Array, { simple }: ReceptiveFields, type: "simple" | "complex") =>
  type === "simple" ? values.subarray(0, simple) : values.subarray(simple);

/** Measurements in animals, in the bins of the papers. */
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

/** Shares of all drawn cells in the measured bins for each variant, beside the measurements. */
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
          // The last bin includes its upper border.
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

/** Facts about the filter banks, beside the distributions, in which variants are known to differ. */
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
  const sorted = [...energy].sort((a, b) => a - b);
  return [
    {
      name: "correlation of log frequency and log nx",
      value: average(blocks.map(({ fields }) => correlation(log(fields.spatialFrequency), log(fields.nx)))),
    },
    {
      name: "correlation of log nx and log ny",
      value: average(blocks.map(({ fields }) => correlation(log(fields.nx), log(fields.ny)))),
    },
    {
      name: "share of energy inside the kernel, 10th percentile of cells",
      value: sorted[Math.floor(0.1 * sorted.length)] ?? NaN,
    },
    { name: "share of energy inside the kernel, minimum", value: sorted[0] ?? NaN },
    { name: "|sum of a kernel| (response to uniform light), median", value: median(sums0) },
  ];
}

/**
 * Share of each filter's energy that lies inside its kernel. The whole energy is that of the same filter
 * drawn out to three standard deviations.
 */
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
    label: "degrees from the preferred value",
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
    label: "degrees from the preferred value",
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

/**
 * Tuning curves of two simple and two complex cells of different frequency. Each curve is divided by its
 * largest response.
 */
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

/**
 * Sorts cells for a gallery: rows go from low to high spatial frequency, and the cells within a row are sorted by
 * orientation.
 */
export function galleryOrder(
  cells: readonly number[],
  columns: number,
  {
    spatialFrequency,
    orientation,
  }: { readonly spatialFrequency: ArrayLike<number>; readonly orientation: ArrayLike<number> },
): number[] {
  const turn = (cell: number): number => ((orientation[cell]! % 180) + 180) % 180;
  const sorted = [...cells].sort((a, b) => spatialFrequency[a]! - spatialFrequency[b]!);
  const rows = Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) =>
    sorted.slice(row * columns, (row + 1) * columns).sort((a, b) => turn(a) - turn(b)),
  );
  return rows.flat();
}

/**
 * Draws every filter on the scale of its largest weight: mid grey is 0, light is positive, and the tint is that of the
 * colour channel that the filter sees.
 */
export function filterGallery(bank: FilterBank, cells: readonly number[], columns: number): string {
  const { size, kernels, colour } = bank;
  const filters = { count: colour.length, height: size, width: size, kernels };
  return pngDataUri(filterMaps(filters, { filters: cells, columns, seenChannel: colour }));
}

/** Draws the response maps [cells, side, side] to one image. Each map has its own scale, with 0 as dark. */
export function responseGallery(
  responses: ArrayLike<number>,
  side: number,
  cells: readonly number[],
  columns: number,
): string {
  const maps = { channels: responses.length / (side * side), height: side, width: side, values: responses };
  return pngDataUri(featureMaps(maps, { channels: cells, columns, range: "own", low: 0 }));
}
