import { parentPort } from "node:worker_threads";
import { nodeRuntime } from "./node.js";
import type { Program, Session } from "./runtime.js";
import type { SessionFacts, WorkerReply, WorkerRequest } from "./worker-node.js";

let session: Session | undefined;
let program: Program | undefined;

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case "session": {
      session = await nodeRuntime.createSession(request.model, request.options);
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

parentPort?.on("message", ({ id, request }: { id: number; request: WorkerRequest }) => {
  const reply = (message: WorkerReply) => parentPort?.postMessage(message);
  answer(request).then(
    (value) => reply({ id, value }),
    (error: unknown) => {
      const { message, name } = error instanceof Error ? error : new Error(String(error));
      reply({ id, error: message, name });
    },
  );
});
