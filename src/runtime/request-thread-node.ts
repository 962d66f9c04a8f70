import type { Transferable } from "node:worker_threads";
import { Worker, parentPort } from "node:worker_threads";
import { StriateError } from "../util/errors.js";
import { workerScript } from "./worker-node.js";

/** What a thread sends back: the answer, or the error that it met. */
type Reply<A> = { readonly answer: A } | { readonly error: string; readonly name: string };

interface Waiting<A> {
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
}

/** A thread ended before it had answered: it was closed, or its process killed it. */
export class ThreadEndedError extends StriateError {}

/**
 * A worker thread that answers requests one after another. Q is the type of a request and A that of an answer; both are
 * plain data.
 */
export class RequestThread<Q, A> {
  readonly #worker: Worker;
  readonly #waiting: Waiting<A>[] = [];
  #failure: Error | undefined;

  /**
   * @param script the compiled file of the thread, relative to `from`, such as "./image-thread-node.js"
   * @param from `import.meta.url` of the caller
   * @param workerData plain data that the thread gets when it starts
   */
  constructor(script: string, from: string, workerData: unknown) {
    this.#worker = new Worker(workerScript(script, from), { workerData });
    this.#worker.on("message", (reply: Reply<A>) => {
      const waiting = this.#waiting.shift();
      if ("answer" in reply) waiting?.resolve(reply.answer);
      else
        waiting?.reject(
          reply.name === "StriateError" ? new StriateError(reply.error) : new Error(reply.error),
        );
    });
    this.#worker.on("error", (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("exit", () => {
      this.#fail(new ThreadEndedError("a worker thread ended before it had answered"));
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }

  /** Number of requests that are not answered yet. */
  get pending(): number {
    return this.#waiting.length;
  }

  /**
   * Sends a request and returns its answer.
   *
   * @param transfer memory that moves to the thread instead of being copied
   */
  ask(request: Q, transfer: readonly Transferable[] = []): Promise<A> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  /** Ends the thread. Requests that are not answered yet fail. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

/**
 * Answers the requests that a thread gets, in their order. Called once, by the script of the thread.
 *
 * @param memory the memory of an answer, which moves to the main thread instead of being copied
 */
export function answerRequests<A>(
  answer: (request: never) => A | Promise<A>,
  memory: (answer: A) => readonly ArrayBuffer[],
): void {
  let before: Promise<void> = Promise.resolve();
  parentPort?.on("message", (request: unknown) => {
    before = before.then(async () => {
      try {
        const found = await answer(request as never);
        parentPort?.postMessage({ answer: found } satisfies Reply<A>, memory(found));
      } catch (error) {
        const { message, name } = error instanceof Error ? error : new Error(String(error));
        parentPort?.postMessage({ error: message, name } satisfies Reply<A>);
      }
    });
  });
}
