import { parentPort } from "node:worker_threads";
import { freeBytes } from "./free-bytes-node.js";
import { nodeRuntime } from "./node.js";
import type { Program, Session, Values } from "./runtime.js";
import type { SessionFacts, WorkerReply, WorkerRequest } from "./worker-node.js";

let session: Session | undefined;
let program: Program | undefined;

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case "session": {
      try {
        session = await nodeRuntime.createSession(request.model, request.options);
      } finally {
        freeBytes(request.model);
      }
      const facts: SessionFacts = {
        inputNames: [...session.inputNames],
        outputNames: [...session.outputNames],
      };
      return facts;
    }
    case "program":
      program = await nodeRuntime.createProgram(request.spec, request.options);
      return undefined;
    case "run":
      return session?.run(request.feeds);
    case "step":
      return program?.step(request.feeds);
    case "readState":
      return program?.readState();
    case "writeState":
      return program?.writeState(request.state);
    case "close":
      await session?.close();
      await program?.close();
      return undefined;
  }
}

/** The results of a run belong to nobody else: they move to the other thread instead of being copied. */
function buffersOf(results: Values): ArrayBuffer[] {
  return [...new Set(Object.values(results).map(({ data }) => data.buffer as ArrayBuffer))];
}

parentPort?.on("message", ({ id, request }: { id: number; request: WorkerRequest }) => {
  const reply = (message: WorkerReply, moved: ArrayBuffer[] = []) => parentPort?.postMessage(message, moved);
  answer(request).then(
    (value) => reply({ id, value }, request.kind === "run" ? buffersOf(value as Values) : []),
    (error: unknown) => {
      const { message, name, cause } = error instanceof Error ? error : new Error(String(error));
      reply({ id, error: message, name, ...(cause instanceof Error && { cause: cause.message }) });
    },
  );
});
