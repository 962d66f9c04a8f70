import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { V1Lab } from "./v1-lab.js";

/** Starts the worker that runs V1. */
export function startV1Lab(): Remote<V1Lab> {
  return wrap<V1Lab>(new Worker(new URL("./v1-lab.ts", import.meta.url), { type: "module" }));
}
