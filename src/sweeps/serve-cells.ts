import type { Experiment, OpenExperiment } from "../experiments/experiment.js";
import { StriateError, check, counted } from "../util/errors.js";
import { errorCode } from "../util/files-node.js";
import type { CellEnd, FromCellProcess, ToCellProcess } from "./cell-messages.js";
import { optionsOf } from "./plan.js";

/**
 * Makes this process compute cells for the worker that started it. The process ends with the worker, however the worker
 * ends.
 *
 * @param find returns the experiment with a name, or throws StriateError
 */
export function serveCells(find: (name: string) => Experiment): void {
  // ONNX Runtime would keep process.exit waiting for the step that it computes.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C reaches all processes of a terminal: the worker says what this one must do.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => undefined);
  let running: AbortController | undefined;
  let open: { readonly what: string; readonly experiment: Promise<OpenExperiment> } | undefined;
  const run = async (
    { run: planned, key, out }: Extract<ToCellProcess, { readonly type: "run" }>,
    signal: AbortSignal,
  ): Promise<CellEnd> => {
    const what = JSON.stringify([planned, out]);
    if (open?.what !== what) {
      const onNote = (line: string): void => {
        send({ type: "note", line });
      };
      const options = optionsOf(planned, out, new AbortController().signal, onNote);
      open = { what, experiment: find(planned.experiment).open(options) };
    }
    let experiment: OpenExperiment;
    try {
      experiment = await open.experiment;
      check(
        experiment.cells.some((cell) => cell.key === key),
        () =>
          `${planned.experiment}: expected the cells of the sweep in its plan on this machine, found only ` +
          `${counted(experiment.cells.length, "cell")} of it; are all its data sets here?`,
      );
      if (!(await experiment.prepare(signal))) return { kind: "stopped" };
    } catch (error) {
      open = undefined;
      return { kind: "unable", message: messageOf(error) };
    }
    const description = await experiment.runCell(key, {
      signal,
      onProgress: (part, event) => {
        send({ type: "progress", part, event });
      },
    });
    return description === undefined ? { kind: "stopped" } : { kind: "finished", description };
  };
  process.on("message", (message: ToCellProcess) => {
    if (message.type === "stop") {
      running?.abort();
      return;
    }
    running = new AbortController();
    run(message, running.signal).then(
      (end) => {
        send({ type: "end", end });
      },
      (error: unknown) => {
        open = undefined;
        const kind = isOfThisMachine(error) ? "unable" : "failed";
        send({ type: "end", end: { kind, message: messageOf(error) } });
      },
    );
  });
}

/** Errors of the file system that another machine may not have. */
const OF_THIS_MACHINE: readonly (string | undefined)[] = ["ENOSPC", "EDQUOT", "EROFS", "EMFILE", "EFBIG"];

function isOfThisMachine(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return OF_THIS_MACHINE.includes(errorCode(error)) || isOfThisMachine(error.cause);
}

function messageOf(error: unknown): string {
  if (error instanceof StriateError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return `${error.message} (unexpected: this is a bug in Striate${place === undefined ? "" : `, ${place.trim()}`})`;
}

function send(message: FromCellProcess): void {
  // After a disconnect the process is about to end.
  if (process.connected) process.send!(message, () => undefined);
}
