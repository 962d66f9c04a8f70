import { expect, it } from "vitest";
import { add, input, relu, reshape, sum, tanh } from "../../src/graph/index.js";
import { peakBytes } from "../../src/graph/peak-bytes.js";

const x = input("x", [100]);

it("frees a result after its last use", () => {
  // Two results of a chain exist at once.
  expect(peakBytes({ y: tanh(tanh(tanh(tanh(x)))) })).toBe(2 * 400);
  // The first result is kept until the sum.
  const first = tanh(x);
  expect(peakBytes({ y: add(tanh(tanh(first)), first) })).toBe(3 * 400);
});

it("keeps outputs, and counts neither inputs nor views", () => {
  expect(peakBytes({ x })).toBe(0);
  // The last output is computed first.
  expect(peakBytes({ y: sum(tanh(x)), kept: relu(x) })).toBe(400 + 400 + 4);
  expect(peakBytes({ kept: relu(x), y: sum(tanh(x)) })).toBe(400 + 4);
  expect(peakBytes({ y: tanh(reshape(tanh(x), [10, 10])) })).toBe(2 * 400);
  expect(peakBytes({ y: tanh(input("open", ["batch", 3])) })).toBeUndefined();
});
