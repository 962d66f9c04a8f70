import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batches } from "../../src/data/index.js";

const anyOptions = fc
  .record({
    count: fc.integer({ min: 1, max: 60 }),
    batchSize: fc.integer({ min: 1, max: 20 }),
    seed: fc.integer(),
    shuffle: fc.boolean(),
    dropLast: fc.boolean(),
  })
  .filter(({ count, batchSize, dropLast }) => !dropLast || count >= batchSize);

describe("Batches", () => {
  it("shows every sample at most once an epoch, and each exactly once when nothing is dropped", () => {
    fc.assert(
      fc.property(anyOptions, fc.nat(3), (options, epoch) => {
        const batches = [...new Batches(options).epoch(epoch)];
        const seen = batches.flatMap(({ indices }) => [...indices]);
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.every((i) => i < options.count)).toBe(true);
        const { count, batchSize, dropLast } = options;
        expect(seen.length).toBe(dropLast ? count - (count % batchSize) : count);
        expect(batches.slice(0, -1).every(({ indices }) => indices.length === batchSize)).toBe(true);
        batches.forEach((batch, position) => {
          expect(batch).toMatchObject({ epoch, position, step: epoch * batches.length + position });
        });
      }),
    );
  });

  it("resumes at any step with the batches of an uninterrupted run", () => {
    fc.assert(
      fc.property(anyOptions, fc.nat(40), (options, from) => {
        const whole = [...new Batches(options).steps(0, from + 5)];
        expect([...new Batches(options).steps(from, from + 5)]).toEqual(whole.slice(from));
        const jumping = new Batches(options);
        jumping.at(from + 4);
        expect(jumping.at(from)).toEqual(whole[from]);
      }),
    );
  });

  it("shuffles anew in every epoch, by the seed", () => {
    const order = (seed: number, epoch: number): number[] =>
      [...new Batches({ count: 50, batchSize: 10, seed }).epoch(epoch)].flatMap(({ indices }) => [
        ...indices,
      ]);
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
    expect(order(1, 3)).toEqual(order(1, 3));
  });

  it("hands out arrays that are the caller's own", () => {
    const batches = new Batches({ count: 4, batchSize: 2, seed: 1 });
    const kept = Array.from(batches.at(0).indices);
    batches.at(0).indices.fill(9);
    expect(Array.from(batches.at(0).indices)).toEqual(kept);
  });

  it("names what cannot be", () => {
    expect(() => new Batches({ count: 5, batchSize: 6, seed: 1 })).toThrow(
      /expected at least 6 samples for one batch .*, got 5/,
    );
    expect(() => new Batches({ count: 0, batchSize: 1, seed: 1 })).toThrow(
      "batches: count: expected a whole number of at least 1, got 0",
    );
    expect(() => new Batches({ count: 5, batchSize: 1.5, seed: 1 })).toThrow(
      "batches: batchSize: expected a whole number of at least 1, got 1.5",
    );
    expect(() => new Batches({ count: 5, batchSize: 1, seed: 1 }).at(-1)).toThrow(
      "batches: step: expected a whole number from 0 to 9007199254740991, got -1",
    );
  });
});
