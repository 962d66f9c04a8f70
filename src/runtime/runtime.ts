import type { DType, TensorData, TypedArray } from "../graph/dtype.js";
import { allocate } from "../graph/dtype.js";
import type { StorableModel } from "../graph/onnx/write/storable.js";
import type { Target } from "../graph/operator.js";
import { StriateError } from "../util/errors.js";

/*
 * The boundary to ONNX Runtime. Code above this file uses only `Session` and `TensorData`.
 *
 *   device   package            where
 *   cpu      onnxruntime-node   Node
 *   webgpu   onnxruntime-node   Node (inside the npm package), onnxruntime-web in a browser
 *   cuda     onnxruntime-node   Node on Linux, with its CUDA libraries installed
 *   wasm     onnxruntime-web    browser and Node
 */

/** The names of all devices. */
export const DEVICES = ["cpu", "webgpu", "cuda", "wasm"] as const;
/** Name of a device on which models run. docs/devices.md lists the requirements of each. */
export type Device = (typeof DEVICES)[number];

/** Options that decide where and how ONNX Runtime runs a model. */
export interface SessionOptions {
  /** The device. Default: the device of the runtime ("cpu" in Node, "wasm" in a browser). */
  readonly device?: Device;
  /**
   * Number of threads that compute one operator (default: all cores). For the devices "cpu" and "wasm" only.
   */
  readonly threads?: number;
  /** ONNX Runtime's graph optimisation (default "all"). */
  readonly optimisation?: "all" | "disabled" | "basic" | "extended";
}

/** Picks the session options from an object that may have further entries. */
export function sessionOptionsOf({ device, threads, optimisation }: SessionOptions): SessionOptions {
  return {
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    ...(optimisation !== undefined && { optimisation }),
  };
}

/** Tensor values by name. */
export type Values = Readonly<Record<string, TensorData>>;

/** A model that is ready to run. */
export interface Session {
  readonly device: Device;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the model. Outputs are in new buffers. */
  run(feeds: Values): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

/** A model whose state (parameters and the state of the optimizer) stays in the runtime between runs. */
export interface Program {
  readonly device: Device;
  /**
   * Runs the model once: takes the inputs that are not state, updates the state and returns the outputs that
   * are not state.
   */
  step(feeds: Values): Promise<Record<string, TensorData>>;
  /** A copy of the state. */
  readState(): Promise<Record<string, TensorData>>;
  writeState(state: Values): Promise<void>;
  close(): Promise<void>;
}

/** Name of the graph output that holds the next value of a piece of state. */
export function nextName(name: string): string {
  return `next:${name}`;
}

/** A model whose outputs replace its own state, as in training. */
export interface ProgramSpec {
  /** The model, whose outputs have fixed shapes. */
  readonly model: Uint8Array;
  /**
   * The initial state. The value of each NAME is fed to the graph input NAME; after each run, the graph
   * output `next:NAME` replaces it.
   */
  readonly state: Values;
}

/** A model for a session: the bytes of an ONNX file, or a model that is not encoded yet. */
export type ModelSource = Uint8Array | Pick<StorableModel, "bytes" | "isTooLarge">;

/** The bytes of a model; `owned` is true if nothing else uses the bytes. */
export function modelBytes(model: ModelSource): { readonly bytes: Uint8Array; readonly owned: boolean } {
  return model instanceof Uint8Array ? { bytes: model, owned: false } : { bytes: model.bytes, owned: true };
}

/** Creates sessions and programs. */
export interface Runtime {
  /** The device of sessions whose options name no device. Graphs are lowered for this device. */
  readonly device: Device;
  /**
   * @param model the bytes of an ONNX file, which are not changed; or the result of `writeOnnx`, whose bytes
   * are made only for this session and freed as soon as it is open
   */
  createSession(model: ModelSource, options?: SessionOptions): Promise<Session>;
  createProgram(spec: ProgramSpec, options?: SessionOptions): Promise<Program>;
  /** The memory in bytes that the process can still take, if the runtime knows it. */
  availableBytes?(): number;
}

/** The target for which graphs are lowered if a runtime runs them with these options. */
export function targetOf(runtime: Runtime, { device = runtime.device }: SessionOptions = {}): Target {
  return device;
}

export function checkDevice(name: string): Device {
  if ((DEVICES as readonly string[]).includes(name)) return name as Device;
  throw new StriateError(`unknown device "${name}": expected one of ${DEVICES.join(", ")}`);
}

export function emptyLike(value: TensorData): TensorData {
  return { dtype: value.dtype, shape: value.shape, data: allocate(value.dtype, value.data.length) };
}

export function copyOf(value: TensorData): TensorData {
  const copy = emptyLike(value);
  copyElements(value.data, copy.data);
  return copy;
}

/** Copies elements between arrays of the same type and length. */
export function copyElements(from: TypedArray, to: TypedArray): void {
  if (from.constructor !== to.constructor || from.length !== to.length) {
    throw new StriateError(
      `cannot copy ${from.length} elements (${from.constructor.name}) to ${to.length} (${to.constructor.name})`,
    );
  }
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(
    new Uint8Array(from.buffer, from.byteOffset, from.byteLength),
  );
}

/** Throws if a value does not have the type and shape of the state that it replaces. */
export function checkSame(
  name: string,
  expected: { dtype: DType; shape: readonly number[] },
  received: TensorData,
): void {
  if (received.dtype !== expected.dtype || received.shape.join() !== expected.shape.join()) {
    throw new StriateError(
      `state "${name}": expected ${expected.dtype}[${expected.shape.join(", ")}], got ${received.dtype}[${received.shape.join(", ")}]`,
    );
  }
}
