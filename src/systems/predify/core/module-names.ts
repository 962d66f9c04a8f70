import type { Tensor } from "../../../graph/index.js";
import { StriateError } from "../../../util/errors.js";
import type { Backbone } from "./backbone.js";

/*
 * Functions that find PyTorch modules in exported files. The exporter names values after the modules that
 * compute them: "/features/features.3/Relu_output_0" comes from `features[3]`, and
 * "/layer1/layer1.0/relu/Relu_output_0" from `layer1[0].relu`. Within such a name, the children of a
 * Sequential repeat the Sequential's name; children of other modules do not repeat their parent's name.
 */

/**
 * Converts an expression such as `features[3]`, `layer1[0].relu` or `layer1.0.relu` to a path with dots.
 * Returns undefined for anything else.
 */
export function modulePath(expression: string): string | undefined {
  const text = expression.trim();
  if (text.length > 500) return undefined;
  if (!/^[A-Za-z_]\w*(\[\s*\d+\s*\]|\[\s*(['"])\w+\2\s*\]|\.\w+)*$/.test(text)) return undefined;
  return text.replaceAll(/\[\s*['"]?(\w+)['"]?\s*\]/g, ".$1");
}

/**
 * Returns the path of the module that computed a value, which it reads from the value's name. The path "" is
 * the network itself. It also reads the names in files that Striate wrote, such as "features/3/Relu_0".
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
 * Returns the name of a module's output, which is the last value computed inside the module. Whether a value
 * belongs to the module is decided by its scope (the module path in its name) or, if no scope fits, by the
 * names of the weights that it reads. Returns undefined if nothing in the file belongs to the module.
 *
 * Exporters often fold batch normalisation into the convolution before it. The output of the convolution in
 * the file is then the normalised one, and the output before normalisation is lost.
 *
 * @throws StriateError if `path` is a convolution into which batch normalisation was folded.
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

/**
 * Whether batch normalisation was folded into a convolution. The test is the weight's name: the exporter
 * names folded weights "onnx::...".
 */
function isFoldedConvolution(backbone: Backbone, tensor: Tensor): boolean {
  const weights = backbone.weightNames.get(tensor.node);
  return tensor.node.type === "Conv" && weights?.[0]?.startsWith("onnx::") === true;
}

/**
 * Returns the value of the module before `path` in a Sequential, such as `features[9]` for `features[10]`, if
 * that is a convolution into which normalisation was folded.
 */
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
    `${what}: batch normalisation was folded into the convolution ${path} when the file was exported, so the convolution's ` +
      `own output is lost: name the tensor "${name}" (the normalised output), or export without folding ` +
      "(training=TrainingMode.PRESERVE)",
  );
}
