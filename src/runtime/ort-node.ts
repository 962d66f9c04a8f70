import { createRequire } from "node:module";
import type * as onnxruntime from "onnxruntime-node";
import { checkNodeVersion } from "../util/node-version-node.js";
import type { OrtVersions } from "../util/peers.js";
import { checkOrtVersions, peerError } from "../util/peers.js";
import type { Ort } from "./ort.js";

/** The part of onnxruntime-node that is used here. */
export interface OrtNode extends Ort {
  listSupportedBackends(): readonly { readonly name: string }[];
}

let loaded: OrtNode | undefined;

/**
 * Loads onnxruntime-node, an optional peer, at its first use.
 *
 * @throws StriateError if the package is absent, cannot be loaded or does not fit, or if this version of Node is too old
 */
export function ortNode(): OrtNode {
  loaded ??= load();
  return loaded;
}

function load(): OrtNode {
  checkNodeVersion();
  let module: typeof onnxruntime;
  try {
    module = createRequire(import.meta.url)("onnxruntime-node") as typeof onnxruntime;
  } catch (cause) {
    throw peerError("onnxruntime-node", cause);
  }
  const versions: OrtVersions = module.env.versions;
  checkOrtVersions("onnxruntime-node", versions);
  return module;
}
