import type { Program, Runtime, Session, Values } from "./runtime.js";
import type { Channel, OpenFacts, WorkerReply, WorkerRequest } from "./worker-messages.js";

/** A runtime that a worker has started, and what the worker reports about it. */
export interface StartedRuntime {
  readonly runtime: Runtime;
  readonly facts?: unknown;
  /**
   * Frees the bytes of a model as soon as its session is open. Default: the garbage collector frees them
   * later.
   */
  readonly freeModel?: (bytes: Uint8Array) => void;
}

/**
 * Answers the requests that come through a channel, inside a worker.
 *
 * @param start opens the runtime at the first request. Its argument is the `setup` of a "start" request, or
 * undefined if another request comes first.
 */
export function serveRuntime(channel: Channel, start: (setup: unknown) => Promise<StartedRuntime>): void {
  const sessions = new Map<number, Session>();
  const programs = new Map<number, Program>();
  let started: Promise<StartedRuntime> | undefined;
  let count = 0;
  const opened = () => (started ??= start(undefined));

  const answer = async (request: WorkerRequest): Promise<unknown> => {
    switch (request.kind) {
      case "start":
        started = start(request.setup);
        return (await started).facts;
      case "session": {
        const { runtime, freeModel } = await opened();
        const session = await runtime
          .createSession(request.model, request.options)
          .finally(() => freeModel?.(request.model));
        const handle = count++;
        sessions.set(handle, session);
        const { inputNames, outputNames } = session;
        return { handle, inputNames: [...inputNames], outputNames: [...outputNames] } satisfies OpenFacts;
      }
      case "program": {
        const { runtime } = await opened();
        const program = await runtime.createProgram(request.spec, request.options);
        const handle = count++;
        programs.set(handle, program);
        return { handle } satisfies OpenFacts;
      }
      case "run":
        return sessions.get(request.handle)!.run(request.feeds);
      case "step":
        return programs.get(request.handle)!.step(request.feeds);
      case "readState":
        return programs.get(request.handle)!.readState();
      case "writeState":
        return programs.get(request.handle)!.writeState(request.state);
      case "close":
        await sessions.get(request.handle)?.close();
        await programs.get(request.handle)?.close();
        sessions.delete(request.handle);
        programs.delete(request.handle);
        return undefined;
    }
  };

  channel.listen((message) => {
    const { id, request } = message as { id: number; request: WorkerRequest };
    const reply = (answered: WorkerReply, moved: ArrayBuffer[] = []) => {
      channel.post(answered, moved);
    };
    answer(request).then(
      (value) => {
        reply({ id, value }, returnsOwnBuffers(request) ? buffersOf(value as Values) : []);
      },
      (error: unknown) => {
        const { message, name, cause } = error instanceof Error ? error : new Error(String(error));
        reply({ id, error: message, name, ...(cause instanceof Error && { cause: cause.message }) });
      },
    );
  });
}

/**
 * Whether the buffers of an answer can be transferred instead of copied, because nothing else uses them: the
 * results of a run, or a copy of the state.
 */
function returnsOwnBuffers({ kind }: WorkerRequest): boolean {
  return kind === "run" || kind === "readState";
}

function buffersOf(results: Values): ArrayBuffer[] {
  return [...new Set(Object.values(results).map(({ data }) => data.buffer as ArrayBuffer))];
}
