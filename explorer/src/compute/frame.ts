/** Units of KomplexNet's first layer. */
export const FIELD = { channels: 8, height: 32, width: 32 } as const;

/** One timestep of the networks on one image. */
export interface Frame {
  /** Radians, [8, 32, 32]. */
  readonly phases: Float32Array;
  /** [8, 32, 32]. */
  readonly amplitudes: Float32Array;
  /** Logits [10] of each network. */
  readonly logits: {
    readonly kuramoto: Float32Array;
    readonly random: Float32Array;
    readonly real: Float32Array;
  };
  /** Milliseconds that KomplexNet's timestep took; absent if the frame was recorded. */
  readonly milliseconds?: number;
}

export interface StepRequest {
  /** [32, 32], 0 to 1. */
  readonly pixels: Float32Array;
  readonly rate: number;
  readonly repulsion: number;
  /** Begins again with phases drawn from this seed; absent: goes on from the phases of the step before. */
  readonly seed?: number;
}

export interface LabFacts {
  readonly device: string;
  /** Milliseconds until the first step could run. */
  readonly opened: number;
  /** From the cards: set accuracy in percent on clean test images. */
  readonly accuracy: { readonly kuramoto: number; readonly random: number; readonly real: number };
}
