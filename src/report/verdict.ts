import { average } from "../metrics/statistics.js";
import type { Content, Html } from "./html.js";
import { markup, percent } from "./html.js";

/** Whether measured differences support a claim. */
export type VerdictStatus = "holds" | "reversed" | "undecided";

export interface Judgement {
  readonly status: VerdictStatus;
  readonly mean: number;
  /** Twice the larger of two standard errors: the one over seeds, and the one that does not shrink with more seeds. */
  readonly margin: number;
}

/** The standard error of the mean; 0 for a single value. */
export function standardError(values: readonly number[]): number {
  const n = values.length;
  const mean = average(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0;
}

/**
 * Judges a claim by paired differences, one for each seed. `sharedError` (default 0) is a standard error that more
 * seeds do not reduce, because all seeds use the same test images. A claim holds, or is reversed, only if at least two
 * seeds agree in sign and the mean exceeds the margin.
 */
export function judgeDifferences(differences: readonly number[], sharedError = 0): Judgement {
  const mean = average(differences);
  const margin = 2 * Math.max(standardError(differences), sharedError);
  const agree = differences.length > 1 && differences.every((one) => one * mean > 0);
  const status = !agree || Math.abs(mean) <= margin ? "undecided" : mean > 0 ? "holds" : "reversed";
  return { status, mean, margin };
}

/** The standard error of the difference of two accuracies on `images` test images, treated as independent. */
export function accuracyDifferenceError(one: number, other: number, images: number): number {
  const variance = (p: number): number => (p * (1 - p)) / Math.max(1, images);
  return Math.sqrt(variance(one) + variance(other));
}

const MARKS = { holds: "✓ holds", reversed: "✗ reversed", undecided: "? undecided" } as const;

/** A verdict as a word in a coloured box. Default words: holds, reversed, undecided, each with a sign. */
export function mark({ status }: { readonly status: VerdictStatus }, word: string = MARKS[status]): Html {
  return markup`<span class="mark ${status}">${word}</span>`;
}

/** A verdict on a difference as a mark: better, worse or undecided. */
export function betterMark(status: VerdictStatus): Html {
  return mark({ status }, { undecided: "? undecided", holds: "✓ better", reversed: "✗ worse" }[status]);
}

/** A list of verdicts, each with its mark and a sentence. */
export function verdictList(verdicts: readonly (readonly [mark: Html, sentence: Content])[]): Html {
  return markup`<ul class="verdicts">
    ${verdicts.map(([pill, sentence]) => markup`<li>${pill}<span>${sentence}</span></li>`)}
  </ul>`;
}

/** Formats a difference in percentage points with its sign: `+4.2`, `−0.8`. */
export function points(difference: number): string {
  const text = percent(Math.abs(difference));
  return text === "0.0" ? "0.0" : `${difference < 0 ? "−" : "+"}${text}`;
}
