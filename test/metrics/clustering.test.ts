import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adjustedRandIndex, circularClusters, phaseClusterAri } from "../../src/metrics/index.js";
import { Random } from "../../src/util/random.js";

const labels = (length: number, groups = 4) =>
  fc.array(fc.integer({ min: 0, max: groups - 1 }), { minLength: length, maxLength: length });
const two = fc.integer({ min: 2, max: 40 }).chain((n) => fc.tuple(labels(n), labels(n)));

/** By the definition over all pairs of things instead of the table of counts. */
function byPairs(one: readonly number[], other: readonly number[]): number {
  let [both, first, second, all] = [0, 0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [one[i] === one[j], other[i] === other[j]];
      all++;
      both += a && b ? 1 : 0;
      first += a ? 1 : 0;
      second += b ? 1 : 0;
    }
  }
  const expected = (first * second) / all;
  return first === second && both === first ? 1 : (both - expected) / ((first + second) / 2 - expected);
}

describe("adjusted Rand index", () => {
  it("agrees with its definition over pairs, is symmetric, and at most 1", () => {
    fc.assert(
      fc.property(two, ([one, other]) => {
        const ari = adjustedRandIndex(one, other);
        expect(ari).toBeCloseTo(byPairs(one, other), 10);
        expect(adjustedRandIndex(other, one)).toBeCloseTo(ari, 12);
        expect(ari).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it("is 1 for the same partition under other names, and does not see the order of things", () => {
    fc.assert(
      fc.property(two, fc.integer(), ([one, other], seed) => {
        expect(
          adjustedRandIndex(
            one,
            one.map((label) => (label + 2) % 5),
          ),
        ).toBeCloseTo(1, 12);
        const order = Array.from(new Random(seed).permutation(one.length));
        const shuffled = adjustedRandIndex(
          order.map((i) => one[i]!),
          order.map((i) => other[i]!),
        );
        expect(shuffled).toBeCloseTo(adjustedRandIndex(one, other), 12);
      }),
    );
  });

  it("is about 0 for unrelated labels, and a worked example", () => {
    const random = new Random(1);
    const draw = () => Array.from({ length: 20_000 }, () => random.integer(0, 3));
    expect(Math.abs(adjustedRandIndex(draw(), draw()))).toBeLessThan(0.002);
    // By hand: 2 pairs together in both, 3 and 6 in each, of 15.
    expect(adjustedRandIndex([0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1])).toBeCloseTo(
      (2 - 1.2) / (4.5 - 1.2),
      12,
    );
  });

  it("refuses lists that do not match", () => {
    expect(() => adjustedRandIndex([0], [0, 1])).toThrow(/got 1 and 2/);
    expect(() => adjustedRandIndex([], [])).toThrow(/one length/);
    expect(() => adjustedRandIndex([-1], [0])).toThrow(
      "adjusted Rand index: labels: expected whole numbers from 0 to 65535, got -1 at position 0",
    );
  });
});

describe("circular clusters", () => {
  it("find bunches wherever they lie, whole turns apart or across the seam", () => {
    const bunches = fc.record({
      k: fc.integer({ min: 2, max: 4 }),
      turn: fc.double({ min: -20, max: 20, noNaN: true }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(bunches, ({ k, turn, seed }) => {
        const random = new Random(seed);
        const truth = Array.from({ length: 60 }, (_, i) => i % k);
        const angles = truth.map(
          (group) =>
            turn +
            (2 * Math.PI * group) / k +
            (random.uniform() - 0.5) * 0.9 +
            2 * Math.PI * random.integer(-2, 3),
        );
        expect(adjustedRandIndex(circularClusters(angles, k), truth)).toBeCloseTo(1, 12);
      }),
    );
  });

  it("reach the best arcs for two clusters nearly always", () => {
    const random = new Random(4);
    let worse = 0;
    for (let trial = 0; trial < 40; trial++) {
      const centre = random.uniform() * 6;
      const angles = Array.from(
        { length: 50 },
        (_, i) => centre + (i % 3 === 0 ? 1.5 : 0) + 0.6 * random.normal(),
      );
      const found = agreement(angles, circularClusters(angles, 2));
      const best = bestArcs(angles);
      expect(found).toBeLessThanOrEqual(best + 1e-9);
      if (found < best - 0.3) worse++;
    }
    expect(worse).toBeLessThanOrEqual(2);
  });

  it("refuse phases that are not finite", () => {
    expect(() => circularClusters([0, NaN], 2)).toThrow(
      "circular clusters: phases: expected finite numbers, got NaN at position 1",
    );
    expect(() => circularClusters([0], 0)).toThrow(/1 to 255/);
  });
});

/** Sum over groups of |sum of exp(i angle)|, what k-means maximises. */
function agreement(angles: readonly number[], groups: ArrayLike<number>): number {
  const [x, y] = [
    [0, 0],
    [0, 0],
  ];
  angles.forEach((angle, i) => {
    x[groups[i]!]! += Math.cos(angle);
    y[groups[i]!]! += Math.sin(angle);
  });
  return Math.hypot(x[0]!, y[0]!) + Math.hypot(x[1]!, y[1]!);
}

function bestArcs(angles: readonly number[]): number {
  const wrapped = angles.map(
    (angle) => ((angle % 6.283185307179586) + 6.283185307179586) % 6.283185307179586,
  );
  const sorted = [...wrapped].sort((a, b) => a - b);
  let best = 0;
  for (let from = 0; from < sorted.length; from++) {
    for (let size = 0; size < sorted.length; size++) {
      const groups = sorted.map((_, i) => ((i - from + sorted.length) % sorted.length < size ? 0 : 1));
      best = Math.max(best, agreement(sorted, groups));
    }
  }
  return best;
}

describe("clusters of phases against masks", () => {
  const pixels = 6;
  const masks = [1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1];
  const input = { masks, batch: 1, channels: 1, maskChannels: 3, pixels };

  it("is 1 where objects have phases of their own, and silent units have no say", () => {
    const phases = [0, 1, 1.1, 4, 4.1, 1];
    const amplitudes = [1, 1, 1, 1, 1, 0];
    expect([...phaseClusterAri({ ...input, phases, amplitudes })]).toEqual([1]);
    const active = phaseClusterAri({ ...input, phases, amplitudes: [1, 1, 1, 1, 1, 1] });
    expect(active[0]).toBeLessThan(1);
  });

  it("is NaN with one object, and takes the background as a group when asked", () => {
    const phases = [2, 0, 0.1, 4, 4.1, 4];
    const amplitudes = [1, 1, 1, 0, 0, 0];
    expect(phaseClusterAri({ ...input, phases, amplitudes })[0]).toBeNaN();
    expect(phaseClusterAri({ ...input, phases, amplitudes }, { background: true })[0]).toBe(1);
  });

  it("leaves out shared pixels", () => {
    const shared = [...masks, 0, 0, 0, 0, 0, 0];
    const phases = [0, 1, 1.1, 4, 4.1, 4];
    const amplitudes = [1, 1, 1, 1, 1, 1];
    const options = { ...input, masks: shared, maskChannels: 4, phases, amplitudes };
    expect([...phaseClusterAri(options, { overlapChannel: true })]).toEqual([1]);
    expect(() => phaseClusterAri({ ...input, masks: shared, phases, amplitudes })).toThrow(
      "phase clusters: masks: expected 18 values, got 24",
    );
  });
});
