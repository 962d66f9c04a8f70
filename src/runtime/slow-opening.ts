/** Milliseconds after which a user hears why nothing happens. */
const SAID_AFTER = 10_000;

/** Options of functions that open graphs. */
export interface OpeningOptions {
  /**
   * Is told if a graph takes long to open. Default: `console.warn`. A runtime that blocks its thread, such as
   * `nodeRuntime`, leaves no time to tell it; `workerRuntime` does.
   */
  readonly onWarning?: (message: string) => void;
}

/**
 * Waits for a graph that is traced and opened, and says so once if that takes long: nothing else tells a user that the
 * program is not stuck. ONNX Runtime takes minutes for graphs of tens of thousands of nodes.
 *
 * @param after milliseconds after which to say it
 */
export async function sayIfSlow<T>(
  opening: Promise<T>,
  say: (line: string) => void = console.warn,
  after = SAID_AFTER,
): Promise<T> {
  const timer = setTimeout(() => {
    say(
      `Opening the graph takes long (${Math.round(after / 1000)} seconds so far): every timestep adds its nodes to it. ` +
        `It is opened once; fewer timesteps or a smaller network open faster.`,
    );
  }, after);
  try {
    return await opening;
  } finally {
    clearTimeout(timer);
  }
}
