import { check } from "../util/errors.js";

/**
 * Matches found segments with true segments. Pairs, also with the background, are formed in descending order
 * of intersection over union. Found segments without a partner get labels above the true ones, the largest
 * segment first. Pixels that the truth ignores (labels below 0) do not count as overlap. Returns the matched
 * label for each found label.
 *
 * @throws StriateError if `truth` and `found` differ in length
 * @example
 * ```ts
 * import { matchLabels } from "striate/draw";
 *
 * const partners = matchLabels([1, 1, 2, 2], [7, 7, 5, 5]);
 * console.log(partners.get(7), partners.get(5)); // 1 2
 * ```
 */
export function matchLabels(truth: ArrayLike<number>, found: ArrayLike<number>): Map<number, number> {
  check(
    truth.length === found.length,
    () => `segments: expected masks of one size, got ${truth.length} true and ${found.length} found pixels`,
  );
  const sizes = { true: new Map<number, number>(), found: new Map<number, number>() };
  const pairs = new Map<string, { readonly trueLabel: number; readonly foundLabel: number; count: number }>();
  const countUp = (counts: Map<number, number>, label: number) =>
    counts.set(label, (counts.get(label) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    const [trueLabel, foundLabel] = [truth[i]!, found[i]!];
    countUp(sizes.found, foundLabel);
    if (trueLabel < 0) continue;
    countUp(sizes.true, trueLabel);
    const key = `${trueLabel},${foundLabel}`;
    const pair = pairs.get(key) ?? { trueLabel, foundLabel, count: 0 };
    pair.count += 1;
    pairs.set(key, pair);
  }
  const overlap = ({
    trueLabel,
    foundLabel,
    count,
  }: {
    trueLabel: number;
    foundLabel: number;
    count: number;
  }) => count / (sizes.true.get(trueLabel)! + sizes.found.get(foundLabel)! - count);
  const partners = new Map<number, number>();
  const taken = new Set<number>();
  for (const { trueLabel, foundLabel } of [...pairs.values()].sort((a, b) => overlap(b) - overlap(a))) {
    if (taken.has(trueLabel) || partners.has(foundLabel)) continue;
    partners.set(foundLabel, trueLabel);
    taken.add(trueLabel);
  }
  let next = Math.max(0, ...sizes.true.keys()) + 1;
  const alone = [...sizes.found].filter(([label]) => !partners.has(label)).sort((a, b) => b[1] - a[1]);
  for (const [label] of alone) partners.set(label, next++);
  return partners;
}
