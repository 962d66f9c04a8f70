import { SingleBar } from "cli-progress";
import { describeProgress, formatDuration } from "../train/progress.js";
import type { ProgressEvent } from "../train/progress.js";

export interface ProgressRenderer {
  /** Shows where the task stands. Cheap: call it at every step. */
  update(event: ProgressEvent): void;
  /** Prints a line (a warning, a result) without disturbing the bar. */
  note(line: string): void;
  /** Shows the last event once more and gives the terminal free. May be called twice. */
  stop(): void;
}

export interface ProgressRendererOptions {
  /** What is in progress: "KomplexNet, seed 1". */
  readonly label: string;
  /** Default `process.stderr`, so that results on standard output stay clean. */
  readonly stream?: NodeJS.WriteStream;
  /** Seconds between lines where the output is no terminal. Default 5. */
  readonly lineSeconds?: number;
  /** Milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** A progress bar on a terminal; elsewhere (a log, CI) a plain line now and then, at the start and at the end. */
export function createProgressRenderer(options: ProgressRendererOptions): ProgressRenderer {
  const stream = options.stream ?? process.stderr;
  return stream.isTTY
    ? renderBar(options.label, stream)
    : renderLines(options.label, stream, options.lineSeconds ?? 5, options.now ?? (() => performance.now()));
}

function renderLines(
  label: string,
  stream: NodeJS.WriteStream,
  lineSeconds: number,
  now: () => number,
): ProgressRenderer {
  const began = now();
  let last: ProgressEvent | undefined;
  let shown: ProgressEvent | undefined;
  let shownAt = -Infinity;
  let open = true;
  const show = (event: ProgressEvent): void => {
    const percent = event.steps > 0 ? Math.floor((100 * event.step) / event.steps) : 100;
    stream.write(`${label}: ${String(percent).padStart(3)} % · ${describeProgress(event)}\n`);
    shown = event;
    shownAt = now();
  };
  return {
    update(event) {
      if (!open) return;
      last = event;
      if (now() - shownAt >= lineSeconds * 1000) show(event);
    },
    note(line) {
      stream.write(`${line}\n`);
    },
    stop() {
      if (!open) return;
      open = false;
      if (last !== undefined && shown !== last) show(last);
      if (last !== undefined) stream.write(`${label}: ${formatDuration((now() - began) / 1000)} in all\n`);
    },
  };
}

const showCursor = "\u001b[?25h";

function renderBar(label: string, stream: NodeJS.WriteStream): ProgressRenderer {
  const bar = new SingleBar({
    stream,
    format: (_options, params, payload: { event?: ProgressEvent }) =>
      formatBar(label, params.progress, payload.event, stream.columns),
    fps: 10,
    hideCursor: true,
    // Ctrl-C is the command's to handle: it saves a checkpoint, then stops the bar.
    gracefulExit: false,
    emptyOnZero: true,
  });
  const restoreCursor = (): void => {
    stream.write(showCursor);
  };
  let open = true;
  let started = false;
  return {
    update(event) {
      if (!open) return;
      if (!started) {
        started = true;
        process.once("exit", restoreCursor);
        bar.start(event.steps, event.step, { event });
      }
      bar.setTotal(event.steps);
      bar.update(event.step, { event });
    },
    note(line) {
      // Erases the bar's line; the bar is drawn again below.
      stream.write(open && started ? `\r\u001b[K${line}\n` : `${line}\n`);
    },
    stop() {
      if (!open) return;
      open = false;
      if (started) bar.stop();
      process.removeListener("exit", restoreCursor);
    },
  };
}

/** One line of at most `columns` characters: the label, a bar where there is room for one, and the figures. */
export function formatBar(
  label: string,
  fraction: number,
  event: ProgressEvent | undefined,
  columns: number,
): string {
  const figures = event === undefined ? "" : describeProgress(event);
  const percent = `${String(Math.floor(100 * fraction)).padStart(3)} %`;
  const room = Math.min(30, columns - `${label}  ${percent} · ${figures}`.length - 2);
  const filled = Math.round(Math.max(0, room) * fraction);
  const bar = room < 5 ? "" : `${"█".repeat(filled)}${"░".repeat(room - filled)} `;
  return `${label} ${bar}${percent} · ${figures}`.slice(0, columns - 1);
}
