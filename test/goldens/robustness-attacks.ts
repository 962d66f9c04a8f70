import type { GoldenKind } from "./harness.js";

export const attackKinds: readonly GoldenKind[] = [];
