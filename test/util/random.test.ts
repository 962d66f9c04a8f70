import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/util/random.js";

const draws = (random: Random, n: number): number[] => Array.from({ length: n }, () => random.uniform());

describe("Random", () => {
  it("repeats itself from the same seed, number or string, and differs between seeds", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer(), fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })),
        (seed) => {
          expect(draws(new Random(seed), 5)).toEqual(draws(new Random(seed), 5));
        },
      ),
    );
    const firsts = new Set(Array.from({ length: 20_000 }, (_, seed) => new Random(seed).uniform()));
    expect(firsts.size).toBe(20_000);
    expect(draws(new Random(1), 3)).not.toEqual(draws(new Random("1"), 3));
  });

  it("keeps its numbers from version to version", () => {
    const random = Random.derive(1, "golden", 2);
    expect(random.state()).toMatchInlineSnapshot(`
      [
        1996440471,
        75382290,
        -1807558153,
        -592218890,
      ]
    `);
    expect(draws(random, 2)).toMatchInlineSnapshot(`
      [
        0.2985345126581296,
        0.9483737105681371,
      ]
    `);
  });

  it("derives streams by label lists that cannot run into each other", () => {
    const lists: (string | number)[][] = [
      [],
      ["a"],
      ["a", 2],
      ["a2"],
      ["a", "2"],
      [2, "a"],
      ["", "a"],
      ["a", ""],
      [0],
      [0, 0],
    ];
    const states = lists.map((labels) =>
      Random.derive(7, ...labels)
        .state()
        .join(),
    );
    expect(new Set(states).size).toBe(lists.length);
    expect(Random.derive(7).state()).toEqual(new Random(7).state());
    expect(Random.derive(0, -0).state()).toEqual(Random.derive(0, 0).state());
  });

  it("gives uncorrelated streams for neighbouring labels", () => {
    const n = 20_000;
    let flips = 0;
    let covariance = 0;
    let previous = Random.derive(3, "stream", 0);
    let previousDraw = previous.uniform();
    for (let i = 1; i <= n; i++) {
      const next = Random.derive(3, "stream", i);
      flips += next
        .state()
        .reduce((sum, word, k) => sum + bitCount(word ^ Random.derive(3, "stream", i - 1).state()[k]!), 0);
      const draw = next.uniform();
      covariance += (draw - 0.5) * (previousDraw - 0.5);
      previous = next;
      previousDraw = draw;
    }
    expect(flips / n / 128).toBeCloseTo(0.5, 2);
    // Standard deviation of the mean covariance is (1/12)/sqrt(n) = 0.0006.
    expect(Math.abs(covariance / n)).toBeLessThan(0.003);
  });

  it("spreads every bit of the hash evenly when any bit of the seed changes", () => {
    const base = 123456;
    const states = Array.from({ length: 30 }, (_, bit) => new Random(base ^ (1 << bit)).state());
    const origin = new Random(base).state();
    for (const state of states) {
      const flips = state.reduce((sum, word, k) => sum + bitCount(word ^ origin[k]!), 0);
      expect(flips).toBeGreaterThan(35);
      expect(flips).toBeLessThan(93);
    }
  });

  it("resumes from its state, also through JSON", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(50), (seed, skip) => {
        const random = new Random(seed);
        draws(random, skip);
        const resumed = Random.fromState(JSON.parse(JSON.stringify(random.state())) as number[]);
        expect(resumed.fillNormal(new Float32Array(7))).toEqual(random.fillNormal(new Float32Array(7)));
      }),
    );
    for (const bad of [[], [1, 2, 3], [0, 0, 0, 0], [1.5, 0, 0, 0], [2 ** 40, 0, 0, 1], [1, 2, 3, 4, 5]]) {
      expect(() => Random.fromState(bad)).toThrow(/random state: expected four/);
    }
  });

  it("fills float32 uniforms in [0, 1) with the right moments", () => {
    const values = new Random(1).fillUniform(new Float32Array(400_000));
    let [sum, squares, max, min] = [0, 0, 0, 1];
    for (const value of values) {
      sum += value;
      squares += value * value;
      max = Math.max(max, value);
      min = Math.min(min, value);
    }
    const mean = sum / values.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(squares / values.length - mean * mean).toBeCloseTo(1 / 12, 3);
    expect(max).toBeLessThan(1);
    expect(max).toBeGreaterThan(0.9999);
    expect(min).toBeGreaterThanOrEqual(0);
  });

  it("never reaches the upper end of a range after rounding to float32", () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        (a, b) => {
          fc.pre(a !== b && Number.isFinite(Math.abs(a - b)));
          const [low, high] = a < b ? [a, b] : [b, a];
          for (const value of new Random(1).fillUniform(new Float32Array(64), low, high)) {
            expect(value).toBeGreaterThanOrEqual(low);
            expect(value).toBeLessThan(high);
          }
        },
      ),
    );
    const narrow = new Random(2).fillUniform(new Float32Array(100), 1, 1 + 2 ** -23);
    expect(new Set(narrow)).toEqual(new Set([1]));
    expect(() => new Random(1).fillUniform(new Float32Array(1), 1, 1 + 1e-12)).toThrow(
      /same number in float32/,
    );
  });

  it("fills normals with the right moments, also for odd lengths", () => {
    const values = new Random(4).fillNormal(new Float32Array(400_001), 2, 3);
    let [m1, m2, m4] = [0, 0, 0];
    for (const value of values) {
      const z = (value - 2) / 3;
      m1 += z;
      m2 += z * z;
      m4 += z ** 4;
    }
    expect(Math.abs(m1 / values.length)).toBeLessThan(0.008);
    expect(m2 / values.length).toBeCloseTo(1, 1);
    expect(Math.abs(m4 / values.length - 3)).toBeLessThan(0.1);
    expect(values[400_000]).not.toBe(0);
    const random = new Random(5);
    const single = Array.from({ length: 50_000 }, () => random.normal());
    expect(Math.abs(single.reduce((a, b) => a + b) / single.length)).toBeLessThan(0.025);
  });

  it("draws whole numbers evenly", () => {
    const counts = new Array<number>(7).fill(0);
    const random = new Random(6);
    for (let i = 0; i < 70_000; i++) counts[random.integer(-3, 4) + 3]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it("permutes: every number once, every order reachable", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(200), (seed, n) => {
        const order = new Random(seed).permutation(n);
        expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
    const random = new Random(8);
    const seen = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = random.shuffle([0, 1, 2, 3]).join("");
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  });

  it("names bad arguments", () => {
    const random = new Random(1);
    expect(() => new Random(NaN)).toThrow(/finite number, got NaN/);
    expect(() => random.integer(2, 2)).toThrow(/low < high, got 2 and 2/);
    expect(() => random.uniformRange(0, Infinity)).toThrow(/finite low < high/);
    expect(() => random.permutation(-1)).toThrow(/whole number of items, got -1/);
    expect(() => random.fillNormal(new Float32Array(1), 0, -1)).toThrow(/deviation >= 0/);
  });
});

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
