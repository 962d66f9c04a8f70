/**
 * Number of single-character edits (insertions, deletions, replacements, swaps of neighbours) that turn one
 * word into the other.
 */
export function editDistance(a: string, b: string): number {
  let [older, old] = [[] as number[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          old[j]! + 1,
          row[j - 1]! + 1,
          old[j - 1]! + (same ? 0 : 1),
          swapped ? older[j - 2]! + 1 : Infinity,
        ),
      );
    }
    [older, old] = [old, row];
  }
  return old[b.length]!;
}

/**
 * The candidate that was probably meant; undefined if none is similar. Case is ignored, and at most a third
 * of the candidate's letters may differ.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: editDistance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** The message for a name that is not among the known ones, with a suggestion if one is similar. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const near = closest(name, known);
  const expected = known.length === 0 ? "none exists yet" : `expected one of ${known.join(", ")}`;
  return `unknown ${what} "${name}": ${expected}${near === undefined ? "" : ` (did you mean ${near}?)`}`;
}
