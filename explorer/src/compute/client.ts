import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { Lab } from "./lab.js";

/** Starts the worker that runs the networks. */
export function startLab(): Remote<Lab> {
  return wrap<Lab>(new Worker(new URL("./lab.ts", import.meta.url), { type: "module" }));
}
