import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/graph/index.js";
import {
  add,
  cast,
  constant,
  gradients,
  input,
  lower,
  matmul,
  mul,
  recomputable,
  sum,
  tanh,
  tensorData,
  timestep,
  topologicalOrder,
  writeOnnx,
} from "../../src/graph/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { Random } from "../../src/util/random.js";

/** The gradients of a loop of `steps` timesteps, lowered for the CPU, by their names. */
function loop(steps: number, recompute: boolean): Record<string, Tensor> {
  const [x, w, bias] = [input("x", [2, 3]), input("w", [3, 3]), input("bias", [2, 3])];
  const shared = recomputable(() => tanh(bias));
  let state = recomputable(() => tanh(x));
  let total: Tensor = constant(0);
  for (let t = 0; t < steps; t++) {
    state = timestep(`t${t}`, () => tanh(add(tanh(matmul(state, w)), shared)));
    total = add(total, sum(mul(state, state)));
  }
  const [dx, dw, dBias] = gradients(total, [x, w, bias], { recompute });
  return lower({ total, dx: dx!, dw: dw!, dBias: dBias! }, "cpu");
}

const SHAPES = { x: [2, 3], w: [3, 3], bias: [2, 3] };

const feeds = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    return [name, tensorData(Random.derive(1, name).fillNormal(values), shape)];
  }),
);

async function valuesOf(outputs: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
  const session = await nodeRuntime.createSession(writeOnnx(outputs).bytes);
  const fed = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
  const results = await session.run(fed);
  await session.close();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
  );
}

const countOf = (outputs: Readonly<Record<string, Tensor>>, type: string) =>
  topologicalOrder(Object.values(outputs)).filter((node) => node.type === type).length;

describe("gradients that recompute segments", () => {
  it("equal those that keep everything, to the bit", async () => {
    expect(await valuesOf(loop(5, true))).toEqual(await valuesOf(loop(5, false)));
  });

  it("repeat what is inside a segment, except in the last one, and neither states nor what many segments read", () => {
    // Each step has two tanh; the second is the state, which is kept.
    expect(countOf(loop(5, false), "Tanh")).toBe(2 + 5 * 2);
    expect(countOf(loop(5, true), "Tanh")).toBe(2 + 5 * 2 + 4);
  });

  it("read each state through a gate that is known only after the gradients of the later segments", () => {
    const outputs = loop(3, true);
    const gates = topologicalOrder(Object.values(outputs)).filter(({ type }) => type === "Where");
    expect(gates.length).toBeGreaterThanOrEqual(2);
    for (const { inputs } of gates) {
      expect(inputs[1]).toBe(inputs[2]);
      const before = topologicalOrder([inputs[0]!]);
      expect(before.filter(({ type }) => type === "Slice").length).toBeGreaterThan(0);
      expect(before).toContain(inputs[1]!.node);
    }
  });

  it("work if the segments hold half precision and if nothing is inside a segment", async () => {
    const w = input("w", [3, 3]);
    const halves = (recompute: boolean) => {
      let state = cast(input("x", [2, 3]), "float16");
      for (let t = 0; t < 3; t++) state = recomputable(() => tanh(tanh(matmul(state, cast(w, "float16")))));
      const total = sum(cast(state, "float32"));
      return lower({ dw: gradients(total, [w], { recompute })[0]! }, "cpu");
    };
    expect(await valuesOf(halves(true))).toEqual(await valuesOf(halves(false)));
    const [slope] = gradients(sum(tanh(w)), [w], { recompute: true });
    expect(countOf({ slope: slope! }, "Tanh")).toBe(1);
  });
});
