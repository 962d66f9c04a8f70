import { describe, expect, it } from "vitest";
import { input, tensorData } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import type {
  ObjectNetworkOptions,
  RecognitionNetworkOptions,
  SudokuNetworkOptions,
} from "../../../src/systems/akorn/index.js";
import {
  IterativeObjectNetwork,
  ObjectNetwork,
  ObjectTask,
  RecognitionNetwork,
  RecognitionTask,
  SudokuNetwork,
  SudokuTask,
} from "../../../src/systems/akorn/index.js";
import { exportStep } from "../../../src/train/export.js";
import { describeModel } from "../../../src/train/model-description.js";
import { openStepper } from "../../../src/train/stepper.js";
import { numbers, runGraph } from "../../support/run.js";
import { drawnValues, expectClose, normal, rowOf, uniform, withStepper } from "../../support/steps.js";

const OBJECTS: ObjectNetworkOptions = { channels: 16, imageSize: 16, heads: 2, timesteps: 4 };
const images = uniform("images", [2, 3, 16, 16]);
const others = uniform("others", [2, 3, 16, 16]);

describe("AKOrN for objects, step by step", () => {
  it.each<[string, ObjectNetworkOptions]>([
    ["one layer of attention", OBJECTS],
    ["two layers", { ...OBJECTS, layers: 2, stateReadout: true, stepSize: 0.5 }],
    ["codes of positions", { ...OBJECTS, rotations: false, readout: false }],
    [
      "convolutions and frequencies",
      { ...OBJECTS, layers: 2, coupling: "convolution", kernel: 3, omega: {} },
    ],
  ])("gives the numbers of the unrolled graph: %s", async (_name, options) => {
    const task = new ObjectTask(new ObjectNetwork(options), 16, { states: true });
    const values = drawnValues(task);
    const layers = options.layers ?? 1;
    const noise = normal("noise", [2, 16, 4, 4]);
    const whole = await runGraph(
      task.inference(2).outputs,
      { images, noise },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      await stepper.reset({ state: { "oscillators.0": noise } });
      for (let layer = 0; layer < layers; layer++) {
        for (let t = 0; t < 4; t++) {
          const answer = await stepper.step({ images });
          const at = `layer ${layer}, step ${t}`;
          const [energies, states] = [`energies.${layer}`, `states.${layer}`];
          expectClose(numbers(answer[states]), rowOf(whole[states], t), `states of ${at}`);
          // Energies add up hundreds of numbers.
          numbers(answer[energies]).forEach((energy, i) => {
            expect(energy, `energies of ${at}`).toBeCloseTo(rowOf(whole[energies], t + 1)[i]!, 3);
          });
          if (layer === layers - 1 && t === 3)
            expectClose(numbers(answer.features), numbers(whole.features), "features");
        }
      }
    });
  });

  it("stands still at a step size of 0, and still tells the energy", async () => {
    const task = new ObjectTask(new ObjectNetwork(OBJECTS), 16, { states: true });
    const values = drawnValues(task);
    await withStepper(task, values, async (stepper) => {
      await stepper.step({ images });
      const before = (await stepper.readState())["oscillators.0"];
      const still = await stepper.step({ images, stepSize: 0 });
      expectClose(numbers((await stepper.readState())["oscillators.0"]), numbers(before), "oscillators");
      const moving = await stepper.step({ images });
      numbers(still["energies.0"]).forEach((energy, i) => {
        expect(energy).toBeCloseTo(numbers(moving["energies.0"])[i]!, 3);
      });
    });
  });

  it("sees another image and another step size half way", async () => {
    const model = new ObjectNetwork(OBJECTS);
    const task = new ObjectTask(model, 16, { states: true });
    const values = drawnValues(task);
    const noise = normal("noise", [2, 16, 4, 4]);
    const [first, second] = [input("first", [2, 3, 16, 16]), input("second", [2, 3, 16, 16])];
    const { kuramoto } = model.blocks[0]!;
    const half = kuramoto.forward(model.noiseInput(2), model.patches.forward(first), { steps: 2 });
    const rest = kuramoto.forward(half.last, model.patches.forward(second), { steps: 2, stepSize: 0.3 });
    const whole = await runGraph(
      { last: rest.last },
      { first: images, second: others, noise },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      await stepper.reset({ state: { "oscillators.0": noise } });
      for (let t = 0; t < 2; t++) await stepper.step({ images });
      await stepper.step({ images: others, stepSize: 0.3 });
      const { "states.0": last } = await stepper.step({ images: others, stepSize: 0.3 });
      expectClose(numbers(last), numbers(whole.last), "states");
    });
  });

  it("is refused for a network without oscillators", () => {
    const task = new ObjectTask(new IterativeObjectNetwork({ channels: 16, imageSize: 16, heads: 2 }), 16);
    expect(() => task.step(1)).toThrow("expected a network with oscillators");
  });
});

