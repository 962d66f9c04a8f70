import { signal } from "@preact/signals";

/** Works on one request at a time. Of the requests that arrive meanwhile, only the latest is kept. */
export class LatestOnly<Request> {
  /** Whether a request is being worked on. */
  readonly isBusy = signal(false);
  /** The error that ended the work. After it, requests are ignored. */
  readonly problem = signal<string | undefined>(undefined);
  #wanted: Request | undefined;

  constructor(private readonly work: (request: Request) => Promise<void>) {}

  request(wanted: Request): void {
    this.#wanted = wanted;
    if (!this.isBusy.value && this.problem.value === undefined) void this.#work();
  }

  async #work(): Promise<void> {
    this.isBusy.value = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.work(next);
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
    this.isBusy.value = false;
  }

  #take(): Request | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }
}
