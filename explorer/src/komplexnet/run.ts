import { computed, signal } from "@preact/signals";
import { Clock } from "../parts/clock.js";
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
  /** Its positions are timesteps. The first frame belongs to timestep 1. */
  readonly clock: Clock;
  readonly facts = signal<LabFacts | undefined>(undefined);
  readonly problem = signal<string | undefined>(undefined);
  /** The timestep that the clock is approaching or has reached; 0 at the start. */
  readonly timestep = computed(() => Math.ceil(this.clock.time.value));
  /** The frame of `timestep`, or the first frame at the start. */
  readonly current = computed(() => this.frames.value[Math.max(0, this.timestep.value - 1)]);

  #generation = 0;
  #networks: Networks | undefined;

  constructor(
    readonly start: () => Networks,
    readonly settings: () => KomplexNetState,
  ) {
    this.clock = new Clock({
      end: () => this.frames.value.length,
      isWhole: () => this.frames.value.length >= settings().timesteps,
      speed: () => settings().speed,
    });
  }

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
      this.clock.rewind();
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
}
