import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arraysDataset, sliceDataset, splitDataset, splitIndices, take } from "../../src/data/index.js";

const dataset = (count: number) =>
  arraysDataset({
    x: { data: Float32Array.from({ length: count * 6 }, (_, i) => i), shape: [2, 3] },
    id: { data: Uint8Array.from({ length: count }, (_, i) => i), shape: [] },
  });

describe("arrays data set", () => {
  it("slices and takes whole samples in every field", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(30), fc.nat(30), (count, a, b) => {
        const [start, end] = [Math.min(a, b, count), Math.min(Math.max(a, b), count)];
        const part = sliceDataset(dataset(count), start, end);
        const ids = Array.from(part.fields.id.data);
        expect(ids).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
        expect(Array.from(part.fields.x.data)).toEqual(
          ids.flatMap((id) => [0, 1, 2, 3, 4, 5].map((k) => id * 6 + k)),
        );
        expect(take(dataset(count), ids)).toEqual({ ...part, fields: copy(part.fields) });
        expect(take(dataset(count), end).count).toBe(end);
      }),
    );
  });

  it("splits into parts that share nothing and miss nothing, the same for the same seed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        (n, f, seed) => {
          const [a, b] = splitDataset(dataset(n), f, seed);
          expect(a.count).toBe(Math.round(f * n));
          const ids = [...a.fields.id.data, ...b.fields.id.data];
          expect(ids.sort((p, q) => p - q)).toEqual(Array.from({ length: n }, (_, i) => i));
          expect(Array.from(splitIndices(n, f, seed)[0])).toEqual(Array.from(a.fields.id.data));
        },
      ),
    );
    expect(splitIndices(100, 0.8, 1)).not.toEqual(splitIndices(100, 0.8, 2));
  });

  it("names what does not fit", () => {
    const f32 = (n: number) => new Float32Array(n);
    expect(() => arraysDataset({})).toThrow(/at least one field/);
    expect(() => arraysDataset({ x: { data: f32(5), shape: [2] } })).toThrow(
      /"x": expected whole samples of shape .*, got 5 numbers/,
    );
    expect(() => arraysDataset({ x: { data: f32(4), shape: [2] }, y: { data: f32(3), shape: [] } })).toThrow(
      /"y": expected 2 samples as in "x", got 3/,
    );
    expect(() => arraysDataset({ x: { data: f32(4), shape: [0] } })).toThrow(
      'data set field "x": shape: expected whole numbers of at least 1, got 0 at position 0',
    );
    expect(() => sliceDataset(dataset(3), 2, 4)).toThrow(/end <= 3, got 2 and 4/);
    expect(() => take(dataset(3), [0, 3])).toThrow(
      "take: sample numbers: expected whole numbers from 0 to 2, got 3 at position 1",
    );
    expect(() => splitDataset(dataset(3), 1.5, 1)).toThrow(
      "split: fraction: expected a number from 0 to 1, got 1.5",
    );
  });
});

const copy = ({ x, id }: ReturnType<typeof dataset>["fields"]) => ({
  x: { ...x, data: x.data.slice() },
  id: { ...id, data: id.data.slice() },
});
