import { isJsonObject } from "../../../src/util/json.js";
import { evaluationKinds } from "./evaluation.js";
import { networkKinds } from "./networks.js";
import { otherKinds } from "./others.js";
import { partKinds } from "./parts.js";
import { trainingKinds } from "./training.js";
import type { Tolerance } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenSystem } from "../harness.js";

export const akorn: GoldenSystem = {
  name: "akorn",
  kinds: [...partKinds, ...networkKinds, ...trainingKinds, ...otherKinds, ...evaluationKinds],
  tolerance: (golden, name) => {
    const entry = toleranceEntry(golden, name);
    return entry === undefined ? undefined : toleranceOf(entry, golden, name);
  },
};

/** The entry of the tensor itself, of a pattern with *, or of its group ("output", "grad"). */
function toleranceEntry({ tolerance }: GoldenCase, name: string): Record<string, unknown> | undefined {
  if (!isJsonObject(tolerance)) return undefined;
  const pattern = Object.keys(tolerance).find(
    (key) => key.includes("*") && name.startsWith(key.slice(0, key.indexOf("*"))),
  );
  const found = [tolerance[name], pattern && tolerance[pattern], tolerance[name.split(".")[0]!]].find(
    (entry) => entry !== undefined,
  );
  return isJsonObject(found) ? found : undefined;
}

/**
 * Outputs: atol + rtol max|ref|. Gradients: the same with max|ref| at least `floor` times the largest parameter gradient of
 * the case. `mean_atol` bounds the mean difference.
 */
function toleranceOf(entry: Record<string, unknown>, golden: GoldenCase, name: string): Tolerance {
  const value = (key: string) => (typeof entry[key] === "number" ? entry[key] : 0);
  const own = largest(golden, name);
  const gradients = [...golden.tensors.keys()].filter((other) => other.startsWith("grad.param."));
  const floor = name.startsWith("grad.")
    ? value("floor") * Math.max(0, ...gradients.map((other) => largest(golden, other)))
    : 0;
  return {
    absolute: value("atol") + value("rtol") * Math.max(own, floor),
    ...(entry.mean_atol !== undefined && { mean: value("mean_atol") }),
  };
}

function largest({ tensors }: GoldenCase, name: string): number {
  return Array.from(tensors.get(name)!.data as ArrayLike<number | bigint>, (x) => Math.abs(Number(x))).reduce(
    (a, b) => Math.max(a, b),
    0,
  );
}
