import type { OrtVersions } from "../util/peers.js";
import { loadPeer } from "../util/peers.js";
import type { Ort } from "./ort.js";

/** Devices of onnxruntime-web: WebAssembly (browsers and Node) and WebGPU (browsers). */
export type WebDevice = "wasm" | "webgpu";

/**
 * The part that is used here of a module of onnxruntime-web, such as "onnxruntime-web",
 * "onnxruntime-web/wasm", "onnxruntime-web/webgpu" or "onnxruntime-web/jspi".
 */
export interface OrtWeb extends Ort {
  readonly env: {
    readonly wasm: { numThreads?: number; wasmPaths?: WasmPaths };
    readonly webgpu: { readonly device?: unknown };
    readonly versions?: OrtVersions;
  };
}

/**
 * The location of the WebAssembly files of onnxruntime-web: the address of their folder, or the address of
 * each file.
 */
export type WasmPaths = string | { wasm?: string | URL; mjs?: string | URL };

/**
 * Whether the code runs in Node. Node needs another build of onnxruntime-web, because it cannot load the one
 * for browsers.
 */
export function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
}

/**
 * Loads the smallest build of onnxruntime-web, an optional peer, that runs on a device.
 *
 * @throws StriateError if the package is absent, cannot be loaded or does not fit
 */
export function loadOrtWeb(device: WebDevice): Promise<OrtWeb> {
  return loadPeer(
    "onnxruntime-web",
    () => load(device),
    ({ env }) => env.versions?.web,
  );
}

async function load(device: WebDevice): Promise<OrtWeb> {
  // The name is hidden from bundlers, because a page must not include the build for Node.
  const forNode = "onnxruntime-web";
  const module: unknown = isNode()
    ? await import(/* @vite-ignore */ /* webpackIgnore: true */ forNode)
    : device === "wasm"
      ? await import("onnxruntime-web/wasm")
      : "Suspending" in WebAssembly
        ? await import("onnxruntime-web/jspi")
        : await import("onnxruntime-web/webgpu");
  return module as OrtWeb;
}
