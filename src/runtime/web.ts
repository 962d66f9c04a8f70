import { StriateError, check } from "../util/errors.js";
import { checkOrtVersions } from "../util/peers.js";
import type { GpuDevice } from "./gpu-watch.js";
import { GpuWatch } from "./gpu-watch.js";
import { identityModel } from "./identity-model.js";
import { openChainedProgram, openSession } from "./ort.js";
import type { OrtWeb, WasmPaths, WebDevice } from "./ort-web.js";
import { isNode, loadOrtWeb } from "./ort-web.js";
import { secondsOfConvolutions } from "./probe.js";
import type {
  ModelSource,
  Program,
  ProgramSpec,
  Runtime,
  Session,
  SessionOptions,
  Values,
} from "./runtime.js";
import { modelBytes } from "./runtime.js";

/**
 * Options of {@link createWebRuntime}: the device, which build of onnxruntime-web is loaded, and from which
 * address.
 */
export interface WebRuntimeOptions {
  /**
   * The device: "wasm" (default), "webgpu", or "auto" for the faster one, by measurement. Small networks
   * often run faster on wasm, because starting an operator takes long on WebGPU.
   */
  readonly device?: WebDevice | "auto";
  /** A build of onnxruntime-web that the page has loaded itself. Default: the smallest build for the device. */
  readonly ort?: OrtWeb;
  /** Location of the WebAssembly files. Default: beside the script, where a bundler puts them. */
  readonly wasmPaths?: WasmPaths;
  /**
   * Number of threads on wasm. Default: the choice of onnxruntime-web if the page is cross-origin isolated,
   * else 1. All runtimes of a page use the same number, which the first runtime decides.
   */
  readonly threads?: number;
  /**
   * For "auto": measures how many seconds some work takes on a runtime. The default function runs a few small
   * convolutions. A function that runs your own network is more reliable.
   */
  readonly measure?: (runtime: Runtime) => Promise<number>;
}

export interface WebRuntime extends Runtime {
  readonly device: WebDevice;
  /** Seconds measured on each device, if the device was chosen by measuring. */
  readonly measured?: Readonly<Partial<Record<WebDevice, number>>>;
}

/**
 * Loads onnxruntime-web for a page or a worker.
 *
 * ```ts
 * const runtime = await createWebRuntime({ device: "auto" });
 * console.log(runtime.device, runtime.measured);
 * const trainer = await Trainer.open(task, data, recipe, runtime);
 * ```
 *
 * For WebGPU, the build that uses JavaScript Promise Integration is loaded if the browser supports this (4.1
 * MB compressed, instead of 6.7 MB).
 *
 * @throws StriateError if the browser lacks WebGPU or has no adapter, if threads are asked for on a page that
 * is not cross-origin isolated, or if onnxruntime-web cannot be loaded.
 * @example
 * ```ts
 * import { createWebRuntime } from "striate";
 *
 * const runtime = await createWebRuntime({ device: "auto" });
 * console.log(runtime.device);
 * ```
 */
export async function createWebRuntime(options: WebRuntimeOptions = {}): Promise<WebRuntime> {
  const { device = "wasm" } = options;
  if (device !== "auto") return open(device, options);
  const { measure = secondsOfConvolutions } = options;
  const wasm = await open("wasm", options);
  const gpu = (await missingWebGpu()) === undefined ? await open("webgpu", options) : undefined;
  if (gpu === undefined) return wasm;
  const onGpu = await measure(gpu).catch((error: unknown) => {
    if (error instanceof StriateError) return Infinity;
    throw error;
  });
  const measured = { wasm: await measure(wasm), webgpu: onGpu };
  return { ...(measured.webgpu < measured.wasm ? gpu : wasm), measured };
}

const opened = new Map<WebDevice, Promise<WebRuntime>>();

/**
 * A runtime of onnxruntime-web with default options, which is loaded at its first use. Use `createWebRuntime`
 * for other options.
 */
export const webRuntime: Runtime = {
  device: "wasm",
  createSession: async (model, options = {}) => (await runtimeFor(options)).createSession(model, options),
  createProgram: async (spec, options = {}) => (await runtimeFor(options)).createProgram(spec, options),
};

