import type { GoldenSystem } from "./harness.js";
import { akorn } from "./akorn/index.js";
import { komplexnet } from "./komplexnet/index.js";
import { predify } from "./predify/index.js";
import { robustness } from "./robustness/index.js";
import { vonenet } from "./vonenet/index.js";
import { evnet } from "./evnet/index.js";

/** The systems that can be compared with the authors' code. */
export const goldenSystems: readonly GoldenSystem[] = [
  komplexnet,
  robustness,
  predify,
  akorn,
  vonenet,
  evnet,
];
