import type { GoldenSystem } from "./harness.js";
import { akorn } from "./akorn.js";
import { komplexnet } from "./komplexnet.js";
import { predify } from "./predify.js";
import { robustness } from "./robustness.js";
import { vonenet } from "./vonenet.js";

/** The systems that can be compared with the authors' code. */
export const goldenSystems: readonly GoldenSystem[] = [komplexnet, robustness, predify, akorn, vonenet];
