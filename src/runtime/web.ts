import { StriateError } from "../util/errors.js";
import { identityModel } from "./identity-model.js";
import type { Ort } from "./ort.js";
import { ortError } from "./ort-error.js";
import { openChainedProgram, openSession } from "./ort.js";
import type { Device, Runtime, SessionOptions } from "./runtime.js";

let loaded: Promise<Ort> | undefined;

/** onnxruntime-web, loaded when first used: it is large. */
function load(): Promise<Ort> {
  loaded ??= import("onnxruntime-web").then(
    ({ InferenceSession, Tensor }): Ort => ({ InferenceSession, Tensor }),
    (error: unknown) => {
      throw ortError("onnxruntime-web could not be loaded", error);
    },
  );
  return loaded;
}

function webDevice(options: SessionOptions): Device {
  const { device = "wasm" } = options;
  if (device === "wasm") return device;
  if (device !== "webgpu")
    throw new StriateError(`device "${device}" does not exist in onnxruntime-web: use wasm or webgpu`);
  if (!("gpu" in globalThis.navigator))
    throw new StriateError('device "webgpu" is absent: this browser has no WebGPU; use wasm');
  return device;
}

/** ONNX Runtime as WebAssembly (browsers and Node) or WebGPU (browsers). */
export const webRuntime: Runtime = {
  createSession: async (model, options = {}) => openSession(await load(), model, webDevice(options), options),
  createProgram: async (spec, options = {}) =>
    openChainedProgram(await load(), spec, webDevice(options), options, identityModel),
};
