/** Shape of the units of KomplexNet's first layer. */
export const FIELD = { channels: 8, height: 32, width: 32 } as const;

/** The networks' state and logits at one timestep for one image. */
export interface Frame {
  /** Phases in radians, [8, 32, 32]. */
  readonly phases: Float32Array;
  /** Amplitudes, [8, 32, 32]. */
  readonly amplitudes: Float32Array;
  /** Logits [10] of each network. */
  readonly logits: {
    readonly kuramoto: Float32Array;
    readonly random: Float32Array;
    readonly real: Float32Array;
  };
  /** Duration of KomplexNet's timestep in milliseconds; absent if the frame was recorded. */
  readonly milliseconds?: number;
}

export interface StepRequest {
  /** Image [32, 32], 0 to 1. */
  readonly pixels: Float32Array;
  readonly rate: number;
  readonly repulsion: number;
  /**
   * Random seed of the initial phases, to start again; if absent, the network continues from the phases of the previous
   * timestep.
   */
  readonly seed?: number;
}

export interface LabFacts {
  readonly device: string;
  /** Milliseconds until the first timestep could run. */
  readonly opened: number;
  /** Set accuracy in percent on clean test images, from the cards. */
  readonly accuracy: { readonly kuramoto: number; readonly random: number; readonly real: number };
}
