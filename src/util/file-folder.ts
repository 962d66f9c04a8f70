import { StriateError } from "./errors.js";

export interface FileReadOptions {
  /** What the file is, for messages: "checkpoint", "ONNX model". */
  readonly what: string;
  /** Larger files are refused before reading. */
  readonly maxBytes: number;
  /** Whether a file of 0 bytes is fine; default false. */
  readonly mayBeEmpty?: boolean;
}

/**
 * A folder of files, on disk or in a browser's storage. Every method throws a {@link StriateError} that names the file and
 * has the system's error as its cause.
 */
export interface FileFolder {
  readonly path: string;
  /** The path of a file in the folder, for messages. */
  file(name: string): string;
  /** The files' names; none if there is no folder. */
  list(): Promise<string[]>;
  /** A whole file; undefined if there is none. */
  read(name: string, options: FileReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes a whole file: readers see its old content or the new, never a part. */
  write(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** A file that is not there is fine. `what` names it in messages: "old checkpoint". */
  remove(name: string, what: string): Promise<void>;
  rename(name: string, to: string, what: string): Promise<void>;
}

/** Whether an error says that a file cannot be opened, rather than that its content is wrong. */
export function isOpeningFailure(error: unknown): boolean {
  if (!(error instanceof StriateError)) return true;
  const { cause } = error;
  return cause instanceof DOMException || (cause instanceof Error && typeof codeOf(cause) === "string");
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
