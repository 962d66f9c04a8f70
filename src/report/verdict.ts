import type { Judgement, VerdictStatus } from "../metrics/judgement.js";
import type { Content, Html } from "./html.js";
import { markup, percent } from "./html.js";

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

/** The size of a judged difference in percentage points, with half of its 95 % interval: "+4.2 ± 10.8 points". */
export function sizeText({ mean, margin }: Judgement): string {
  return Number.isNaN(margin) ? `${points(mean)} points` : `${points(mean)} ± ${percent(margin)} points`;
}

/** Why a difference is undecided and what would decide it, as a sentence; empty if it is decided. */
export function undecidedText({ status, seeds, mean, margin, seedsNeeded }: Judgement): string {
  if (status !== "undecided") return "";
  if (seeds === 1) return "One seed cannot show how much seeds differ.";
  if (seedsNeeded !== undefined)
    return `${seeds} seeds do not decide it; ${seedsNeeded} would, if mean and spread stayed as they are.`;
  return Math.abs(mean) < margin / 10
    ? "The difference is close to 0, and no number of seeds would decide it."
    : "More seeds alone would not decide it: it needs more test images, too.";
}

/** A sentence on a difference, followed by why it is undecided, if it is. */
export function withReason(sentence: string, judged: Judgement): string {
  const reason = undecidedText(judged);
  return reason === "" ? sentence : `${sentence} ${reason}`;
}

/** How every verdict is made, for the notes below tables. */
export const HOW_JUDGED =
  "The networks of one seed form a pair. A claim holds, or is reversed, if the 95 % interval of the mean difference leaves out 0. The interval joins the error over seeds (Student’s t) and the error over the test images, which all seeds share.";