async function runtimeFor({ device = "wasm" }: SessionOptions): Promise<WebRuntime> {
  if (device !== "wasm" && device !== "webgpu")
    throw new StriateError(`device "${device}" does not exist in onnxruntime-web: use wasm or webgpu`);
  const known = opened.get(device) ?? open(device, {});
  opened.set(device, known);
  // A failure is not kept, because the next attempt may succeed, for example if a file was missing.
  known.catch(() => opened.delete(device));
  return known;
}

async function open(device: WebDevice, options: WebRuntimeOptions): Promise<WebRuntime> {
  if (device === "webgpu") {
    const missing = await missingWebGpu();
    check(missing === undefined, () => `device "webgpu" is absent: ${missing!}; use wasm`);
  }
  const ort = options.ort ?? (await loadOrtWeb(device));
  checkOrtVersions("onnxruntime-web", ort.env.versions);
  configure(ort, options);
  const own = (session: SessionOptions): SessionOptions => {
    const wanted = session.device ?? device;
    check(
      wanted === device,
      () => `device: expected "${device}", on which this runtime runs, got "${wanted}"`,
    );
    return session;
  };
  let watch: GpuWatch | undefined;
  const watched = async () => {
    if (device === "wasm") return undefined;
    const gpu = (await ort.env.webgpu.device) as GpuDevice | undefined;
    if (gpu !== undefined && gpu !== watch?.device) watch = new GpuWatch(gpu);
    return watch;
  };
  return {
    device,
    createSession: async (model: ModelSource, session: SessionOptions = {}): Promise<Session> =>
      guardedSession(await openSession(ort, modelBytes(model).bytes, device, own(session)), await watched()),
    createProgram: async (spec: ProgramSpec, session: SessionOptions = {}): Promise<Program> =>
      guardedProgram(
        await openChainedProgram(ort, spec, device, own(session), identityModel),
        await watched(),
      ),
  };
}

/** The reason why WebGPU is not available, or undefined if it is. */
async function missingWebGpu(): Promise<string | undefined> {
  const navigator = globalThis.navigator as
    { gpu?: { requestAdapter(): Promise<object | null> } } | undefined;
  if (navigator?.gpu === undefined) {
    return isNode() || globalThis.isSecureContext
      ? "this browser has no WebGPU"
      : "WebGPU needs a page served over https or from localhost";
  }
  return (await navigator.gpu.requestAdapter()) === null ? "WebGPU finds no graphics adapter" : undefined;
}

/** Number of threads of each build, fixed by its first runtime. */
const threadsOf = new WeakMap<OrtWeb, number>();

function configure(ort: OrtWeb, { threads, wasmPaths }: WebRuntimeOptions): void {
  const { wasm } = ort.env;
  if (wasmPaths !== undefined) wasm.wasmPaths = wasmPaths;
  if (isNode()) return;
  const isolated = globalThis.crossOriginIsolated;
  check(
    threads === undefined || (Number.isInteger(threads) && threads >= 1),
    () => `threads: expected a whole number from 1, got ${threads}`,
  );
  check(
    threads === undefined || threads === 1 || isolated,
    () =>
      `threads: ${threads} threads need SharedArrayBuffer, which a page has if it is served with the headers ` +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; use 1 thread without them",
  );
  const before = threadsOf.get(ort);
  const wanted = threads ?? before ?? (isolated ? 0 : 1);
  check(
    before === undefined || before === wanted,
    () => `threads: this page already runs onnxruntime-web with ${before} threads, got ${wanted}`,
  );
  threadsOf.set(ort, wanted);
  wasm.numThreads = wanted;
}

function guardedSession(session: Session, watch: GpuWatch | undefined): Session {
  return watch === undefined
    ? session
    : { ...session, run: guarded(watch, (feeds: Values) => session.run(feeds)) };
}

function guardedProgram(program: Program, watch: GpuWatch | undefined): Program {
  if (watch === undefined) return program;
  return {
    ...program,
    step: guarded(watch, (feeds: Values) => program.step(feeds)),
    readState: guarded(watch, () => program.readState()),
  };
}

/**
 * Wraps `run` so that errors of the device are thrown. The first run waits until the device has accepted its
 * calls. Later runs throw only errors that have been reported when their results arrive.
 */
function guarded<A extends readonly unknown[], R>(
  watch: GpuWatch,
  run: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  let first = true;
  return async (...args) => {
    if (first) {
      const result = await watch.scoped(() => run(...args));
      first = false;
      return result;
    }
    const result = await run(...args);
    watch.check();
    return result;
  };
}
