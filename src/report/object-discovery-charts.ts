import { lineBlock } from "./chart-block.js";
import type { ChartBlock } from "./chart-block.js";
import type { LineSeries } from "./charts.js";
import { percent, number } from "./html.js";
import type { DiscoveryCurve, DiscoverySet, ReportModel } from "./object-discovery-data.js";
import { overSeeds } from "./over-seeds.js";

function perModel(
  models: readonly ReportModel[],
  curves: readonly DiscoveryCurve[],
  pointsOf: (curve: DiscoveryCurve) => readonly { x: number; y: number }[],
): LineSeries[] {
  return models.flatMap(({ id, label, style }) => {
    const points = overSeeds(curves.filter(({ model }) => model === id).map(pointsOf));
    return points.length > 0 ? [{ name: label, style, points }] : [];
  });
}

function ends(series: readonly LineSeries[], format: (value: number) => string): string {
  return series.map(({ name, points }) => `${name} ends at ${format(points.at(-1)!.y)}`).join("; ");
}

/** FG-ARI on validation scenes over training views; `undefined` without curves. */
export async function scoreCurves(
  models: readonly ReportModel[],
  set: DiscoverySet,
): Promise<ChartBlock | undefined> {
  const series = perModel(models, set.learningCurves, ({ scores }) =>
    scores.map(({ views, foregroundAri }) => ({ x: views, y: foregroundAri })),
  );
  if (series.length === 0) return undefined;
  const { paperGoal } = set;
  const rules = paperGoal && [{ y: paperGoal.foregroundAri, label: paperGoal.label }];
  return lineBlock(
    `${set.id}-scores`,
    {
      x: { title: "Training views seen", format: "~s" },
      y: { title: "FG-ARI", format: ".0%" },
      series,
      ...(rules && { rules }),
    },
    `FG-ARI on validation scenes while training. ${ends(series, (value) => `${percent(value)} %`)}.`,
    { heading: "FG-ARI on validation scenes, no up-tiling" },
  );
}

/** Contrastive loss over training views; chance is that of features that say nothing. */
export async function lossCurves(
  models: readonly ReportModel[],
  set: DiscoverySet,
): Promise<ChartBlock | undefined> {
  const series = perModel(models, set.learningCurves, ({ losses }) =>
    losses.map(({ views, loss }) => ({ x: views, y: loss })),
  );
  if (series.length === 0) return undefined;
  const chance = Math.log(2 * set.budget.batchSize - 1);
  return lineBlock(
    `${set.id}-losses`,
    {
      x: { title: "Training views seen", format: "~s" },
      y: { title: "Contrastive loss", format: ".1f" },
      series,
      rules: [{ y: chance, label: "chance" }],
    },
    `Contrastive loss while training; chance ${number(chance)}. ${ends(series, number)}.`,
    { heading: "Contrastive loss of training" },
  );
}

/** Energy of an oscillator over the steps, trained and before training; `undefined` without oscillators. */
export async function energyChart(
  models: readonly ReportModel[],
  set: DiscoverySet,
): Promise<ChartBlock | undefined> {
  const layers = Math.max(0, ...set.energies.map(({ layer }) => layer));
  const series = models.flatMap(({ id, label }) =>
    Array.from({ length: layers }, (_, i) => i + 1).flatMap((layer) => {
      const own = set.energies.filter((curve) => curve.model === id && curve.layer === layer);
      if (own.length === 0) return [];
      const name = layers > 1 ? `${label}, layer ${layer}` : label;
      return (["trained", "untrained"] as const).map((when) => ({
        name: when === "trained" ? name : `${name}, before training`,
        points: overSeeds(own.map((curve) => curve[when].map((y, t) => ({ x: t, y })))),
      }));
    }),
  );
  if (series.length === 0) return undefined;
  return lineBlock(
    `${set.id}-energy`,
    {
      x: { title: "Steps done", format: "d" },
      y: { title: "Energy of an oscillator", format: ".2f" },
      series: series.map((one, style) => ({ ...one, style })),
    },
    `Energy over the steps. ${ends(series, (value) => number(value))}.`,
  );
}
