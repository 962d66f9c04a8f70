import type { ChartBlock } from "./chart-block.js";
import { chartBlock } from "./chart-block.js";
import { scatterChart } from "./scatter-chart.js";
import type { SynchronyPoint } from "./synchrony-data.js";

/** Synchrony across, accuracy upwards; `undefined` without points. */
export async function synchronyScatter(points: readonly SynchronyPoint[]): Promise<ChartBlock | undefined> {
  if (points.length === 0) return undefined;
  const chart = scatterChart({
    x: { title: "Phases against masks (ARI)", format: ".1f" },
    y: { title: "Set accuracy", format: ".0%" },
    points: points.map(({ set, model, condition, ari, setAccuracy }) => ({
      group: set,
      name: `${model}, ${condition}`,
      x: ari,
      y: setAccuracy,
    })),
  });
  return chartBlock("synchrony-accuracy", chart, `Synchrony against accuracy, ${points.length} points.`);
}
