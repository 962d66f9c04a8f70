import { expect, it } from "vitest";
import { add, gradients, input, mul, relu, sum, tensorData } from "../../src/graph/index.js";
import { substitute } from "../../src/graph/substitute.js";
import { numbers, runGraph } from "../support/run.js";

it("puts one value in place of another, also in the gradient", async () => {
  const x = input("x", [3]);
  const y = mul(relu(x), 3);
  const z = input("z", [3]);
  const { y: replaced } = substitute({ y }, new Map([[x, add(mul(z, 2), 1)]]));
  const [dz] = gradients(sum(replaced!), [z]);
  const results = await runGraph({ y: replaced!, dz: dz! }, { z: tensorData([-2, 0, 1]) });
  expect(numbers(results.y)).toEqual([0, 3, 9]);
  expect(numbers(results.dz)).toEqual([0, 6, 6]);
});

it("works shapes out anew, leaves what does not depend on it, and keeps outputs that are replaced", () => {
  const [x, other] = [input("x", ["batch", 2]), input("other", [2])];
  const y = relu(other);
  const fixed = input("fixed", [5, 2]);
  const made = substitute({ sum: add(x, y), y, x }, new Map([[x, fixed]]));
  expect(made.sum!.shape).toEqual([5, 2]);
  expect(made.y).toBe(y);
  expect(made.x).toBe(fixed);
});

it("refuses a value of another type or rank", () => {
  const x = input("x", [2, 2]);
  expect(() => substitute({ y: relu(x) }, new Map([[x, input("z", [4])]]))).toThrow(
    "cannot put float32[4] in place of float32[2, 2]",
  );
});
