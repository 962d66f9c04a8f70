import { isJsonObject } from "../../src/util/json.js";
import type { GoldenSystem } from "./harness.js";
import { wholeModel } from "./komplexnet-model.js";
import { operatorKinds } from "./komplexnet-operators.js";
import { otherKinds } from "./komplexnet-others.js";
import { training } from "./komplexnet-training.js";

export const komplexnet: GoldenSystem = {
  name: "komplexnet",
  kinds: [wholeModel, training, ...operatorKinds, ...otherKinds],
  tolerance: ({ tolerance, tensors }, name) => {
    const given = isJsonObject(tolerance) ? tolerance : {};
    const each = isJsonObject(given.abs_by_tensor) ? given.abs_by_tensor[name] : undefined;
    const absolute = each ?? given.output_abs;
    if (typeof absolute === "number") return { absolute };
    // Whole numbers, and parameters that are only passed on, must be the same.
    const exact = name.startsWith("param.") || tensors.get(name)?.dtype === "int64";
    return exact ? { absolute: 0 } : undefined;
  },
};
