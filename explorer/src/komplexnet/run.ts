import { computed, signal } from "@preact/signals";
import type { ExplorerState } from "../address.js";
import type { Frame, LabFacts, StepRequest } from "../compute/frame.js";

/** What the networks answer to requests: the worker, or what was recorded. */
export interface Networks {
  open(): Promise<LabFacts>;
  step(request: StepRequest): Promise<Frame>;
}

/**
 * One run of KomplexNet on one image: frames of the timesteps so far, and a clock that plays them. The same image, settings and
 * seed give the same frames, so that a run can be replayed and scrubbed.
 */
export class Run {
  readonly frames = signal<readonly Frame[]>([]);
  /** Where the clock stands: timestep 1 is the first; a fraction lies between two timesteps. */
  readonly time = signal(0);
  readonly isPlaying = signal(true);
  readonly facts = signal<LabFacts | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  /** The frame at or before the clock. */
  readonly current = computed(() => this.frames.value[Math.max(0, Math.ceil(this.time.value) - 1)]);

  #generation = 0;
  #pixels: Float32Array | undefined;
  #ended = 0;

  constructor(
    readonly networks: Networks,
    readonly settings: () => ExplorerState,
  ) {}

  async open(): Promise<void> {
    try {
      this.facts.value = await this.networks.open();
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** Begins again with an image. Frames that are still under way for the one before are dropped. */
  restart(pixels: Float32Array): void {
    this.#pixels = pixels;
    this.#generation++;
    this.frames.value = [];
    this.time.value = 0;
    this.#ended = 0;
    void this.#compute(this.#generation);
  }

  async #compute(generation: number): Promise<void> {
    const pixels = this.#pixels;
    if (pixels === undefined || this.facts.value === undefined) return;
    const { timesteps, rate, repulsion, seed } = this.settings();
    try {
      for (let t = 0; t < timesteps && generation === this.#generation; t++) {
        const frame = await this.networks.step({ pixels, rate, repulsion, ...(t === 0 && { seed }) });
        if (generation === this.#generation) this.frames.value = [...this.frames.value, frame];
      }
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** Moves the clock by some seconds; at the end it waits two seconds and plays again. */
  advance(seconds: number): void {
    if (!this.isPlaying.value) return;
    const { speed, timesteps } = this.settings();
    const end = this.frames.value.length;
    const next = this.time.value + seconds * speed;
    if (next < end) this.time.value = next;
    else {
      this.time.value = end;
      if (end < timesteps) return;
      this.#ended += seconds;
      if (this.#ended > 2) {
        this.#ended = 0;
        this.time.value = 0;
      }
    }
  }

  /** Stops the clock at a timestep. */
  seek(timestep: number): void {
    this.isPlaying.value = false;
    this.time.value = Math.min(this.frames.value.length, Math.max(0, timestep));
  }
}

/** Calls `tick` with the seconds since the last frame while the page is visible; returns the end of it. */
export function everyFrame(tick: (seconds: number) => void): () => void {
  let last = performance.now();
  let request = requestAnimationFrame(function frame(now) {
    tick(Math.min(0.25, (now - last) / 1000));
    last = now;
    request = requestAnimationFrame(frame);
  });
  return () => {
    cancelAnimationFrame(request);
  };
}
