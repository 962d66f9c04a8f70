/** Exit status of a process stopped by Ctrl-C, by the convention of shells. */
export const INTERRUPTED = 130;
/** Milliseconds between two looks at whether the event loop runs. */
const BEAT_MS = 100;
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
  /** How many signals one press sends. Default: 2 under npm and the like, otherwise 1. */
  readonly signalsPerPress?: number;
}

/** Listens for Ctrl-C: the first press stops cleanly, the second quits at once. */
export function listenForInterrupt(options: InterruptOptions): Interrupt {
  const { onStop, onQuit, now = () => performance.now() } = options;
  const { signalsPerPress = process.env.npm_config_user_agent === undefined ? 1 : 2 } = options;
  const controller = new AbortController();
  // Signals wait while the event loop is blocked, as by the tracing of a long graph, and then arrive all at once.
  let [beat, blockedUntil] = [now(), -Infinity];
  const heart = setInterval(() => {
    if (now() - beat > SAME_PRESS_MS + BEAT_MS) blockedUntil = now();
    beat = now();
  }, BEAT_MS).unref();
  let [pressedAt, signals, waited] = [-Infinity, 0, false];
  const press = (): void => {
    const first = pressedAt === -Infinity;
    if (now() - pressedAt < SAME_PRESS_MS) {
      signals += 1;
      if (!waited || signals <= signalsPerPress) return;
    } else {
      signals = 1;
      waited = now() - beat > SAME_PRESS_MS || now() - blockedUntil < BEAT_MS;
    }
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
      clearInterval(heart);
      for (const name of SIGNALS) process.off(name, press);
    },
  };
}

/**
 * Listens for Ctrl-C during work that can be continued, and says what happens.
 *
 * @param when when the work stops: "after a checkpoint is written"
 */
export function interruptWork(when: string, note: (line: string) => void): Interrupt {
  return listenForInterrupt({
    onStop: () => {
      note(`Stopping ${when}. Press Ctrl-C again to quit at once.`);
    },
    onQuit: quitAtOnce,
  });
}

/**
 * Ends this process by the signal itself, whose exit status is {@link INTERRUPTED} in shells. `process.exit` would wait
 * for the step that ONNX Runtime computes.
 */
function quitAtOnce(): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, "SIGINT");
}

/** The line after work has stopped. Without a command, the same one continues. */
export function stoppedLine(command?: string): string {
  return command === undefined
    ? "Stopped. To continue, give the same command again.\n"
    : `Stopped. To continue: ${command}\n`;
}
