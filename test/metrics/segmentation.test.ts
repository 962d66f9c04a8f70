import { describe, expect, it } from "vitest";
import { boardAccuracy } from "../../src/metrics/board-accuracy.js";
import { agglomerativeClusters, averageLinkage, cutTree } from "../../src/metrics/hierarchical-clustering.js";
import { principalComponents } from "../../src/metrics/principal-components.js";
import { foregroundAri, meanBestOverlap, segmentationScores } from "../../src/metrics/segmentation.js";
import { Random } from "../../src/util/random.js";

describe("foreground ARI", () => {
  it("does not mind names, background and ignored pixels", () => {
    const truth = [0, 0, 1, 1, 2, 2, -1, -1];
    expect(foregroundAri(truth, [5, 9, 7, 7, 3, 3, 1, 2])).toBe(1);
    expect(foregroundAri(truth, [7, 7, 7, 7, 3, 3, 3, 3])).toBe(1);
  });

  it("is 1 without objects, 0 for one object that is split or two that are one", () => {
    expect(foregroundAri([0, 0, -1], [1, 2, 3])).toBe(1);
    expect(foregroundAri([1, 1, 1, 1], [1, 1, 2, 2])).toBe(0);
    expect(foregroundAri([1, 1, 2, 2], [4, 4, 4, 4])).toBe(0);
    expect(foregroundAri([1, 1, 1], [4, 4, 4])).toBe(1);
  });

  it("falls as pixels change sides", () => {
    // Pairs: table [3 1; 0 4], sum 3 + 6 = 9, rows 12, columns 3 + 10 = 13, of 28.
    const expected = (9 - (12 * 13) / 28) / (12.5 - (12 * 13) / 28);
    expect(foregroundAri([1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 1, 2, 2, 2, 2, 2])).toBeCloseTo(expected, 12);
  });
});

describe("mean best overlap", () => {
  it("takes for each object the segment that overlaps most, background included", () => {
    // Object 1: pixels 2-3; segment 1: pixels 0-3, so 2 / 4. Object 2: pixel 4, its own segment.
    expect(meanBestOverlap([0, 0, 1, 1, 2], [1, 1, 1, 1, 2])).toBeCloseTo((0.5 + 1) / 2, 8);
    // Ignored pixels count nowhere.
    expect(meanBestOverlap([-1, -1, 1, 1, 2], [1, 1, 1, 1, 2])).toBeCloseTo(1, 8);
    expect(meanBestOverlap([0, 0, -1], [1, 1, 1])).toBeUndefined();
  });
});

describe("scores of several images", () => {
  it("leave images without objects out of the overlap", () => {
    const truth = Int8Array.from([1, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1, 1]);
    const found = Int32Array.from([3, 3, 4, 4, 1, 2, 3, 4, 1, 1, 2, 2]);
    const scores = segmentationScores(truth, found, 4);
    expect([...scores.foregroundAri]).toEqual([1, 1, 0]);
    expect(scores.meanForegroundAri).toBeCloseTo(2 / 3, 12);
    expect(scores.bestOverlap[1]).toBeNaN();
    expect(scores.meanBestOverlap).toBeCloseTo(0.75, 8);
  });

  it("refuse masks of another size and labels that are no whole numbers", () => {
    expect(() => foregroundAri([1, 2], [1])).toThrow(
      "expected masks of one size, got 2 true and 1 found pixels",
    );
    expect(() => meanBestOverlap([1, 0.5], [1, 1])).toThrow(
      "segmentation: true labels: expected whole numbers, got 0.5 at position 1",
    );
    expect(() => segmentationScores(Int8Array.of(1, 1, 1), Int8Array.of(1, 1, 1), 2)).toThrow(
      "whole images of 2 pixels",
    );
  });
});

/** Joins the two nearest clusters until `clusters` are left, distances from all pairs of points. */
function slowClusters(
  points: Float64Array,
  dims: number,
  clusters: number,
): { groups: number[][]; heights: number[] } {
  const count = points.length / dims;
  const distance = (a: number, b: number) =>
    Math.hypot(...Array.from({ length: dims }, (_, d) => points[a * dims + d]! - points[b * dims + d]!));
  const groups = Array.from({ length: count }, (_, i) => [i]);
  const heights: number[] = [];
  while (groups.length > clusters) {
    let best: [number, number, number] = [0, 0, Infinity];
    for (let a = 0; a < groups.length; a++) {
      for (let b = 0; b < a; b++) {
        const pairs = groups[a]!.flatMap((i) => groups[b]!.map((j) => distance(i, j)));
        const mean = pairs.reduce((x, y) => x + y, 0) / pairs.length;
        if (mean < best[2]) best = [a, b, mean];
      }
    }
    heights.push(best[2]);
    groups[best[1]]!.push(...groups[best[0]]!);
    groups.splice(best[0], 1);
  }
  return { groups, heights };
}

