import type { Remote } from "comlink";
import { wrap } from "comlink";
import type { OwnNetworkLab } from "./own-network-lab.js";

/** A worker with a network of the user's, and how to end it: a network that is no longer wanted frees its memory so. */
export interface OwnNetworkWorker {
  readonly lab: Remote<OwnNetworkLab>;
  readonly end: () => void;
}

/** Starts the worker that adds feedback to a network of the user's. */
export function startOwnNetworkLab(): OwnNetworkWorker {
  const worker = new Worker(new URL("./own-network-lab.ts", import.meta.url), { type: "module" });
  return {
    lab: wrap<OwnNetworkLab>(worker),
    end: () => {
      worker.terminate();
    },
  };
}
