import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { input, lower, mul, writeOnnx } from "../../src/graph/index.js";
import { initialState } from "../../src/nn/module.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";
import { exportStep } from "../../src/train/export.js";
import { openStepper } from "../../src/train/stepper.js";
import { Trainer } from "../../src/train/trainer.js";
import { KomplexNet, KomplexNetTask } from "../../src/systems/komplexnet/index.js";
import { Random } from "../../src/util/random.js";
import { smallData, smallTask } from "../train/small-task.js";
import { report, settings } from "./settings.js";

const linux = process.platform === "linux";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Resident memory in MB after a garbage collection. */
function memory(): number {
  collect();
  return process.memoryUsage().rss / 2 ** 20;
}

const handles = (): number => readdirSync("/proc/self/fd").length;

/** The slope of the line through the values by least squares, per value. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const [above, below] = values.reduce<[number, number]>(
    ([up, down], value, i) => [up + (i - middle) * (value - mean), down + (i - middle) ** 2],
    [0, 0],
  );
  return above / below;
}

test.skipIf(!linux)("sessions that are closed keep nothing", { timeout: 3_600_000 }, async () => {
  const started = performance.now();
  const count = settings.all ? 500 : 30;
  const { bytes } = writeOnnx(lower({ y: mul(input("x", [1000]), 2) }, "cpu"));
  const komplex = new KomplexNetTask(new KomplexNet({ timesteps: 2, imageSize: 16 }));
  const values = initialState(komplex.parameters, (name) => Random.derive(1, name));
  const file = exportStep(komplex, values).bytes;
  const recipe = { seed: 1, batchSize: 8 };
  const kinds = [
    () => nodeRuntime.createSession(bytes),
    () => workerRuntime.createSession(bytes),
    () => openStepper(nodeRuntime, file),
    () => openStepper(workerRuntime, file),
    () => Trainer.open(smallTask(), smallData(16), recipe, nodeRuntime, { threads: 1 }),
    () => Trainer.open(smallTask(), smallData(16), recipe, workerRuntime, { threads: 1 }),
  ];
  const open = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await (await kinds[i % kinds.length]!()).close();
  };
  // The first sessions fill pools, caches and the collector's usual heap.
  await open(count / 5);
  const opened = handles();
  const used: number[] = [];
  for (let part = 0; part < 10; part++) {
    await open(count / 10);
    used.push(memory());
  }
  await expect.poll(handles, { timeout: 10_000 }).toBeLessThanOrEqual(opened);
  const perHundred = (slope(used) * 100) / (count / 10);
  report({
    kind: "sessions, steppers, trainers",
    cases: count,
    faults: 0,
    seconds: (performance.now() - started) / 1000,
    note: `resident memory ${used.map(Math.round).join(" ")} MB: ${perHundred.toFixed(1)} MB per 100; ${handles() - opened} handles more`,
  });
  expect(perHundred).toBeLessThan(settings.all ? 2 : 20);
});

// Of this, `npm test` has the test of memory in test/train/run-node.test.ts.
test.skipIf(!linux || !settings.all)("training steps keep nothing", { timeout: 3_600_000 }, async () => {
  const started = performance.now();
  const thousands = 5;
  const recipe = { seed: 1, batchSize: 8 };
  const trainer = await Trainer.open(smallTask(), smallData(64), recipe, workerRuntime, { threads: 1 });
  const advance = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) await trainer.advance();
  };
  // The heap of the worker grows to its usual size in the first 4,500 steps, and does not shrink again.
  await advance(6000);
  const used = [memory()];
  for (let part = 0; part < 2 * thousands; part++) {
    await advance(500);
    used.push(memory());
  }
  await trainer.close();
  const perThousand = 2 * slope(used);
  report({
    kind: "training steps",
    cases: 1000 * thousands,
    faults: 0,
    seconds: (performance.now() - started) / 1000,
    note: `resident memory ${used.map(Math.round).join(" ")} MB: ${perThousand.toFixed(2)} MB per 1,000`,
  });
  expect(perThousand).toBeLessThan(1);
});
