/**
 * Pauses a training run between two steps, and continues it. It is passed to the training function as an
 * option, much as an abort signal is.
 */
export class PauseController {
  #paused = false;
  readonly #waiting = new Set<() => void>();

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const goOn of this.#waiting) goOn();
    this.#waiting.clear();
  }

  /** Waits until the pause is over or `signal` is aborted. */
  async ended(signal?: AbortSignal): Promise<void> {
    if (!this.#paused || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      signal?.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
}
