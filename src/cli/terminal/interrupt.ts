/** Exit status of a process stopped by Ctrl-C, by the convention of shells. */
export const INTERRUPTED = 130;
/** Two signals within this time count as one press: npm forwards a signal that the terminal has already sent. */
const SAME_PRESS_MS = 400;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Interrupt {
  /** Aborted by the first Ctrl-C (or SIGTERM). */
  readonly signal: AbortSignal;
  /** Stops listening for the signals. */
  dispose(): void;
}

export interface InterruptOptions {
  /** Called at the first press. */
  readonly onStop: () => void;
  /** Called at the second press. */
  readonly onQuit: () => void;
  /** The current time in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Listens for Ctrl-C: the first press stops cleanly, the second quits at once. */
export function listenForInterrupt(options: InterruptOptions): Interrupt {
  const { onStop, onQuit, now = () => performance.now() } = options;
  const controller = new AbortController();
  let pressedAt = -Infinity;
  const press = (): void => {
    if (now() - pressedAt < SAME_PRESS_MS) return;
    const first = pressedAt === -Infinity;
    pressedAt = now();
    if (!first) {
      onQuit();
      return;
    }
    onStop();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, press);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, press);
    },
  };
}
