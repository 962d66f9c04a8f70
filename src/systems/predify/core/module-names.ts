import type { Tensor } from "../../../graph/index.js";
import { StriateError } from "../../../util/errors.js";
import type { Backbone } from "./backbone.js";

/*
 * PyTorch modules in exported files. The exporter names values after the modules that make them:
 * "/features/features.3/Relu_output_0" comes from `features[3]`, "/layer1/layer1.0/relu/Relu_output_0" from
 * `layer1[0].relu`. Children of a Sequential repeat its name, other modules do not.
 */

/** `features[3]`, `layer1[0].relu` or `layer1.0.relu` as a dotted path; undefined for anything else. */
export function modulePath(expression: string): string | undefined {
  const text = expression.trim();
  if (text.length > 500) return undefined;
  if (!/^[A-Za-z_]\w*(\[\s*\d+\s*\]|\[\s*(['"])\w+\2\s*\]|\.\w+)*$/.test(text)) return undefined;
  return text.replaceAll(/\[\s*['"]?(\w+)['"]?\s*\]/g, ".$1");
}

/**
 * The module that made a value, from the value's name: "" for the network itself. Names of files that Striate wrote
 * ("features/3/Relu_0") are paths as they stand.
 */
export function scopePath(valueName: string): string | undefined {
  if (!valueName.startsWith("/")) {
    return valueName.includes("/") ? valueName.split("/").slice(0, -1).join(".") : undefined;
  }
  let path = "";
  let last = "";
  for (const part of valueName.split("/").slice(1, -1)) {
    const child = last !== "" && part.startsWith(`${last}.`) ? part.slice(last.length + 1) : part;
    path = path === "" ? child : `${path}.${child}`;
    last = part;
  }
  return path;
}

/**
 * Name of the value that a module gives: the last one made inside it, whether by the exporter's scopes or by the names of
 * the weights that it reads. Undefined where the file knows nothing of the module.
 *
 * Batch normalisation is often folded into the convolution before it: the convolution's value then stands for the
 * normalised one, and the bare convolution's value is gone.
 *
 * @throws StriateError for a convolution into which batch normalisation was folded.
 */
export function moduleValue(backbone: Backbone, path: string, what: string): string | undefined {
  const inside = (module: string | undefined, of: string): boolean =>
    module !== undefined && (module === of || module.startsWith(`${of}.`));
  const made = [...backbone.values].filter(([name]) => inside(scopePath(name), path));
  const last = made.at(-1);
  if (last !== undefined) {
    refuseFolded(backbone, path, last, what);
    return last[0];
  }
  const folded = valueBefore(backbone, path);
  if (folded !== undefined) return folded;
  const byWeights = [...backbone.values].filter(([, { node }]) =>
    backbone.weightNames.get(node)?.some((weight) => inside(moduleOfWeight(weight), path)),
  );
  return byWeights.at(-1)?.[0];
}

function moduleOfWeight(weight: string): string | undefined {
  return /[.]/.test(weight) && !weight.includes("::") ? weight.slice(0, weight.lastIndexOf(".")) : undefined;
}

/** The exporter gives weights that it has merged names of its own. */
function isFoldedConvolution(backbone: Backbone, tensor: Tensor): boolean {
  const weights = backbone.weightNames.get(tensor.node);
  return tensor.node.type === "Conv" && weights?.[0]?.startsWith("onnx::") === true;
}

/** `features[10]` with no value of its own: `features[9]`'s where that is a convolution with something folded in. */
function valueBefore(backbone: Backbone, path: string): string | undefined {
  const match = /^(.*\.)?(\d+)$/.exec(path);
  if (match === null || Number(match[2]) === 0) return undefined;
  const before = `${match[1] ?? ""}${Number(match[2]) - 1}`;
  const made = [...backbone.values].filter(([name]) => scopePath(name) === before);
  const last = made.at(-1);
  return last !== undefined && isFoldedConvolution(backbone, last[1]) ? last[0] : undefined;
}

function refuseFolded(
  backbone: Backbone,
  path: string,
  [name, tensor]: [string, Tensor],
  what: string,
): void {
  if (scopePath(name) !== path || !isFoldedConvolution(backbone, tensor)) return;
  throw new StriateError(
    `${what}: batch normalisation was folded into the convolution ${path} when the file was exported, so its bare ` +
      `output is gone: name the tensor "${name}" (the normalised output), or export with BatchNormalization kept ` +
      "(training=TrainingMode.PRESERVE)",
  );
}
