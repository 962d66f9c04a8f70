import { StriateError } from "../errors.js";

export interface FileReadOptions {
  /** The kind of file for error messages: "checkpoint", "ONNX model". */
  readonly what: string;
  /** Largest accepted size in bytes; larger files are not read. */
  readonly maxBytes: number;
  /** Whether a file of 0 bytes is accepted. Default false. */
  readonly mayBeEmpty?: boolean;
}

/**
 * A folder of files, on disk or in a browser's storage. Every method throws a {@link StriateError} that names the file
 * and has the system's error as its `cause`.
 */
export interface FileFolder {
  readonly path: string;
  /** The path of a file in the folder, for messages. */
  file(name: string): string;
  /** The names of the files, or an empty list if the folder does not exist. */
  list(): Promise<string[]>;
  /** Reads a whole file; undefined if it does not exist. */
  read(name: string, options: FileReadOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Reads the first `bytes` bytes of a file, or fewer if it is shorter; undefined if it does not exist. */
  readStart(name: string, bytes: number, what: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes a whole file. Readers see the old content or the new, but never a part of it. */
  write(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void>;
  /** Removes a file; a missing file is not an error. `what` names the kind of file in messages: "old checkpoint". */
  remove(name: string, what: string): Promise<void>;
  rename(name: string, to: string, what: string): Promise<void>;
}

/** Whether an error means that a file cannot be opened, rather than that its content is wrong. */
export function isOpeningFailure(error: unknown): boolean {
  if (!(error instanceof StriateError)) return true;
  const { cause } = error;
  return cause instanceof DOMException || (cause instanceof Error && typeof codeOf(cause) === "string");
}

function codeOf(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}
