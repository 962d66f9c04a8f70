import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** A merge of two clusters. */
export interface Merge {
  /** The index of any one point of the first cluster, and of any one point of the second. */
  readonly first: number;
  readonly second: number;
  /** The distance between the two clusters. */
  readonly height: number;
}

/**
 * Clusters points by agglomeration with average linkage (UPGMA; Sokal & Michener 1958) and Euclidean
 * distances. Each point starts as a cluster of its own. At each merge, the two clusters whose points have the
 * smallest mean distance become one, until a single cluster is left. The nearest-neighbour chain (Murtagh
 * 1983) finds this tree in time and memory O(count^2).
 *
 * `points` has the shape `[count, dims]`. Returns count - 1 merges in ascending order of height. Throws
 * `StriateError` if the length of `points` does not match or a number is not finite.
 */
export function averageLinkage(points: ArrayLike<number>, count: number, dims: number): Merge[] {
  check(
    Number.isInteger(count) && Number.isInteger(dims) && count > 0 && points.length === count * dims,
    () => `clustering: expected ${count} points of ${dims} numbers, got ${points.length} numbers`,
  );
  const distances = euclideanDistances(points, count, dims);
  const sizes = new Float64Array(count).fill(1);
  const merges: Merge[] = [];
  // The index of a cluster is the index of one of its points. If its size is 0, the index is no longer in
  // use.
  const chain: number[] = [];
  let start = 0;
  while (merges.length < count - 1) {
    if (chain.length === 0) {
      while (sizes[start] === 0) start++;
      chain.push(start);
    }
    for (;;) {
      const tip = chain[chain.length - 1]!;
      const before = chain[chain.length - 2];
      // If distances are equal, prefer the previous cluster of the chain; otherwise the chain might never
      // end.
      let nearest = before ?? -1;
      let smallest = before === undefined ? Infinity : distances[tip * count + before]!;
      const row = tip * count;
      for (let other = 0; other < count; other++) {
        if (sizes[other] === 0 || other === tip) continue;
        const distance = distances[row + other]!;
        if (distance < smallest) [nearest, smallest] = [other, distance];
      }
      if (nearest === before) {
        chain.length -= 2;
        merges.push({ first: tip, second: nearest, height: smallest });
        join(distances, sizes, count, tip, nearest);
        break;
      }
      chain.push(nearest);
    }
  }
  // The sort is stable. So a merge still comes after the merges that formed its two clusters, even at equal
  // height.
  return merges.sort((a, b) => a.height - b.height);
}

/**
 * Merges the second cluster into the first. Its distance to each other cluster becomes the mean of the two
 * old distances, weighted by cluster size (Lance & Williams 1967).
 */
function join(
  distances: Float64Array,
  sizes: Float64Array,
  count: number,
  first: number,
  second: number,
): void {
  const [a, b] = [sizes[first]!, sizes[second]!];
  for (let other = 0; other < count; other++) {
    if (sizes[other] === 0 || other === first || other === second) continue;
    const distance =
      (a * distances[first * count + other]! + b * distances[second * count + other]!) / (a + b);
    distances[first * count + other] = distance;
    distances[other * count + first] = distance;
  }
  sizes[first] = a + b;
  sizes[second] = 0;
}

/**
 * Computes all distances, `[count, count]`, from sums of squared differences. |a|^2 + |b|^2 - 2ab would lose
 * its digits to cancellation if points are close.
 */
function euclideanDistances(points: ArrayLike<number>, count: number, dims: number): Float64Array {
  const values = Float64Array.from(points);
  const distances = new Float64Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      let sum = 0;
      for (let i = a * dims, j = b * dims; i < (a + 1) * dims; i++, j++) {
        const difference = values[i]! - values[j]!;
        sum += difference * difference;
      }
      check(Number.isFinite(sum), () => `clustering: point ${a} or ${b} has numbers that are not finite`);
      distances[a * count + b] = distances[b * count + a] = Math.sqrt(sum);
    }
  }
  return distances;
}

/**
 * Cuts a tree into at most `clusters` clusters, at the smallest height at which no more than that many are
 * left. All merges up to and including that height are applied, so if several merges have that height, fewer
 * clusters may be left. Clusters are labelled 1, 2, ... in the order of their first points.
 *
 * @throws StriateError if `clusters` is not a positive whole number.
 */
export function cutTree(merges: readonly Merge[], clusters: number): Int32Array {
  checkWhole("clustering: clusters", clusters);
  const count = merges.length + 1;
  const parent = Int32Array.from({ length: count }, (_, i) => i);
  const rootOf = (point: number): number => {
    let root = point;
    while (parent[root] !== root) root = parent[root]!;
    while (parent[point] !== root) [point, parent[point]] = [parent[point]!, root];
    return root;
  };
  const needed = Math.max(0, count - clusters);
  const height = needed === 0 ? -Infinity : merges[needed - 1]!.height;
  for (const merge of merges) {
    if (merge.height > height) break;
    parent[rootOf(merge.first)] = rootOf(merge.second);
  }
  const numbers = new Map<number, number>();
  return Int32Array.from({ length: count }, (_, point) => {
    const root = rootOf(point);
    const label = numbers.get(root) ?? numbers.size + 1;
    numbers.set(root, label);
    return label;
  });
}

/**
 * Clusters points `[count, dims]` into at most `clusters` clusters and returns the label of each point, 1, 2,
 * ...; see {@link averageLinkage}.
 */
export function agglomerativeClusters(
  points: ArrayLike<number>,
  count: number,
  dims: number,
  clusters: number,
): Int32Array {
  return cutTree(averageLinkage(points, count, dims), clusters);
}
