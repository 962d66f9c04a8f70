/** Exit status of a process that a user stopped, as shells count it. */
export const INTERRUPTED = 130;
/** Two presses closer than this are one: npm passes a signal on that the terminal has sent already. */
const SAME_PRESS_MS = 400;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Interrupt {
  /** Aborted by the first Ctrl-C (or SIGTERM). */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  dispose(): void;
}

export interface InterruptOptions {
  /** Told at the first press. */
  readonly onStop: () => void;
  /** Called at the second press. */
  readonly onQuit: () => void;
  /** Milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/** First press: stop cleanly. Second press: quit at once. */
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
