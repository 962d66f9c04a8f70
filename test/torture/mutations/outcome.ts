/** What a reader did with a damaged file. All but the first two kinds are faults. */
export interface Outcome {
  readonly kind:
    "read" | "refused" | "other error" | "late error" | "memory" | "open files" | "hang" | "crash";
  /** The message, or what was measured. */
  readonly said?: string;
}

export interface Attempt {
  readonly number: number;
  readonly sample: string;
  /** What was damaged. */
  readonly what: string;
}

export interface Mutated extends Attempt {
  readonly outcome: Outcome;
}

/** A line of the process that damages and reads: an attempt before it is made, and then its outcome. */
export type Report =
  { readonly ready: readonly string[] } | Attempt | Mutated | { readonly finished: number };
