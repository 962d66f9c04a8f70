import type { Tolerance } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenSystem } from "../harness.js";
import { blockKinds } from "./block.js";
import { filterKinds } from "./filters.js";
import { networkKinds } from "./networks.js";
import { studyKinds } from "./study.js";

export const vonenet: GoldenSystem = {
  name: "vonenet",
  kinds: [...filterKinds, ...blockKinds, ...networkKinds, ...studyKinds],
  tolerance: (golden, name) => {
    if (golden.tensors.get(name)?.dtype === "int64") return { absolute: 0 };
    // What a case is made from is compared as strictly as where it is the result.
    if (name.startsWith("input.gabor.")) return { absolute: 0, relative: 1e-12 };
    if (name.startsWith("param.vone_block.")) return { absolute: 2e-6 };
    return toleranceOf(golden, name.startsWith("grad.") ? /^grad/ : /^(?!grad)/);
  },
};

/** "outputs abs 1e-4; grads abs 2e-4 + rel 1e-4": the part about a tensor, or the only one that there is. */
function toleranceOf({ tolerance }: GoldenCase, about: RegExp): Tolerance | undefined {
  const parts = String(tolerance).split("; ");
  const text = parts.find((part) => about.test(part)) ?? parts[0]!;
  const [absolute, relative] = ["abs", "rel"].map((kind) => {
    const found = new RegExp(`\\b${kind} ([\\d.e+-]+)`).exec(text);
    return found ? Number(found[1]) : undefined;
  });
  if (absolute === undefined && relative === undefined) return undefined;
  return { absolute: absolute ?? 0, ...(relative !== undefined && { relative }) };
}
