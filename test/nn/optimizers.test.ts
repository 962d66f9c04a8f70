import { describe, expect, it } from "vitest";
import { tensorData } from "../../src/graph/dtype.js";
import { input, mul, parameter, sum } from "../../src/graph/index.js";
import { fill } from "../../src/nn/init.js";
import { namedParameters } from "../../src/nn/module.js";
import type { Optimizer } from "../../src/nn/optimizer.js";
import { adam, adamW, optimizerOf, rmsProp, sgd } from "../../src/nn/optimizers.js";
import { initialTrainingState, writeTrainingStep } from "../../src/nn/training-state.js";
import type { TrainingStepOptions } from "../../src/nn/training-step.js";
import { trainingStep } from "../../src/nn/training-step.js";
import { numbers, openOnnx } from "../support/run.js";
import { distance } from "./support.js";

/**
 * Five steps from p = [1, -2, 0.5, 3] on the loss sum(g p), whose gradient is the fed g[i] = sin(4 t + i). The expected
 * values below are PyTorch 1.13's torch.optim on the same losses, float32.
 */
async function fiveSteps(
  optimizer: Optimizer,
  learningRate: number,
  options: Partial<TrainingStepOptions> = {},
  firstStep = 0,
) {
  const model = { p: parameter([4], fill(0)) };
  const g = input("g", [4]);
  const parameters = namedParameters(model);
  const step = trainingStep({ inputs: [g], loss: sum(mul(g, model.p)), parameters, optimizer, ...options });
  const run = await openOnnx(writeTrainingStep(step, new Map(), "cpu").bytes);
  const state = initialTrainingState(step, new Map([["p", tensorData([1, -2, 0.5, 3])]]));
  const metrics: Record<string, number>[] = [];
  for (let t = 0; t < 5; t++) {
    const gradient = tensorData([0, 1, 2, 3].map((i) => Math.sin(4 * t + i)));
    const scalars = {
      learningRate: tensorData([learningRate], []),
      step: tensorData([firstStep + t], []),
    };
    const result = await run({ g: gradient, ...scalars, ...Object.fromEntries(state) });
    metrics.push(Object.fromEntries(step.metrics.map((name) => [name, numbers(result[name])[0]!])));
    for (const { name, output } of step.state) state.set(name, result[output]!);
  }
  await run.close();
  return { p: numbers(state.get("p")), state, metrics, step };
}

