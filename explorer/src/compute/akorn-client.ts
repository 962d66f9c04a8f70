import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { ObjectLab } from "./akorn-lab.js";

/** Starts the worker that runs AKOrN. */
export function startObjectLab(): Remote<ObjectLab> {
  return wrap<ObjectLab>(new Worker(new URL("./akorn-lab.ts", import.meta.url), { type: "module" }));
}
