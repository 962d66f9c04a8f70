import type { DType, TensorData, TypedArray } from "../graph/dtype.js";
import { storedLength } from "../graph/dtype.js";
import { checkEveryWhole, checkLength } from "../util/check.js";
import { StriateError } from "../util/errors.js";
import { ortError } from "./ort-error.js";
import type { Device, Program, ProgramSpec, Session, SessionOptions, Values } from "./runtime.js";
import { checkSame, copyOf, nextName } from "./runtime.js";

/*
 * The types of ONNX Runtime that are used here. They are declared in place of those of onnxruntime-common, so that the
 * types of Striate can be read without any build of ONNX Runtime, and fit every build.
 */

/** A tensor of ONNX Runtime. */
export interface OrtTensor {
  /** The element type, such as "float32". */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  /** Where the elements are: "cpu", "gpu-buffer", ... */
  readonly location: string;
  dispose(): void;
}

/** Tensors of ONNX Runtime by the names of inputs or outputs. */
export type OrtValues = Record<string, OrtTensor>;

/** An input or output of a model. */
export type OrtPort =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: true;
      readonly type: string;
      /** The lengths of the axes, or the names of those that are open. */
      readonly shape: readonly (number | string)[];
    };

/** A model that a build of ONNX Runtime has opened. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly outputMetadata: readonly OrtPort[];
  /** Runs the model. `fetches` names the outputs; where it gives a tensor, ONNX Runtime writes into it. */
  run(feeds: OrtValues, fetches?: Record<string, OrtTensor | null>): Promise<OrtValues>;
  release(): Promise<void>;
}

/** Options with which a model is opened. */
export interface OrtSessionOptions {
  executionProviders?: readonly string[];
  graphOptimizationLevel?: "disabled" | "basic" | "extended" | "layout" | "all";
  logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  enableMemPattern?: boolean;
  intraOpNumThreads?: number;
  interOpNumThreads?: number;
  preferredOutputLocation?: Readonly<Record<string, "cpu" | "gpu-buffer">>;
}

/** The part of the interface that onnxruntime-node and onnxruntime-web have in common. */
export interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: OrtSessionOptions): Promise<OrtSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
}

function sessionOptions(device: Device, options: SessionOptions): OrtSessionOptions {
  const { threads, optimisation = "all" } = options;
  return {
    executionProviders: [device],
    graphOptimizationLevel: optimisation,
    logSeverityLevel: 3,
    // With a memory pattern, ONNX Runtime 1.30 puts all intermediate results of the second run into one new block, and keeps
    // the memory of the first run beside it: twice the memory, for no time.
    ...((device === "cpu" || device === "wasm") && { enableMemPattern: false }),
    ...(threads !== undefined && { intraOpNumThreads: threads, interOpNumThreads: 1 }),
  };
}

export async function createOrtSession(
  ort: Ort,
  model: Uint8Array,
  device: Device,
  options: SessionOptions,
  extra: OrtSessionOptions = {},
): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(model, { ...sessionOptions(device, options), ...extra });
  } catch (error) {
    throw ortError(`device "${device}" cannot run this model`, error);
  }
}

/** Runs a session. If ONNX Runtime reports an error, throws a StriateError that names the node. */
export async function runOrtSession(
  session: OrtSession,
  feeds: OrtValues,
  fetches?: Record<string, OrtTensor | null>,
): Promise<OrtValues> {
  try {
    return await (fetches === undefined ? session.run(feeds) : session.run(feeds, fetches));
  } catch (error) {
    throw ortError("the model cannot be run", error);
  }
}

export function toOrt(ort: Ort, value: TensorData): OrtTensor {
  return new ort.Tensor(value.dtype as "float32", value.data as Float32Array, value.shape);
}

export function fromOrt(tensor: OrtTensor): TensorData {
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as TypedArray };
}

export async function openSession(
  ort: Ort,
  model: Uint8Array,
  device: Device,
  options: SessionOptions,
): Promise<Session> {
  const session = await createOrtSession(ort, model, device, options);
  return {
    device,
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds) => {
      checkFeeds(session.inputNames, feeds);
      const results = await runOrtSession(
        session,
        mapValues(feeds, (value) => toOrt(ort, value)),
      );
      return mapValues(results, fromOrt);
    },
    close: () => session.release(),
  };
}

