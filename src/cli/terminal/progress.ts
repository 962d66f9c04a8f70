import { describeProgress, formatDuration } from "../../train/progress.js";
import type { ProgressEvent } from "../../train/progress.js";

/** Shows the progress of several tasks that run at the same time. */
export interface Progress {
  /**
   * Updates a task. The first call begins the task, and the event of its last step ends it. Calls are cheap.
   */
  update(task: string, event: ProgressEvent): void;
  /** Prints a line (a warning, a result) above the bars. */
  note(line: string): void;
  /** Shows the last events and releases the terminal. May be called twice. */
  stop(): void;
}

export interface ProgressOptions {
  /** Stream for the progress. Default `process.stderr`, so that standard output contains only results. */
  readonly stream?: NodeJS.WriteStream;
  /** Seconds between the lines of a task if the output is not a terminal. Default 5. */
  readonly lineSeconds?: number;
  /** The current time in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

interface TaskState {
  readonly began: number;
  event: ProgressEvent;
}

/**
 * Shows a bar for each task on a terminal; elsewhere (a log, CI) plain lines at the start, at intervals, and at the
 * end.
 */
export function createProgress(options: ProgressOptions = {}): Progress {
  const { stream = process.stderr, lineSeconds = 5, now = () => performance.now() } = options;
  const view = stream.isTTY ? new Bars(stream, now) : new Lines(stream, now, lineSeconds * 1000);
  const tasks = new Map<string, TaskState>();
  const done = new Set<string>();
  const end = (task: string, state: TaskState): void => {
    tasks.delete(task);
    done.add(task);
    view.end(task, state, tasks);
  };
  let open = true;
  return {
    update(task, event) {
      if (!open || done.has(task)) return;
      const state = tasks.get(task) ?? { began: now(), event };
      state.event = event;
      tasks.set(task, state);
      if (event.step >= event.steps) end(task, state);
      else view.show(task, state, tasks);
    },
    note(line) {
      view.note(line, tasks);
    },
    stop() {
      if (!open) return;
      open = false;
      for (const [task, state] of tasks) end(task, state);
      view.close();
    },
  };
}

type Tasks = ReadonlyMap<string, TaskState>;

interface View {
  show(task: string, state: TaskState, tasks: Tasks): void;
  note(line: string, tasks: Tasks): void;
  /** `tasks` are the tasks that are still running. */
  end(task: string, state: TaskState, tasks: Tasks): void;
  close(): void;
}

function summaryOf(task: string, { began, event }: TaskState, now: number): string {
  return `${task}: ${percentOf(event)} · ${describeProgress(event)} · ${formatDuration((now - began) / 1000)} in all`;
}

function percentOf({ step, steps }: ProgressEvent): string {
  return `${String(steps > 0 ? Math.floor((100 * step) / steps) : 100).padStart(3)} %`;
}

class Lines implements View {
  readonly #shownAt = new Map<string, number>();

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly now: () => number,
    private readonly every: number,
  ) {}

  show(task: string, { event }: TaskState): void {
    const time = this.now();
    if (time - (this.#shownAt.get(task) ?? -Infinity) < this.every) return;
    this.#shownAt.set(task, time);
    this.note(`${task}: ${percentOf(event)} · ${describeProgress(event)}`);
  }

  note(line: string): void {
    this.stream.write(`${line}\n`);
  }

  end(task: string, state: TaskState): void {
    this.note(summaryOf(task, state, this.now()));
  }

  close(): void {
    this.#shownAt.clear();
  }
}

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_BELOW = "\u001b[J";
const REDRAW_MS = 100;

/** The tasks' bars are the last lines on the screen; finished tasks and notes become lines above them. */
class Bars implements View {
  #drawn = 0;
  #drawnAt = -Infinity;
  #active = false;
  readonly #restoreCursor = (): void => {
    this.stream.write(SHOW_CURSOR);
  };

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly now: () => number,
  ) {}

  show(_task: string, _state: TaskState, tasks: Tasks): void {
    if (this.#drawn === tasks.size && this.now() - this.#drawnAt < REDRAW_MS) return;
    this.#draw([], tasks);
  }

  note(line: string, tasks: Tasks): void {
    this.#draw([line], tasks);
  }

  end(task: string, state: TaskState, tasks: Tasks): void {
    this.#draw([summaryOf(task, state, this.now())], tasks);
  }

  close(): void {
    if (!this.#active) return;
    this.#active = false;
    process.removeListener("exit", this.#restoreCursor);
    this.#restoreCursor();
  }

  #draw(above: readonly string[], tasks: Tasks): void {
    if (!this.#active && tasks.size > 0) {
      this.#active = true;
      // A second Ctrl-C ends the process without a call of close().
      process.once("exit", this.#restoreCursor);
      this.stream.write(HIDE_CURSOR);
    }
    const back = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}F${CLEAR_BELOW}`;
    const bars = Array.from(tasks, ([task, { event }]) => formatBar(task, event, this.stream.columns));
    this.stream.write(back + [...above, ...bars].map((line) => `${line}\n`).join(""));
    this.#drawn = bars.length;
    this.#drawnAt = this.now();
  }
}

/** One line of less than `columns` characters: the label, a bar if there is room, and the figures. */
export function formatBar(label: string, event: ProgressEvent, columns: number): string {
  const figures = `${percentOf(event)} · ${describeProgress(event)}`;
  const room = Math.min(30, columns - `${label}  ${figures}`.length - 2);
  const fraction = event.steps > 0 ? event.step / event.steps : 1;
  const filled = Math.round(Math.max(0, room) * fraction);
  const bar = room < 5 ? "" : `${"█".repeat(filled)}${"░".repeat(room - filled)} `;
  return `${label} ${bar}${figures}`.slice(0, Math.max(0, columns - 1));
}
