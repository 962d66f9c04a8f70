import type { GoldenSystem } from "../harness.js";
import { attackKinds } from "./attacks.js";
import { corruptionKinds } from "./corruptions.js";
import { metricKinds } from "./metrics.js";
import { corruptionStatistics } from "./statistics.js";

/** Every kind compares its own tensors (`judge`): tolerances are rules in words, such as shares of values. */
export const robustness: GoldenSystem = {
  name: "robustness",
  kinds: [...attackKinds, ...metricKinds, ...corruptionKinds, corruptionStatistics],
  tolerance: () => undefined,
};
