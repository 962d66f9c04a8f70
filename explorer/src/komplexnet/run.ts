import { computed, signal } from "@preact/signals";
import type { KomplexNetState } from "./state.js";
import type { Frame, LabFacts, StepRequest } from "../compute/frame.js";

/** Something that answers requests for timesteps: the worker, or a recording. */
export interface Networks {
  open(): Promise<LabFacts>;
  step(request: StepRequest): Promise<Frame>;
}

/**
 * One run of KomplexNet on one image: the frames of the timesteps so far, and a clock that plays them. The same image,
 * settings and random seed give the same frames, so that a run can be replayed and scrubbed.
 */
export class Run {
  readonly frames = signal<readonly Frame[]>([]);
  /** Position of the clock: timestep 1 is the first, and a fraction is between two timesteps. */
  readonly time = signal(0);
  readonly isPlaying = signal(true);
  readonly facts = signal<LabFacts | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  /** The timestep that the clock is approaching or has reached; 0 at the start. */
  readonly timestep = computed(() => Math.ceil(this.time.value));
  /** The frame of `timestep`, or the first frame at the start. */
  readonly current = computed(() => this.frames.value[Math.max(0, this.timestep.value - 1)]);

  #generation = 0;
  #ended = 0;

  #networks: Networks | undefined;

  constructor(
    readonly start: () => Networks,
    readonly settings: () => KomplexNetState,
  ) {}

  async open(): Promise<void> {
    try {
      this.#networks = this.start();
      this.facts.value = await this.#networks.open();
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /**
   * Starts again with an image. Frames of the previous image that are still being computed are dropped. A recording of
   * the same run is shown immediately, and computed frames replace it without a break.
   */
  restart(pixels: Float32Array, recording: readonly Frame[] = []): void {
    this.#generation++;
    const isShown = recording.length > 0 && this.frames.value === recording;
    if (!isShown) {
      this.frames.value = recording;
      this.time.value = 0;
      this.#ended = 0;
    }
    void this.#compute(this.#generation, pixels);
  }

  async #compute(generation: number, pixels: Float32Array): Promise<void> {
    const networks = this.#networks;
    if (networks === undefined || this.facts.value === undefined) return;
    const { timesteps, rate, repulsion, seed } = this.settings();
    const isRecorded = this.frames.value.length > 0;
    const frames: Frame[] = [];
    try {
      for (let t = 0; t < timesteps; t++) {
        frames.push(await networks.step({ pixels, rate, repulsion, ...(t === 0 && { seed }) }));
        if (generation !== this.#generation) return;
        if (!isRecorded || t === timesteps - 1) this.frames.value = [...frames];
      }
    } catch (error) {
      this.problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** Advances the clock by some seconds; at the end, it waits two seconds and plays the run again. */
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
