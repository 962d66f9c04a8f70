import type { FinishedRun } from "../../src/experiments/experiment.js";
import { provenanceOf } from "../../src/report/provenance-node.js";

/** A run at scale smoke whose cells are done; `cells` holds their folders. */
export function finishedRun<P, C, R>(
  plan: P,
  results: ReadonlyMap<C, R>,
  { seeds = [1], cells = "" }: { readonly seeds?: readonly number[]; readonly cells?: string } = {},
): FinishedRun<P, C, R> {
  const provenance = provenanceOf(seeds, "striate run", 1);
  return { plan, scale: "smoke", seeds, device: "cpu", results, out: "", cells, provenance };
}
