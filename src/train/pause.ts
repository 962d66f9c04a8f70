/** Halts training between two steps and lets it go on, as an AbortController ends it. */
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

  /** Waits until the pause is over, or until the signal ends the run. */
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
