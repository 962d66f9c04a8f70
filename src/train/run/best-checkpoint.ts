/** The checkpoint with the highest score so far. */
export interface BestCheckpoint {
  readonly step: number;
  readonly score: number;
}

/** The better of two checkpoints: the one with the higher score, or the earlier one if the scores are equal. */
export function betterCheckpoint(earlier: BestCheckpoint | undefined, later: BestCheckpoint): BestCheckpoint {
  return earlier === undefined || later.score > earlier.score ? later : earlier;
}