export function checkFeeds(names: readonly string[], feeds: Values): void {
  const missing = names.filter((name) => feeds[name] === undefined);
  const unknown = Object.keys(feeds).filter((name) => !names.includes(name));
  if (missing.length > 0 || unknown.length > 0) {
    const parts = [
      missing.length > 0 ? `missing ${missing.join(", ")}` : "",
      unknown.length > 0 ? `unknown ${unknown.join(", ")} (expected ${names.join(", ")})` : "",
    ];
    throw new StriateError(`inputs of the model: ${parts.filter((part) => part !== "").join("; ")}`);
  }
  for (const [name, { dtype, shape, data }] of Object.entries(feeds)) {
    checkEveryWhole(`input "${name}": shape`, shape, { from: 0 });
    checkLength(
      `input "${name}", ${dtype}[${shape.join(", ")}]`,
      data,
      storedLength(
        dtype,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
  }
}

export function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  map: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

/** The inputs and outputs of a program's model that are not state. */
export function splitNames(session: OrtSession, state: Values): { fed: string[]; returned: string[] } {
  const names = Object.keys(state);
  const next = new Set(names.map(nextName));
  const absent = [
    ...names.filter((name) => !session.inputNames.includes(name)),
    ...[...next].filter((name) => !session.outputNames.includes(name)),
  ];
  if (absent.length > 0) throw new StriateError(`the training graph lacks ${absent.join(", ")}`);
  return {
    fed: session.inputNames.filter((name) => state[name] === undefined),
    returned: session.outputNames.filter((name) => !next.has(name)),
  };
}

export function checkState(expected: Values, values: Values): void {
  for (const [name, target] of Object.entries(expected)) {
    const value = values[name];
    if (value === undefined) throw new StriateError(`state "${name}" is missing`);
    checkSame(name, target, value);
  }
}

/**
 * Opens a program in which the state outputs of each run are inputs of the next run. On WebGPU the state
 * stays on the device between runs. `readState` copies it with a model of Identity nodes whose outputs are on
 * the CPU, because reading a device tensor directly is not safe everywhere.
 */
export async function openChainedProgram(
  ort: Ort,
  spec: ProgramSpec,
  device: Device,
  options: SessionOptions,
  identityModel: (state: Values) => Uint8Array,
): Promise<Program> {
  const names = Object.keys(spec.state);
  const session = await createOrtSession(ort, spec.model, device, options, {
    ...(device === "webgpu" && {
      preferredOutputLocation: Object.fromEntries(
        names.map((name) => [nextName(name), "gpu-buffer" as const]),
      ),
    }),
  });
  const { fed, returned } = splitNames(session, spec.state);
  let reader: OrtSession | undefined;
  let state: OrtValues = mapValues(spec.state, (value) => toOrt(ort, copyOf(value)));
  const replace = (next: OrtValues) => {
    for (const tensor of Object.values(state)) if (tensor.location === "gpu-buffer") tensor.dispose();
    state = next;
  };
  return {
    device,
    step: async (feeds) => {
      checkFeeds(fed, feeds);
      const results = await runOrtSession(session, {
        ...state,
        ...mapValues(feeds, (value) => toOrt(ort, value)),
      });
      replace(Object.fromEntries(names.map((name) => [name, results[nextName(name)]!])));
      return Object.fromEntries(returned.map((name) => [name, fromOrt(results[name]!)]));
    },
    readState: async () => {
      if (Object.values(state).every((tensor) => tensor.location === "cpu")) {
        return mapValues(state, (tensor) => copyOf(fromOrt(tensor)));
      }
      reader ??= await createOrtSession(ort, identityModel(spec.state), device, options);
      const results = await runOrtSession(reader, state);
      return Object.fromEntries(names.map((name) => [name, copyOf(fromOrt(results[nextName(name)]!))]));
    },
    writeState: async (values) => {
      checkState(spec.state, values);
      replace(Object.fromEntries(names.map((name) => [name, toOrt(ort, copyOf(values[name]!))])));
      return Promise.resolve();
    },
    close: async () => {
      await session.release();
      await reader?.release();
    },
  };
}