describe("optimizers against PyTorch over five steps", () => {
  const cases: [string, Optimizer, number, number[]][] = [
    ["sgd", sgd(), 0.1, [1.05919206, -1.97534359, 0.4674519, 2.94017172]],
    [
      "sgd, momentum and decay",
      sgd({ momentum: 0.9, weightDecay: 0.01 }),
      0.1,
      [1.10941374, -2.08318973, 0.25268143, 2.80990791],
    ],
    [
      "sgd, Nesterov",
      sgd({ momentum: 0.9, nesterov: true }),
      0.1,
      [1.16979086, -2.07451677, 0.24968582, 2.80402637],
    ],
    ["adam", adam(), 0.1, [1.09023833, -2.11251545, 0.32129553, 2.79273558]],
    [
      "adam, other betas and decay",
      adam({ betas: [0.8, 0.95], epsilon: 1e-6, weightDecay: 0.1 }),
      0.1,
      [0.93898696, -1.99867284, 0.31849569, 2.67848063],
    ],
    ["adamW", adamW(), 0.1, [1.08504593, -2.1021235, 0.31935638, 2.77841043]],
    [
      "adamW, small steps",
      adamW({ weightDecay: 0.1 }),
      0.001,
      [1.00040233, -2.00012493, 0.49796355, 2.99642849],
    ],
    ["rmsProp", rmsProp(), 0.1, [1.81198967, -2.28764153, 0.07743928, 1.26609719]],
    [
      "rmsProp, decay",
      rmsProp({ weightDecay: 5e-4 }),
      0.01,
      [0.98112231, -2.02849936, 0.45767331, 2.82635689],
    ],
    [
      "rmsProp, centred with momentum",
      rmsProp({ centred: true, momentum: 0.9, alpha: 0.9 }),
      0.01,
      [1.07770658, -2.0814364, 0.41508937, 2.78727651],
    ],
  ];
  it.each(cases)("%s", async (_name, optimizer, learningRate, expected) => {
    const { p } = await fiveSteps(optimizer, learningRate);
    expect(distance(p, expected)).toBeLessThan(1e-6);
  });

  it("clips by the global norm and reports the norm before", async () => {
    const { p, metrics } = await fiveSteps(sgd(), 0.1, { clipNorm: 1 });
    expect(distance(p, [1.05226886, -1.98064971, 0.46864149, 2.94676352])).toBeLessThan(1e-6);
    const norms = [1.24692022, 1.41491711, 1.56352508, 1.36697769, 1.26238608];
    expect(
      distance(
        metrics.map(({ gradientNorm }) => gradientNorm!),
        norms,
      ),
    ).toBeLessThan(1e-6);
  });

  it("measures the norm and changes nothing if the limit is Infinity", async () => {
    const [free, limited] = [
      await fiveSteps(sgd(), 0.1),
      await fiveSteps(sgd(), 0.1, { clipNorm: Infinity }),
    ];
    expect(limited.p).toEqual(free.p);
    for (const { gradientNorm } of limited.metrics) expect(gradientNorm).toBeGreaterThan(0);
  });

  it("clips by value", async () => {
    const { p } = await fiveSteps(sgd(), 0.1, { clipValue: 0.3 });
    const limit = (x: number) => Math.min(Math.max(x, -0.3), 0.3);
    const expected = [1, -2, 0.5, 3].map((start, i) => {
      let value = start;
      for (let t = 0; t < 5; t++) value -= 0.1 * limit(Math.sin(4 * t + i));
      return value;
    });
    expect(distance(p, expected)).toBeLessThan(1e-6);
  });

  it("corrects Adam's bias to float32 accuracy at late steps too", async () => {
    for (const first of [0, 1, 30, 5000, 10_000_000]) {
      const { p } = await fiveSteps(adam(), 0.1, {}, first);
      expect(distance(p, adamInDouble(first))).toBeLessThan(1e-6);
    }
  });

  it("takes decay by parameter name and plain configurations", async () => {
    const none = await fiveSteps(optimizerOf({ type: "adamW", weightDecay: 0 }), 0.1);
    expect(distance(none.p, [1.09023833, -2.11251545, 0.32129553, 2.79273558])).toBeLessThan(1e-6);
    const named = await fiveSteps(adamW({ weightDecay: (name) => (name === "p" ? 0.01 : 1) }), 0.1);
    expect(distance(named.p, [1.08504593, -2.1021235, 0.31935638, 2.77841043])).toBeLessThan(1e-6);
    expect(() => optimizerOf({ type: "lion" } as never)).toThrow(/unknown optimizer "lion"/);
    expect(() => sgd({ nesterov: true })).toThrow(/momentum above 0/);
    expect(() => adam({ betas: [0.9, 1] })).toThrow(/\[0, 1\), got 1/);
  });
});

/** Adam from zero state at a given step number, in double precision. */
function adamInDouble(first: number): number[] {
  const p = [1, -2, 0.5, 3];
  const [m, v] = [p.map(() => 0), p.map(() => 0)];
  for (let t = 0; t < 5; t++) {
    for (const i of p.keys()) {
      const g = Math.sin(4 * t + i);
      m[i] = 0.9 * m[i]! + 0.1 * g;
      v[i] = 0.999 * v[i]! + 0.001 * g * g;
      const [c1, c2] = [1 - 0.9 ** (first + t + 1), 1 - 0.999 ** (first + t + 1)];
      p[i]! -= ((0.1 / c1) * m[i]) / (Math.sqrt(v[i] / c2) + 1e-8);
    }
  }
  return p;
}
