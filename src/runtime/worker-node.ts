import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { StriateError } from "../util/errors.js";
import { availableBytes } from "./available-bytes-node.js";
import { checkDevice } from "./runtime.js";
import type {
  Device,
  ModelSource,
  Program,
  ProgramSpec,
  Runtime,
  Session,
  SessionOptions,
} from "./runtime.js";
import { BUSY, ENDING } from "./worker-messages.js";
import { WorkerClient } from "./worker-client.js";

/**
 * The address of a script of this package that runs in its own thread. If the package runs from source (in
 * tests), this is the compiled script in `dist/`, because Node does not read TypeScript.
 */
export function workerScript(name: string, from: string): URL {
  const url = new URL(from.endsWith(".ts") ? from.replace(/\/src\//, "/dist/") : from);
  const script = new URL(name, url);
  if (!existsSync(fileURLToPath(script))) {
    throw new StriateError(`worker script ${fileURLToPath(script)} is missing: run "npm run build"`);
  }
  return script;
}

/** The counters of all workers; see {@link endWorkers}. */
const workers = new Set<Int32Array>();

/** Milliseconds after which a process ends although a worker still computes. */
const LONGEST_WAIT = 30_000;

/**
 * Waits until no worker is inside ONNX Runtime, and lets none begin again. If a thread ends while it is inside, ONNX
 * Runtime aborts the process (SIGABRT) in place of the exit status that was asked for.
 */
function endWorkers(): void {
  const until = Date.now() + LONGEST_WAIT;
  for (const counters of workers) Atomics.store(counters, ENDING, 1);
  for (const counters of workers) {
    for (let busy = 1; busy > 0 && Date.now() < until;) {
      busy = Atomics.load(counters, BUSY);
      if (busy > 0) Atomics.wait(counters, BUSY, busy, until - Date.now());
    }
  }
}

function openWorker(): WorkerClient {
  const counters = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const script = workerScript("./worker-thread-node.js", import.meta.url);
  const worker = new Worker(script, { workerData: counters });
  if (!process.listeners("exit").includes(endWorkers)) process.on("exit", endWorkers);
  workers.add(counters);
  worker.on("exit", () => workers.delete(counters));
  return new WorkerClient({
    post: (message, moved = []) => {
      worker.postMessage(message, moved);
    },
    listen: (listener) => worker.on("message", listener),
    onFailure: (listener) => {
      worker.on("error", (error) => {
        listener(error instanceof Error ? error : new Error(String(error)));
      });
      worker.on("exit", (code) => {
        listener(new StriateError(`the worker thread ended early (exit code ${code})`));
      });
    },
    end: () => worker.terminate(),
    // A busy worker must keep the process alive, but an idle one must not.
    busy: (isBusy) => {
      if (isBusy) worker.ref();
      else worker.unref();
    },
  });
}

function deviceOf(options: SessionOptions): Device {
  return checkDevice(options.device ?? "cpu");
}

/**
 * Like `nodeRuntime`, but each session or program runs in a thread of its own, so that the calling thread
 * stays responsive.
 */
export const workerRuntime: Runtime = {
  device: "cpu",
  createSession: async (model: ModelSource, options: SessionOptions = {}): Promise<Session> => {
    const device = deviceOf(options);
    return inOwnWorker((worker) => worker.openSession(device, model, options));
  },
  createProgram: async (spec: ProgramSpec, options: SessionOptions = {}): Promise<Program> => {
    const device = deviceOf(options);
    return inOwnWorker((worker) => worker.openProgram(device, spec, options));
  },
  availableBytes,
};

/** Opens a session or program in a worker of its own. Closing it also ends the worker. */
async function inOwnWorker<T extends Session | Program>(
  open: (worker: WorkerClient) => Promise<T>,
): Promise<T> {
  const worker = openWorker();
  try {
    const opened = await open(worker);
    const close = async () => {
      await opened.close();
      await worker.end();
    };
    return { ...opened, close };
  } catch (error) {
    await worker.end();
    throw error;
  }
}
