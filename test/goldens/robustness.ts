import type { GoldenSystem } from "./harness.js";
import { attackKinds } from "./robustness-attacks.js";
import { corruptionKinds } from "./robustness-corruptions.js";
import { metricKinds } from "./robustness-metrics.js";
import { corruptionStatistics } from "./robustness-statistics.js";

/** Every kind compares its own tensors (`judge`): tolerances are rules in words, such as shares of values. */
export const robustness: GoldenSystem = {
  name: "robustness",
  kinds: [...attackKinds, ...metricKinds, ...corruptionKinds, corruptionStatistics],
  tolerance: () => undefined,
};
