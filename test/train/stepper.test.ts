import { describe, expect, it, vi } from "vitest";
import { add, input, log, mul, parameter, tensorData, writeOnnx } from "../../src/graph/index.js";
import type { Shape } from "../../src/graph/index.js";
import { ones } from "../../src/nn/init.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";
import type { ModelDescription } from "../../src/train/model-description.js";
import { modelMetadata } from "../../src/train/model-description.js";
import type { SteppedModel } from "../../src/train/step-graph.js";
import { openStepper } from "../../src/train/stepper.js";
import { StriateError } from "../../src/util/errors.js";
import { numbers } from "../support/run.js";

const weight = parameter([], ones, { name: "weight" });
const values = new Map([["weight", tensorData([2], [])]]);

/** total <- total + weight x gain + noise; answers with the total. */
const counter: SteppedModel = {
  parameters: new Map([["weight", weight]]),
  step: (batch) => {
    const total = input("total", [batch, 2]);
    const drive = mul(mul(input("x", [batch, 2]), weight), input("gain", []));
    const next = add(add(total, drive), mul(input("noise", [batch, 2]), 0.01));
    return {
      state: { total: { next, start: { value: 5 } } },
      readouts: { seen: next, root: log(next) },
      noise: { noise: "uniform" },
      defaults: { gain: weight },
    };
  },
};

const open = (options = {}) => openStepper(nodeRuntime, { model: counter, values }, options);

/** A step written by somebody else. */
function file(description: ModelDescription, shape: Shape = ["n", 2]): Uint8Array {
  const total = input("total", shape);
  const outputs = { after: add(total, input("x", shape)), other: mul(total, 2) };
  return writeOnnx(outputs, { metadata: modelMetadata(description) }).bytes;
}

const counting: ModelDescription = { state: { total: { output: "after", start: { value: 1 } } } };

describe("a stepper", () => {
  it("goes from step to step, with defaults, noise that follows from the seed, and values for all elements", async () => {
    const stepper = await open();
    expect(stepper.inputs).toEqual([
      { name: "x", dtype: "float32", shape: [1, 2] },
      { name: "gain", dtype: "float32", shape: [], default: [2] },
      { name: "noise", dtype: "float32", shape: [1, 2], noise: "uniform" },
    ]);
    const still = { x: 1, noise: 0 };
    expect(numbers((await stepper.step(still)).seen)).toEqual([9, 9]);
    expect(numbers((await stepper.step({ ...still, x: [1, 2], gain: 0.5 })).seen)).toEqual([10, 11]);
    await stepper.reset({ seed: 1 });
    const noisy = numbers((await stepper.step({ x: 0 })).seen);
    expect(noisy[0]).toBeGreaterThan(5);
    expect(noisy[0]).not.toBe(noisy[1]);
    await stepper.reset();
    expect(numbers((await stepper.step({ x: 0 })).seen)).toEqual(noisy);
    await stepper.close();
  });

  it("runs in a worker thread as well", async () => {
    const stepper = await openStepper(workerRuntime, { model: counter, values }, { batch: 2 });
    await stepper.step({ x: 1, noise: 0 });
    expect(numbers((await stepper.step({ x: 1, noise: 0 })).seen)).toEqual([13, 13, 13, 13]);
    expect(numbers((await stepper.readState()).total)).toEqual([13, 13, 13, 13]);
    await stepper.close();
  });

  it("says when an answer is no number, and goes on once it is reset", async () => {
    const stepper = await open();
    await expect(stepper.step({ x: -3, noise: 0 })).rejects.toThrow('"root" holds NaN after step 1');
    await stepper.reset();
    expect(numbers((await stepper.step({ x: 0, noise: 0 })).seen)).toEqual([5, 5]);
    await stepper.close();
  });

  it("needs the values of all parameters", async () => {
    const opened = openStepper(nodeRuntime, { model: counter, values: new Map() });
    await expect(opened).rejects.toThrow('parameter "weight" has no value');
    await expect(opened).rejects.toBeInstanceOf(StriateError);
  });
});

describe("a step file of somebody else", () => {
  it("runs by what its metadata say", async () => {
    const stepper = await openStepper(nodeRuntime, file(counting), { batch: 2 });
    await stepper.step({ x: 1 });
    const { other, ...rest } = await stepper.step({ x: 3 });
    expect([numbers(other), Object.keys(rest)]).toEqual([[4, 4, 4, 4], []]);
    expect(numbers((await stepper.readState()).total)).toEqual([5, 5, 5, 5]);
    await stepper.close();
  });

  it("says so if its graph takes long to open", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const said: string[] = [];
      const slow: Runtime = {
        ...nodeRuntime,
        createProgram: async (spec, options) => {
          await vi.advanceTimersByTimeAsync(10_000);
          return nodeRuntime.createProgram(spec, options);
        },
      };
      const stepper = await openStepper(slow, file(counting), { onWarning: (line) => said.push(line) });
      expect(said).toEqual([expect.stringContaining("Opening the graph takes long (10 seconds so far)")]);
      await stepper.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it.each<[string, Uint8Array, object, string]>([
    [
      "names an output that is not there",
      file({ state: { total: { output: "next", start: { value: 0 } } } }),
      {},
      'the output "next" feeds the input "total", but it has the outputs after, other and the inputs total, x',
    ],
    [
      "names a state that is not there",
      file({ state: { sum: { output: "after", start: { value: 0 } } } }),
      {},
      'the output "after" feeds the input "sum"',
    ],
    [
      "leaves the length of an axis open",
      file(counting, ["n", "width"]),
      {},
      'step file: "total" is float32[1, width]: a step needs known lengths, but width is open',
    ],
    [
      "fixes how many images it takes",
      file(counting, [3, 2]),
      { batch: 2 },
      "its batch size is fixed: leave out the option batch (2)",
    ],
    [
      "has a default of another length",
      file({ ...counting, inputs: { x: [1, 2, 3] } }),
      {},
      '"x": expected 2 default values or one, got 3',
    ],
  ])("is refused if it %s", async (_what, bytes, options, message) => {
    await expect(openStepper(nodeRuntime, bytes, options)).rejects.toThrow(message);
  });
});
