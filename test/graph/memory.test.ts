import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { conv, gradients, input, lower, sum, writeOnnx } from "../../src/graph/index.js";

it("lets go of a graph that was lowered, though constants of its lowering are kept for the next", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const make = () => {
    const [x, w] = [input("x", [16, 64, 8, 8]), input("w", [64, 64, 3, 3])];
    const [dw] = gradients(sum(conv(x, w, undefined, { padding: 1 })), [w]);
    const lowered = lower({ dw: dw! }, "cpu");
    expect(writeOnnx(lowered).bytes.length).toBeGreaterThan(1000);
    return [w, dw!, lowered.dw!].map(({ node }) => new WeakRef(node));
  };
  const nodes = make();
  await new Promise((resolve) => setTimeout(resolve, 10));
  collect();
  expect(nodes.map((node) => node.deref()?.type)).toEqual([undefined, undefined, undefined]);
});
