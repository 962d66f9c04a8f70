import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/index.js";
import { add, input, mul, sum, tensorData, writeOnnx } from "../../src/graph/index.js";
import { parallelRuntime } from "../../src/runtime/parallel-node.js";

const values = ({ data }: TensorData): number[] => Array.from(data as Float32Array);
const rows = (count: number): TensorData =>
  tensorData(
    Array.from({ length: 2 * count }, (_, i) => i),
    [count, 2],
  );

/** y = s x + b, row by row. */
function scaled(): Uint8Array {
  const x = input("x", ["batch", 2]);
  return writeOnnx({ y: add(mul(x, input("s", [])), input("b", ["batch", 2])) }).bytes;
}

const feeds = (count: number) => ({ x: rows(count), b: rows(count), s: tensorData([10], []) });
const expected = (count: number): number[] => values(rows(count)).map((value) => 11 * value);

describe("batches in pieces", () => {
  it.each([
    [undefined, 1],
    [undefined, 7],
    [3, 7],
    [3, 9],
  ])("of %s give what one run gives: %i samples", async (piece, count) => {
    const session = await parallelRuntime(piece === undefined ? {} : { piece }).createSession(scaled(), {
      threads: 2,
    });
    const { y } = await session.run(feeds(count));
    expect(y!.shape).toEqual([count, 2]);
    expect(values(y!)).toEqual(expected(count));
    const into = tensorData(new Float32Array(2 * count), [count, 2]);
    const again = await session.run(feeds(count), { y: into });
    expect(again.y).toBe(into);
    expect(values(into)).toEqual(expected(count));
    await session.close();
  });

  it("go through models of a fixed batch", async () => {
    const model = writeOnnx({ y: mul(input("x", [2, 2]), 3) }).bytes;
    const session = await parallelRuntime({ piece: 2 }).createSession(model, { threads: 2 });
    const { y } = await session.run({ x: rows(8) });
    expect(values(y!)).toEqual(values(rows(8)).map((value) => 3 * value));
    await session.close();
  });

  it("refuse what they cannot cut, and go on after an error", async () => {
    const session = await parallelRuntime().createSession(scaled(), { threads: 2 });
    await expect(session.run({ ...feeds(4), b: rows(3) })).rejects.toThrow(
      'expected 4 samples in "b" as in "x", got 3',
    );
    await expect(session.run({ x: rows(4), b: rows(4) })).rejects.toThrow("missing s");
    const small = tensorData(new Float32Array(4), [2, 2]);
    await expect(session.run(feeds(4), { y: small })).rejects.toThrow('no room for "y" in a float32[2, 2]');
    expect(values((await session.run(feeds(4))).y!)).toEqual(expected(4));
    await session.close();
  });

  it("refuse results without samples, wrong models and wrong pieces", async () => {
    const total = writeOnnx({ y: sum(input("x", ["batch", 2])) }).bytes;
    const session = await parallelRuntime().createSession(total, { threads: 2 });
    await expect(session.run({ x: rows(4) })).rejects.toThrow('"y" has no samples along its first axis');
    await session.close();
    await expect(parallelRuntime().createSession(new Uint8Array([1, 2]), { threads: 2 })).rejects.toThrow();
    expect(() => parallelRuntime({ piece: 0 })).toThrow("expected a whole number of samples, got 0");
  });
});