describe("AKOrN for Sudoku, step by step", () => {
  const puzzle = tensorData(
    Float32Array.from({ length: 162 }, (_, i) => (i % 3 === 0 ? (i % 9) + 1 : 0)),
    [2, 9, 9],
  );

  it.each<[string, SudokuNetworkOptions]>([
    ["one layer", { channels: 16, heads: 2, timesteps: 4 }],
    ["two layers", { channels: 16, heads: 2, timesteps: 3, layers: 2, stepSize: 0.7 }],
  ])("gives the numbers of the unrolled graph: %s", async (_name, options) => {
    const task = new SudokuTask(new SudokuNetwork(options), { everyStep: true });
    const values = drawnValues(task);
    const noise = normal("noise", [2, 16, 9, 9]);
    const whole = await runGraph(
      task.inference(2).outputs,
      { puzzle, noise },
      { values: asConstants(values) },
    );
    const [layers, steps] = [options.layers ?? 1, options.timesteps!];
    await withStepper(task, values, async (stepper) => {
      expect(stepper.inputs.find(({ name }) => name === "stepSize")?.default?.[0]).toBeCloseTo(
        options.stepSize ?? 1,
      );
      await stepper.reset({ state: { "oscillators.0": noise } });
      for (let t = 0; t < (layers - 1) * steps; t++) await stepper.step({ puzzle });
      for (let t = 0; t < steps; t++) {
        const { logits } = await stepper.step({ puzzle });
        expectClose(numbers(logits), rowOf(whole["logits.steps"], t), `logits at ${t}`);
      }
    });
  });

  it("goes on thinking after its T steps, from a file as from the model", async () => {
    const task = new SudokuTask(new SudokuNetwork({ channels: 16, heads: 2, timesteps: 2 }));
    const values = drawnValues(task);
    const { bytes } = exportStep(task, values, { system: "AKOrN" });
    const { state, inputs } = describeModel(readOnnx(bytes).metadata, "step.onnx");
    expect(state).toEqual({
      timestep: { output: "next:timestep", start: { value: 0 } },
      "oscillators.0": { output: "next:oscillators.0", start: { distribution: "normal" } },
    });
    expect(inputs).toEqual({ stepSize: [1] });
    const alone = await openStepper(nodeRuntime, bytes, { batch: 2 });
    await withStepper(task, values, async (stepper) => {
      for (let t = 0; t < 4; t++) {
        const [a, b] = [await alone.step({ puzzle }), await stepper.step({ puzzle })];
        expectClose(numbers(a.logits), numbers(b.logits), `logits at ${t}`);
      }
    });
    await alone.close();
  });
});

describe("AKOrN for recognition, step by step", () => {
  it("gives the numbers of the unrolled graph", async () => {
    const options: RecognitionNetworkOptions = {
      channels: 8,
      layers: 2,
      timesteps: [2, 3],
      kernels: [5, 3],
      imageSize: 16,
      classes: 5,
    };
    const task = new RecognitionTask(new RecognitionNetwork(options));
    const values = drawnValues(task);
    const noise = normal("noise", [2, 8, 16, 16]);
    const whole = await runGraph(
      task.inference(2).outputs,
      { images, noise },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      await stepper.reset({ state: { "oscillators.0": noise } });
      for (let t = 0; t < 4; t++) await stepper.step({ images });
      const { logits } = await stepper.step({ images });
      expectClose(numbers(logits), numbers(whole.logits), "logits");
    });
    expect(() => new RecognitionTask(task.model, { ensemble: 2 }).step(1)).toThrow(
      "expected an ensemble of 1, got 2",
    );
  });
});
