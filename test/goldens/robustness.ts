import type { GoldenSystem } from "./harness.js";
import { attackKinds } from "./robustness-attacks.js";

/** Every kind compares its own tensors (`judge`): tolerances are rules in words, such as shares of values. */
export const robustness: GoldenSystem = {
  name: "robustness",
  kinds: [...attackKinds],
  tolerance: () => undefined,
};
