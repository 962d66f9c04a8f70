import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { StriateError } from "../util/errors.js";
import { checkDevice, modelBytes } from "./runtime.js";
import type {
  Device,
  ModelSource,
  Program,
  ProgramSpec,
  Runtime,
  Session,
  SessionOptions,
  Values,
} from "./runtime.js";

/** What the main thread asks of the worker. */
export type WorkerRequest =
  | { readonly kind: "session"; readonly model: Uint8Array; readonly options: SessionOptions }
  | { readonly kind: "program"; readonly spec: ProgramSpec; readonly options: SessionOptions }
  | { readonly kind: "run"; readonly feeds: Values }
  | { readonly kind: "step"; readonly feeds: Values }
  | { readonly kind: "readState" }
  | { readonly kind: "writeState"; readonly state: Values }
  | { readonly kind: "close" };

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly error: string;
      readonly name: string;
      /** What the cause of the error says. */
      readonly cause?: string;
    };

export interface SessionFacts {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/**
 * A script of this package that runs in a thread of its own. From source (tests) it is taken from `dist/`, because
 * Node does not read TypeScript.
 */
export function workerScript(name: string, from: string): URL {
  const url = new URL(from.endsWith(".ts") ? from.replace(/\/src\//, "/dist/") : from);
  const script = new URL(name, url);
  if (!existsSync(fileURLToPath(script))) {
    throw new StriateError(`worker script ${fileURLToPath(script)} is missing: run "npm run build"`);
  }
  return script;
}

class Host {
  readonly #worker = new Worker(workerScript("./worker-thread-node.js", import.meta.url));
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #next = 0;

  constructor() {
    this.#worker.on("message", (reply: WorkerReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if ("error" in reply) {
        const { error, name, cause } = reply;
        const options = cause === undefined ? {} : { cause: new Error(cause) };
        waiting?.reject(
          name === "StriateError" ? new StriateError(error, options) : new Error(error, options),
        );
      } else waiting?.resolve(reply.value);
    });
    this.#worker.on("error", (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("exit", (code) => {
      this.#fail(new StriateError(`the worker thread ended early (exit code ${code})`));
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** @param moved buffers of the request that the worker takes over, instead of copying them */
  ask<T>(request: WorkerRequest, moved: readonly ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // An idle worker must not keep the process alive, a busy one must.
      this.#worker.ref();
      this.#worker.postMessage({ id, request }, moved);
    });
  }

  async close(): Promise<void> {
    await this.ask({ kind: "close" });
    await this.#worker.terminate();
  }
}

function deviceOf(options: SessionOptions): Device {
  return checkDevice(options.device ?? "cpu");
}

/** As `nodeRuntime`, each session or program in a thread of its own, so that the calling thread stays alive. */
export const workerRuntime: Runtime = {
  device: "cpu",
  createSession: async (model: ModelSource, options: SessionOptions = {}): Promise<Session> => {
    const device = deviceOf(options);
    const { bytes, owned } = modelBytes(model);
    const moved = owned ? [bytes.buffer as ArrayBuffer] : [];
    const host = new Host();
    const facts = await open<SessionFacts>(host, { kind: "session", model: bytes, options }, moved);
    return {
      device,
      ...facts,
      run: (feeds) => host.ask({ kind: "run", feeds }),
      close: () => host.close(),
    };
  },
  createProgram: async (spec: ProgramSpec, options: SessionOptions = {}): Promise<Program> => {
    const device = deviceOf(options);
    const host = new Host();
    await open(host, { kind: "program", spec, options });
    return {
      device,
      step: (feeds) => host.ask({ kind: "step", feeds }),
      readState: () => host.ask({ kind: "readState" }),
      writeState: (state) => host.ask({ kind: "writeState", state }),
      close: () => host.close(),
    };
  },
};

async function open<T>(host: Host, request: WorkerRequest, moved: readonly ArrayBuffer[] = []): Promise<T> {
  try {
    return await host.ask<T>(request, moved);
  } catch (error) {
    await host.close();
    throw error;
  }
}