describe("average linkage", () => {
  const random = new Random(5);
  const cloud = (count: number, dims: number) =>
    Float64Array.from({ length: count * dims }, () => random.normal());

  it("gives the tree and the clusters of the definition", () => {
    for (const [count, dims, clusters] of [
      [2, 1, 1],
      [12, 3, 4],
      [25, 2, 3],
      [30, 5, 7],
    ] as const) {
      const points = cloud(count, dims);
      const slow = slowClusters(points, dims, clusters);
      const merges = averageLinkage(points, count, dims);
      expect(merges).toHaveLength(count - 1);
      merges.slice(0, slow.heights.length).forEach(({ height }, i) => {
        expect(height).toBeCloseTo(slow.heights[i]!, 10);
      });
      const labels = cutTree(merges, clusters);
      for (const group of slow.groups) expect(new Set(group.map((i) => labels[i])).size).toBe(1);
      expect(new Set(labels)).toEqual(new Set(Array.from({ length: clusters }, (_, i) => i + 1)));
    }
  });

  it("merges what is equally far together, so there may be fewer clusters", () => {
    // Four points in a row at equal distances: a cut into three joins both pairs.
    const labels = agglomerativeClusters([0, 1, 10, 11], 4, 1, 3);
    expect([...labels]).toEqual([1, 1, 2, 2]);
    expect([...agglomerativeClusters([3, 3, 3], 3, 1, 2)]).toEqual([1, 1, 1]);
    expect([...agglomerativeClusters([3], 1, 1, 2)]).toEqual([1]);
    expect([...agglomerativeClusters([1, 5], 2, 1, 9)]).toEqual([1, 2]);
  });

  it("takes 1,024 points of 128 numbers in less than a second", () => {
    const points = cloud(1024, 128);
    const before = process.cpuUsage();
    agglomerativeClusters(points, 1024, 128, 4);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(1);
  });

  it("refuses what is no list of points", () => {
    expect(() => averageLinkage([1, 2, 3], 2, 2)).toThrow("expected 2 points of 2 numbers, got 3 numbers");
    expect(() => averageLinkage([1, NaN], 2, 1)).toThrow("not finite");
    expect(() => cutTree([], 0)).toThrow("clusters: expected a whole number of at least 1, got 0");
  });
});

describe("principal components", () => {
  it("find the directions of points that lie on a plane, largest variance first", () => {
    const random = new Random(2);
    const [u, v] = [
      [0.6, 0.8, 0],
      [-0.8, 0.6, 0],
    ] as const;
    const along = Array.from({ length: 200 }, () => [3 * random.normal(), random.normal()] as const);
    const points = along.flatMap(([a, b]) => [0, 1, 2].map((d) => 5 + a * u[d]! + b * v[d]!));
    const found = principalComponents(points, 200, 3, 2);
    const column = (k: number) => Array.from({ length: 200 }, (_, i) => found[2 * i + k]!);
    const variance = (x: readonly number[]) => x.reduce((s, value) => s + value * value, 0) / 199;
    expect(column(0).reduce((a, b) => a + b, 0)).toBeCloseTo(0, 8);
    expect(variance(column(0))).toBeGreaterThan(7);
    expect(variance(column(1))).toBeLessThan(1.5);
    expect(column(0).reduce((s, x, i) => s + x * column(1)[i]!, 0)).toBeCloseTo(0, 6);
    // A plane keeps its distances.
    const distance = (x: ArrayLike<number>, dims: number, i: number, j: number) =>
      Math.hypot(...Array.from({ length: dims }, (_, d) => x[i * dims + d]! - x[j * dims + d]!));
    for (let i = 1; i < 50; i++) expect(distance(found, 2, 0, i)).toBeCloseTo(distance(points, 3, 0, i), 8);
    expect(principalComponents(points, 200, 3, 2)).toEqual(found);
  });

  it("refuses too many components, too few points, and NaN", () => {
    expect(() => principalComponents([1, 2], 1, 2, 1)).toThrow("at least two points");
    expect(() => principalComponents([1, 2, 3, 4], 2, 2, 3)).toThrow(
      "PCA: components: expected a whole number from 1 to 2, got 3",
    );
    expect(() => principalComponents([1, NaN], 2, 1, 1)).toThrow("finite numbers");
  });
});

describe("board accuracy", () => {
  const solution = Array.from(
    { length: 81 },
    (_, cell) => ((3 * Math.floor(cell / 9) + Math.floor(cell / 27) + cell) % 9) + 1,
  );
  const logits = (digits: readonly number[]) =>
    digits.flatMap((digit) => Array.from({ length: 9 }, (_, d) => (d + 1 === digit ? 2 : -1)));
  const puzzle = solution.map((digit, cell) => (cell % 2 === 0 ? digit : 0));

  it("counts boards whose blanks are all right, whatever happens to givens", () => {
    const wrongAt = (cell: number) => solution.map((digit, i) => (i === cell ? (digit % 9) + 1 : digit));
    const found = boardAccuracy(
      [solution, wrongAt(4), wrongAt(5)].flatMap(logits),
      [...solution, ...solution, ...solution],
      [...puzzle, ...puzzle, ...puzzle],
    );
    expect(found).toEqual({
      blanks: Int32Array.of(40, 40, 40),
      rightBlanks: Int32Array.of(40, 40, 39),
      solved: Uint8Array.of(1, 1, 0),
      accuracy: 2 / 3,
    });
  });

  it("refuses what is no 9 x 9 board", () => {
    expect(() => boardAccuracy(logits(solution), solution.slice(1), puzzle)).toThrow("boards of 9x9 cells");
    expect(() => boardAccuracy(logits(solution).slice(9), solution, puzzle)).toThrow(
      "got 720 logits, 81 cells of solutions",
    );
    const zero = solution.map((digit, i) => (i === 3 ? 0 : digit));
    expect(() => boardAccuracy(logits(solution), zero, puzzle)).toThrow(
      "board accuracy: cell 3 of the solutions: expected a whole number from 1 to 9, got 0",
    );
    expect(() =>
      boardAccuracy(
        logits(solution).map((v, i) => (i === 9 * 5 ? NaN : v)),
        solution,
        puzzle,
      ),
    ).toThrow("a logit of cell 5 is NaN");
  });
});
