/** What a reader did with a damaged file. All but the first two kinds are faults. */
export interface Outcome {
  readonly kind:
    "read" | "refused" | "other error" | "late error" | "memory" | "open files" | "hang" | "crash";
  /** The message, or what was measured. */
  readonly said?: string;
}

export interface Mutated {
  readonly number: number;
  readonly sample: string;
  /** What was damaged. */
  readonly what: string;
  readonly outcome: Outcome;
}

/** A line of the process that damages and reads. */
export type Report = { readonly ready: readonly string[] } | Mutated | { readonly finished: number };
