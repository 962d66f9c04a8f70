import type { GoldenKind } from "./harness.js";

/** Data, clustering, segmentation metrics and the whole evaluation. */
export const evaluationKinds: readonly GoldenKind[] = [];
