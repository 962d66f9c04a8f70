import type { ProgramSpec, SessionOptions, Values } from "./runtime.js";

/**
 * One end of the line between a thread and a worker of its own: what the workers of Node and those of browsers have in
 * common.
 */
export interface Channel {
  /** Sends a message. Buffers that are `moved` belong to the other side afterwards. */
  post(message: unknown, moved?: readonly ArrayBuffer[]): void;
  listen(listener: (message: unknown) => void): void;
}

/** What a thread asks of its worker. `handle` names a session or a program that the worker has opened. */
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
      /** What the cause of the error says. */
      readonly cause?: string;
    };

/** What is known of a session or program when it is open. */
export interface OpenFacts {
  readonly handle: number;
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
}
