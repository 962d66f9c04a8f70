import { checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/** A merge of two clusters. */
export interface Merge {
  /** Some point of the first cluster, and some point of the second. */
  readonly first: number;
  readonly second: number;
  /** The distance between the two clusters. */
  readonly height: number;
}

/**
 * Agglomerative clustering with average linkage (UPGMA; Sokal & Michener 1958) and Euclidean distances: each point
 * starts as a cluster, and the two clusters with the smallest mean distance between their points are merged until one
 * is left. The nearest-neighbour chain (Murtagh 1983) finds this tree in time and memory O(count^2).
 *
 * `points` are `[count, dims]`. Returns count - 1 merges in ascending order of height. Throws `StriateError` for wrong
 * lengths and numbers that are not finite.
 */
export function averageLinkage(points: ArrayLike<number>, count: number, dims: number): Merge[] {
  check(
    Number.isInteger(count) && Number.isInteger(dims) && count > 0 && points.length === count * dims,
    () => `clustering: expected ${count} points of ${dims} numbers, got ${points.length} numbers`,
  );
  const distances = euclideanDistances(points, count, dims);
  const sizes = new Float64Array(count).fill(1);
  const merges: Merge[] = [];
  // Each cluster is named by one of its points. A name whose size is 0 is no longer in use.
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
      // If distances are equal, the previous cluster of the chain wins, so that the chain ends.
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
  // The sort is stable, so among merges of equal height, one comes after the merges that formed its clusters.
  return merges.sort((a, b) => a.height - b.height);
}

/** Merges the second cluster into the first: distances become means weighted by size (Lance & Williams 1967). */
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

/** Distances `[count, count]` from sums of squared differences; |a|^2 + |b|^2 - 2ab would cancel for close points. */
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
 * Cuts a tree into at most `clusters` clusters, at the smallest height that gives no more than that. All merges up to
 * that height are applied, so merges of equal height may leave fewer clusters. Labels are 1, 2, ... in the order of
 * each cluster's first point.
 *
 * @throws StriateError for a number of clusters that is not positive.
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

/** Labels 1, 2, ... of points `[count, dims]` in at most `clusters` clusters; see {@link averageLinkage}. */
export function agglomerativeClusters(
  points: ArrayLike<number>,
  count: number,
  dims: number,
  clusters: number,
): Int32Array {
  return cutTree(averageLinkage(points, count, dims), clusters);
}
