import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { PredifyLab } from "./predify-lab.js";

/** Starts the worker that runs the network with predictive feedback. */
export function startPredifyLab(): Remote<PredifyLab> {
  return wrap<PredifyLab>(new Worker(new URL("./predify-lab.ts", import.meta.url), { type: "module" }));
}
