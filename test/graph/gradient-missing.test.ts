import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import { constant, gradients, input, mul, scope, sum, topK } from "../../src/graph/index.js";
import type { GradientRule } from "../../src/graph/operator.js";
import { apply, defineOperator } from "../../src/graph/operator.js";

/* Operators with rules that say too little: nothing may become 0 because of that. */

function define(type: string, gradient: GradientRule): (a: Tensor, b: Tensor) => Tensor[] {
  defineOperator({
    type,
    infer: ({ inputs }) => [0, 1].map(() => ({ dtype: inputs[0]!.dtype, shape: inputs[0]!.shape })),
    gradient,
  });
  return (a, b) => scope("here", () => apply(type, [a, b], {}, { outputs: 2 }));
}

const forgetful = define("test::ForgetsInput", (call) => [mul(call.dy, call.received(1) ?? 2)]);
const deaf = define("test::ForgetsOutput", (call) => [call.dy, "zero"]);
const failing = define("test::Fails", (call) => [mul(call.dy, constant([1, 2, 3])), "zero"]);
const honest = define("test::SaysZero", (call) => [call.dy, call.received(1) ?? "zero"]);

const a = input("a", [2]);
const b = input("b", [2]);

describe("a rule that does not say what it should", () => {
  it("is an error for an operand that is differentiated, and names operator, operand and place", () => {
    const [y] = forgetful(a, b);
    expect(() => gradients(y!, [b])).toThrow(
      /^operator test::ForgetsInput has no gradient rule for its input 1, b float32\[2\] \(used in here/,
    );
    expect(() => gradients(y!, [mul(b, 2), a])).not.toThrow();
  });

  it("is an error for a result whose gradient it does not take", () => {
    const [first, second] = deaf(a, b);
    expect(() => gradients([first!, second!], [a])).toThrow(
      /^operator test::ForgetsOutput has no gradient rule for its output 1 \(used in here/,
    );
    expect(() => gradients(second!, [a])).toThrow(/no gradient rule for its output 1 alone \(used in here/);
    expect(() => gradients(first!, [a])).not.toThrow();
  });

  it("says zero where it means it", () => {
    const [first, second] = honest(a, b);
    const [db] = gradients(first!, [b]);
    expect(db!.node.type).toBe("Expand");
    expect(() => gradients([first!, second!], [a, b])).not.toThrow();
  });
});

describe("errors while differentiating", () => {
  it("of a rule name the node that it differentiates", () => {
    const [y] = failing(a, b);
    expect(() => gradients(y!, [a])).toThrow(
      /^Mul\(.*\): the shapes do not broadcast \(in the gradient of test::Fails in here/,
    );
  });

  it("tell a gradient of the wrong type from a missing one", () => {
    expect(() => gradients(mul(a, b), [a], { seeds: [input("s", [2], "float64")] })).toThrow(
      /expected a gradient of the type and rank of .*, got s float64\[2\]/,
    );
  });

  it("refuse what holds no floating-point numbers", () => {
    const { indices } = topK(a, 1);
    expect(() => gradients(sum(a), [indices])).toThrow(
      /no gradient for .* it holds no floating-point values/,
    );
  });
});
