import { StriateError, check } from "../util/errors.js";
import type { SessionOptions } from "./runtime.js";
import type { WebRuntime, WebRuntimeOptions } from "./web.js";
import { WorkerClient } from "./worker-client.js";

/** Options for starting a page's worker. */
export interface WorkerRuntimeOptions extends Pick<WebRuntimeOptions, "device" | "wasmPaths" | "threads"> {
  /**
   * Starts the worker. Give it if your bundler does not bundle the worker; its script is `striate/worker`.
   * Default: starts the module `worker-thread-web.js` beside the script that this file is bundled into.
   */
  readonly worker?: () => Worker;
}

/** A runtime whose sessions and programs are all in one worker. */
export interface WorkerRuntime extends WebRuntime {
  /** Ends the worker, with every session and program in it. */
  close(): Promise<void>;
}

/** The facts that a worker reports about its runtime. */
export type WebFacts = Pick<WebRuntime, "device" | "measured">;

/**
 * Like `createWebRuntime`, but in a Web Worker, so that the page stays responsive. onnxruntime-web is loaded
 * in the worker; on WebGPU the state of a program stays on the device there.
 *
 * @throws StriateError as `createWebRuntime` does, and if there are no Web Workers or if the worker's script
 * cannot be loaded.
 */
export async function createWorkerRuntime(options: WorkerRuntimeOptions = {}): Promise<WorkerRuntime> {
  const { worker = defaultWorker, device = "wasm", wasmPaths, threads } = options;
  check(
    typeof Worker === "function",
    () => "there are no Web Workers here: in Node, import train and workerRuntime from striate/node",
  );
  const client = new WorkerClient(channelTo(worker()));
  const setup: WebRuntimeOptions = {
    device,
    ...(wasmPaths !== undefined && { wasmPaths: absolute(wasmPaths) }),
    ...(threads !== undefined && { threads }),
  };
  const facts = await endOnFailure(client, client.ask<WebFacts>({ kind: "start", setup }));
  const checkedOptions = (session: SessionOptions): SessionOptions => {
    const wanted = session.device ?? facts.device;
    check(
      wanted === facts.device,
      () => `device: expected "${facts.device}", on which this runtime runs, got "${wanted}"`,
    );
    return session;
  };
  return {
    ...facts,
    createSession: async (model, session = {}) =>
      client.openSession(facts.device, model, checkedOptions(session)),
    createProgram: async (spec, session = {}) =>
      client.openProgram(facts.device, spec, checkedOptions(session)),
    close: () => client.end(),
  };
}

/** Keep this exact expression, because bundlers search for it to bundle the worker. */
function defaultWorker(): Worker {
  return new Worker(new URL("./worker-thread-web.js", import.meta.url), { type: "module" });
}

async function endOnFailure<T>(client: WorkerClient, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    await client.end();
    throw error;
  }
}

function channelTo(worker: Worker) {
  return {
    post: (message: unknown, moved: readonly ArrayBuffer[] = []) => {
      worker.postMessage(message, [...moved]);
    },
    listen: (listener: (message: unknown) => void) => {
      worker.addEventListener("message", ({ data }) => {
        listener(data);
      });
    },
    onFailure: (listener: (error: Error) => void) => {
      worker.addEventListener("error", ({ message }) => {
        // If a script cannot be loaded, the event has no message.
        const why = message
          ? `broke: ${message}`
          : "cannot be loaded: serve worker-thread-web.js beside the page's script (docs/browser.md), or give `worker`";
        listener(new StriateError(`the worker ${why}`));
      });
    },
    end: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
}

/** Makes addresses absolute. They are relative to the page, but a worker would resolve them against its own script. */
function absolute(paths: NonNullable<WebRuntimeOptions["wasmPaths"]>): typeof paths {
  const full = (path: string | URL) => new URL(path, globalThis.location.href).href;
  return typeof paths === "string"
    ? full(paths)
    : {
        ...(paths.wasm !== undefined && { wasm: full(paths.wasm) }),
        ...(paths.mjs !== undefined && { mjs: full(paths.mjs) }),
      };
}
