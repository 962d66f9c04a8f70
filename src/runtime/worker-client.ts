import { StriateError } from "../util/errors.js";
import { ortError } from "./ort-error.js";
import { modelBytes } from "./runtime.js";
import type { Device, ModelSource, Program, ProgramSpec, Session, SessionOptions } from "./runtime.js";
import type { Channel, OpenFacts, WorkerReply, WorkerRequest } from "./worker-messages.js";

/** A channel to a worker, with events about the worker itself. */
export interface WorkerChannel extends Channel {
  /** Registers a listener, which is called if the worker cannot be loaded, fails or ends unexpectedly. */
  onFailure(listener: (error: Error) => void): void;
  end(): Promise<unknown>;
  /**
   * Called with true when the client begins to wait for an answer, and with false when the last answer has
   * arrived.
   */
  busy?(isBusy: boolean): void;
}

/**
 * Sends requests to a worker and returns its answers, so that its sessions and programs behave as if they
 * were in this thread.
 */
export class WorkerClient {
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #next = 0;
  #broken: Error | undefined;

  constructor(private readonly channel: WorkerChannel) {
    channel.listen((message) => {
      const reply = message as WorkerReply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) channel.busy?.(false);
      if ("error" in reply) waiting?.reject(errorOf(reply));
      else waiting?.resolve(reply.value);
    });
    channel.onFailure((error) => {
      this.#break(error);
    });
  }

  /** @param moved buffers of the request that are transferred to the worker instead of copied */
  ask<T>(request: WorkerRequest, moved: readonly ArrayBuffer[] = []): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#broken) {
        reject(this.#broken);
        return;
      }
      const id = this.#next++;
      try {
        this.channel.post({ id, request }, moved);
      } catch (error) {
        reject(ortError("the request cannot be sent to the worker", error));
        return;
      }
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.channel.busy?.(true);
    });
  }

  async openSession(device: Device, model: ModelSource, options: SessionOptions): Promise<Session> {
    const { bytes, owned } = modelBytes(model);
    const moved = owned ? [bytes.buffer as ArrayBuffer] : [];
    const facts = await this.ask<OpenFacts>({ kind: "session", model: bytes, options }, moved);
    const { handle, inputNames = [], outputNames = [] } = facts;
    return {
      device,
      inputNames,
      outputNames,
      run: (feeds) => this.ask({ kind: "run", handle, feeds }),
      close: () => this.ask({ kind: "close", handle }),
    };
  }

  async openProgram(device: Device, spec: ProgramSpec, options: SessionOptions): Promise<Program> {
    const { handle } = await this.ask<OpenFacts>({ kind: "program", spec, options });
    return {
      device,
      step: (feeds) => this.ask({ kind: "step", handle, feeds }),
      readState: () => this.ask({ kind: "readState", handle }),
      writeState: (state) => this.ask({ kind: "writeState", handle, state }),
      close: () => this.ask({ kind: "close", handle }),
    };
  }

  /** Ends the worker. Pending requests fail with an error. */
  async end(): Promise<void> {
    this.#break(new StriateError("the worker was closed"));
    await this.channel.end();
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function errorOf({ error, name, cause }: Extract<WorkerReply, { error: string }>): Error {
  const options = cause === undefined ? {} : { cause: new Error(cause) };
  return name === "StriateError" ? new StriateError(error, options) : new Error(error, options);
}
