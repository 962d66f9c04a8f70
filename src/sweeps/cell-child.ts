import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProgressEvent } from "../train/progress.js";
import type { CellEnd, FromCellProcess, ToCellProcess } from "./cell-messages.js";
import type { SweepRun } from "./plan.js";

/** How the process of a cell has ended without a word from the cell. */
export interface Crash {
  readonly kind: "crashed";
  readonly message: string;
}

export interface CellRunning {
  /** Asks the cell to write a checkpoint and to stop. */
  stop(): void;
  readonly end: Promise<CellEnd | Crash>;
}

/**
 * A process that computes one cell after another. ONNX Runtime blocks the event loop of its process, so a worker, which must
 * renew its lease of the cell all the time, computes no cell in its own process.
 */
export class CellChild {
  #process: ChildProcess | undefined;

  /** @param entry the file that the process runs */
  constructor(private readonly entry: URL = new URL("./cell-process.js", import.meta.url)) {}

  /** Runs a cell. The process starts at the first call, and again after it has crashed. */
  run(
    given: { readonly run: SweepRun; readonly key: string; readonly out: string },
    onProgress: (part: string, event: ProgressEvent) => void,
    onNote: (line: string) => void,
  ): CellRunning {
    const child = (this.#process ??= this.#start());
    let errors = "";
    const keepErrors = (chunk: Buffer): void => {
      errors = `${errors}${chunk.toString()}`.slice(-4096);
    };
    const end = new Promise<CellEnd | Crash>((resolve) => {
      const finish = (result: CellEnd | Crash): void => {
        child.off("message", listen);
        child.off("close", closed);
        child.stderr?.off("data", keepErrors);
        resolve(result);
      };
      const listen = (message: FromCellProcess): void => {
        if (message.type === "progress") onProgress(message.part, message.event);
        else if (message.type === "note") onNote(message.line);
        else finish(message.end);
      };
      const closed = (status: number | null, signal: NodeJS.Signals | null): void => {
        if (this.#process === child) this.#process = undefined;
        const last = errors.trim().split("\n").at(-1) ?? "";
        const how = signal === null ? `with the exit status ${status!}` : `by ${signal}`;
        const memory = signal === "SIGKILL" ? "; was the memory used up?" : "";
        const message = `the process of the cell was ended ${how}${last === "" ? memory : `: ${last}`}`;
        finish({ kind: "crashed", message });
      };
      child.on("message", listen);
      child.on("close", closed);
      child.stderr?.on("data", keepErrors);
    });
    tell(child, { type: "run", ...given });
    return {
      stop: () => {
        tell(child, { type: "stop" });
      },
      end,
    };
  }

  /** Ends the process at once; a cell that it computes has then crashed. */
  kill(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(this.entry), [], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    // An error while starting is followed by "close".
    child.on("error", () => undefined);
    child.stderr?.resume();
    return child;
  }
}

function tell(child: ChildProcess, message: ToCellProcess): void {
  if (child.connected) child.send(message, () => undefined);
}
