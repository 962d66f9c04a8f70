import type { ProgramSpec, SessionOptions, Values } from "./runtime.js";

/**
 * One end of the channel between a thread and its worker. Workers in Node and in browsers have this interface
 * in common.
 */
export interface Channel {
  /** Sends a message. The buffers in `moved` are transferred: afterwards they belong to the other side. */
  post(message: unknown, moved?: readonly ArrayBuffer[]): void;
  listen(listener: (message: unknown) => void): void;
}

/** A request of a thread to its worker. `handle` identifies a session or program that the worker has opened. */
export type WorkerRequest =
  | { readonly kind: "start"; readonly setup: unknown }
  | { readonly kind: "session"; readonly model: Uint8Array; readonly options: SessionOptions }
  | { readonly kind: "program"; readonly spec: ProgramSpec; readonly options: SessionOptions }
  | { readonly kind: "run"; readonly handle: number; readonly feeds: Values }
  | { readonly kind: "step"; readonly handle: number; readonly feeds: Values }
  | { readonly kind: "readState"; readonly handle: number }
  | { readonly kind: "writeState"; readonly handle: number; readonly state: Values }
  | { readonly kind: "close"; readonly handle: number };

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | {
      readonly id: number;
      readonly error: string;
      readonly name: string;
      /** Message of the error's cause. */
      readonly cause?: string;
    };

/** What a worker reports about a session or program that it has opened. */
export interface OpenFacts {
  readonly handle: number;
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
}

/**
 * Places of counters that a process shares with a worker of Node: the requests that the worker computes, and whether
 * the process ends, so that the worker may begin nothing.
 */
export const [BUSY, ENDING] = [0, 1] as const;
