import { check } from "../util/errors.js";

/**
 * Finds the number of a true segment for every found label: pairs are made from the largest intersection over union downwards,
 * background included; found segments without a partner get numbers after the true ones, the largest first. Pixels that the
 * truth ignores (labels below 0) have no say.
 *
 * @throws StriateError if there are not as many found as true pixels
 * @example
 * const partners = matchLabels(truth, found);
 * const image = labelMap({ height, width, labels: found.map((label) => partners.get(label)!) });
 */
export function matchLabels(truth: ArrayLike<number>, found: ArrayLike<number>): Map<number, number> {
  check(
    truth.length === found.length,
    () => `segments: expected masks of one size, got ${truth.length} true and ${found.length} found pixels`,
  );
  const sizes = { true: new Map<number, number>(), found: new Map<number, number>() };
  const both = new Map<string, { readonly own: number; readonly other: number; count: number }>();
  const countUp = (counts: Map<number, number>, label: number) =>
    counts.set(label, (counts.get(label) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    const [own, other] = [truth[i]!, found[i]!];
    countUp(sizes.found, other);
    if (own < 0) continue;
    countUp(sizes.true, own);
    const key = `${own},${other}`;
    const pair = both.get(key) ?? { own, other, count: 0 };
    pair.count += 1;
    both.set(key, pair);
  }
  const overlap = ({ own, other, count }: { own: number; other: number; count: number }) =>
    count / (sizes.true.get(own)! + sizes.found.get(other)! - count);
  const partners = new Map<number, number>();
  const taken = new Set<number>();
  for (const { own, other } of [...both.values()].sort((a, b) => overlap(b) - overlap(a))) {
    if (taken.has(own) || partners.has(other)) continue;
    partners.set(other, own);
    taken.add(own);
  }
  let next = Math.max(0, ...sizes.true.keys()) + 1;
  const alone = [...sizes.found].filter(([label]) => !partners.has(label)).sort((a, b) => b[1] - a[1]);
  for (const [label] of alone) partners.set(label, next++);
  return partners;
}
