import { isJsonObject, parseStrictJson } from "../../../src/util/json.js";
import type { GoldenSystem } from "../harness.js";
import { wholeModel } from "./model.js";
import { operatorKinds } from "./operators.js";
import { otherKinds } from "./others.js";
import { training } from "./training.js";

export const komplexnet: GoldenSystem = {
  name: "komplexnet",
  kinds: [wholeModel, training, ...operatorKinds, ...otherKinds],
  tolerance: ({ tolerance, tensors, metadata }, name) => {
    const given = isJsonObject(tolerance) ? tolerance : {};
    const own = metadata.tolerance_abs_by_tensor;
    const tables = [given.abs_by_tensor, own === undefined ? undefined : parseStrictJson(own, "tolerances")];
    const each = tables.map((table) => (isJsonObject(table) ? table[name] : undefined));
    const absolute = [...each, given.output_abs].find((value) => value !== undefined);
    if (typeof absolute === "number") return { absolute };
    // Whole numbers, and parameters that are only passed on, must be the same.
    const exact = name.startsWith("param.") || tensors.get(name)?.dtype === "int64";
    return exact ? { absolute: 0 } : undefined;
  },
};
