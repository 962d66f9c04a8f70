import type { DType, TensorData, TypedArray } from "../graph/dtype.js";
import { allocate } from "../graph/dtype.js";
import type { StorableModel } from "../graph/onnx/write/storable.js";
import type { Target } from "../graph/operator.js";
import { StriateError } from "../util/errors.js";

/*
 * The boundary to ONNX Runtime. Everything above sees `Session` and `TensorData` only.
 *
 *   device   package            where
 *   cpu      onnxruntime-node   Node
 *   webgpu   onnxruntime-node   Node (inside the npm package), onnxruntime-web in a browser
 *   cuda     onnxruntime-node   Node on Linux, after its CUDA libraries were installed
 *   wasm     onnxruntime-web    browser and Node
 */

/** The names of all devices. */
export const DEVICES = ["cpu", "webgpu", "cuda", "wasm"] as const;
/** Name of a place where models run; what each one needs: docs/devices.md. */
export type Device = (typeof DEVICES)[number];

/** Where and how ONNX Runtime runs a model. */
export interface SessionOptions {
  /** Default: the runtime's own, "cpu" in Node and "wasm" in a browser. */
  readonly device?: Device;
  /** Threads inside one operator (default: all cores). CPU and wasm. */
  readonly threads?: number;
  /** ONNX Runtime's graph optimisation (default "all"). */
  readonly optimisation?: "all" | "disabled" | "basic" | "extended";
}

/** The session options inside an object that may hold more. */
export function sessionOptionsOf({ device, threads, optimisation }: SessionOptions): SessionOptions {
  return {
    ...(device !== undefined && { device }),
    ...(threads !== undefined && { threads }),
    ...(optimisation !== undefined && { optimisation }),
  };
}

/** Values by name. */
export type Values = Readonly<Record<string, TensorData>>;

/** A model that is ready to run. */
export interface Session {
  readonly device: Device;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the model. Outputs come in fresh buffers. */
  run(feeds: Values): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

/** A model whose state (parameters, optimizer) stays with the runtime between runs. */
export interface Program {
  readonly device: Device;
  /** One run: feeds the inputs that are not state, advances the state, returns the outputs that are not state. */
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
  /** Its outputs have fixed shapes. */
  readonly model: Uint8Array;
  /** Initial state. Graph input NAME is fed from it, graph output `next:NAME` replaces it. */
  readonly state: Values;
}

/** A model to open a session of: the bytes of an ONNX file, or a model that is yet to be encoded. */
export type ModelSource = Uint8Array | Pick<StorableModel, "bytes" | "isTooLarge">;

/** The bytes of a model; `owned` says that nobody else has them. */
export function modelBytes(model: ModelSource): { readonly bytes: Uint8Array; readonly owned: boolean } {
  return model instanceof Uint8Array ? { bytes: model, owned: false } : { bytes: model.bytes, owned: true };
}

/** Creates sessions and programs. */
export interface Runtime {
  /** The device of sessions whose options name none. Graphs are lowered for it. */
  readonly device: Device;
  /**
   * @param model the bytes of an ONNX file, which stay as they are; or what `writeOnnx` gives, whose bytes are then made for
   * this session alone and freed as soon as it is open
   */
  createSession(model: ModelSource, options?: SessionOptions): Promise<Session>;
  createProgram(spec: ProgramSpec, options?: SessionOptions): Promise<Program>;
}

/** What graphs are lowered for if a runtime is to run them with these options. */
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

/** Copies elements between arrays of one type. */
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

/** Throws if a value does not have the type and shape of what it replaces. */
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
