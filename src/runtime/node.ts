import { StriateError } from "../util/errors.js";
import { availableBytes } from "./available-bytes-node.js";
import { identityModel } from "./identity-model.js";
import { openHostProgram } from "./host-program.js";
import { openChainedProgram, openSession } from "./ort.js";
import { ortNode } from "./ort-node.js";
import { freeBytes } from "./free-bytes-node.js";
import type {
  Device,
  ModelSource,
  Program,
  ProgramSpec,
  Runtime,
  Session,
  SessionOptions,
} from "./runtime.js";
import { modelBytes } from "./runtime.js";
import { webRuntime } from "./web.js";

/**
 * The devices that the installed build of onnxruntime-node supports.
 *
 * @throws StriateError if onnxruntime-node is not installed or does not fit
 */
export function nodeDevices(): Device[] {
  const names = ortNode()
    .listSupportedBackends()
    .map((backend) => backend.name);
  return (["cpu", "webgpu", "cuda"] as const).filter((device) => names.includes(device));
}

function checkAvailable(device: Device): void {
  if (nodeDevices().includes(device)) return;
  const hint = device === "cuda" ? " (docs/devices.md explains how to install the CUDA libraries)" : "";
  throw new StriateError(
    `device "${device}" is not in this build of onnxruntime-node${hint}: use one of ${nodeDevices().join(", ")}, wasm`,
  );
}

/**
 * The runtime of Node. A session's `run()` blocks the calling thread, so use `workerRuntime` for long work.
 *
 * @example
 * ```ts
 * import { input, lower, relu, tensorData, writeOnnx } from "striate/graph";
 * import { nodeRuntime } from "striate/node";
 *
 * const { bytes } = writeOnnx(lower({ y: relu(input("x", [3])) }, "cpu"));
 * const session = await nodeRuntime.createSession(bytes, { device: "cpu" });
 * const { y } = await session.run({ x: tensorData([-1, 0, 2], [3]) });
 * console.log(Array.from(y!.data, Number).join(", ")); // 0, 0, 2
 * await session.close();
 * ```
 */
export const nodeRuntime: Runtime = {
  device: "cpu",
  createSession: async (model: ModelSource, options: SessionOptions = {}): Promise<Session> => {
    const { device = "cpu" } = options;
    if (device === "wasm") return webRuntime.createSession(model, options);
    checkAvailable(device);
    const { bytes, owned } = modelBytes(model);
    try {
      return await openSession(ortNode(), bytes, device, options);
    } finally {
      if (owned) freeBytes(bytes);
    }
  },
  createProgram: (spec: ProgramSpec, options: SessionOptions = {}): Promise<Program> => {
    const { device = "cpu" } = options;
    if (device === "wasm") return webRuntime.createProgram(spec, options);
    checkAvailable(device);
    return device === "cpu"
      ? openHostProgram(ortNode(), spec, options)
      : openChainedProgram(ortNode(), spec, device, options, identityModel);
  },
  availableBytes,
};
