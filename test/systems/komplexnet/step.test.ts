import { describe, expect, it } from "vitest";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import type { State } from "../../../src/nn/module.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import type { KomplexNetOptions } from "../../../src/systems/komplexnet/index.js";
import {
  KomplexNet,
  KomplexNetTask,
  advance,
  kuramoto,
  phaseNoiseInputs,
  phasesOf,
  randomPhases,
} from "../../../src/systems/komplexnet/index.js";
import { exportStep } from "../../../src/train/export.js";
import { describeModel } from "../../../src/train/model-description.js";
import { overTime } from "../../../src/train/stack-timesteps.js";
import { openStepper } from "../../../src/train/stepper.js";
import type { StepValue } from "../../../src/train/stepper.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { Random } from "../../../src/util/random.js";
import { numbers, runGraph } from "../../support/run.js";
import { expectClose, rowOf, uniform, withStepper } from "../../support/steps.js";

const SMALL: KomplexNetOptions = { imageSize: 8, timesteps: 6, coupling: { size: 5 }, hidden: 6 };
const BATCH = 2;
const ALL = { phases: true, synchrony: true, layers: true } as const;

const images = uniform("images", [BATCH, 1, 8, 8]);
const others = uniform("others", [BATCH, 1, 8, 8]);
/** One-hot: background, then two objects. */
const masks = tensorData(
  Float32Array.from({ length: BATCH * 3 * 64 }, (_, i) => (Math.floor(i / 64) % 3 === (i % 64) % 3 ? 1 : 0)),
  [BATCH, 3, 1, 8, 8],
);

/** Feedback kernels start too small to matter: larger ones show an error. */
function valuesOf(model: KomplexNet): State {
  const values = initialState(namedParameters(model), (name) => Random.derive(7, name));
  for (const [name, value] of values)
    if (name.startsWith("feedback.")) values.set(name, uniform(name, value.shape));
  return values;
}

/** Phases at the start as the unrolled graph makes them of draws. */
function startPhases(draws: TensorData): TensorData {
  const data = Float32Array.from(draws.data as Float32Array, (u) => u * 2 * Math.PI - Math.PI);
  return { ...draws, data };
}

describe.each<[string, KomplexNetOptions]>([
  ["synchronising", SMALL],
  ["with feedback", { ...SMALL, feedback: { size: 5, rates: [0.004, 0.005, 0.006], desynchrony: 0.1 } }],
  ["with feedback that stops", { ...SMALL, feedback: { size: 5, frozenAfterFirstStep: true } }],
  [
    "on the pixels",
    { ...SMALL, kuramotoMode: "input", coupling: { kernel: "learnt", values: uniform("k", [1, 1, 5, 5]) } },
  ],
  ["of random phases", { ...SMALL, phaseMode: "random" }],
])("KomplexNet %s, step by step", (_name, options) => {
  it("gives the numbers of the unrolled graph", async () => {
    const task = new KomplexNetTask(new KomplexNet(options), ALL);
    const values = valuesOf(task.model);
    const { outputs } = task.inference(BATCH);
    const { oscillators, timesteps } = task.model.config;
    const draws = uniform("draws", [BATCH, oscillators, 8, 8]);
    const whole = await runGraph(
      outputs,
      { images, masks, "noise.phases": draws },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      await stepper.reset({ state: { oscillators: startPhases(draws) } });
      for (let t = 0; t < timesteps; t++) {
        const answer = await stepper.step({ images, masks });
        for (const name of ["logits", "phases", "synchronyLoss"])
          expectClose(numbers(answer[name]), rowOf(whole[name], t), `${name} at ${t}`);
        expectClose(numbers(answer.amplitude), numbers(whole.amplitude), "amplitude");
        if (t < timesteps - 1) continue;
        for (const layer of ["layer.convolution", "layer.hidden", "layer.readout"])
          expectClose(numbers(answer[layer]), numbers(whole[layer]), layer);
      }
    });
  });
});

describe("KomplexNet whose phases are painted from masks, step by step", () => {
  it("gives the numbers of the unrolled graph", async () => {
    const task = new KomplexNetTask(new KomplexNet({ ...SMALL, phaseMode: "ideal", timesteps: 3 }), ALL);
    const values = valuesOf(task.model);
    const draws = Object.fromEntries(
      Object.entries(phaseNoiseInputs(task.model.config, BATCH)).map(([name, { shape }]) => [
        name,
        uniform(name, shape as number[]),
      ]),
    );
    const feeds = { images, masks, ...draws };
    const whole = await runGraph(task.inference(BATCH).outputs, feeds, { values: asConstants(values) });
    await withStepper(task, values, async (stepper) => {
      expect(stepper.state).toEqual([]);
      for (let t = 0; t < 3; t++) {
        const own = {
          "noise.background": draws[`noise.background.${t}`]!,
          "noise.offset": draws[`noise.offset.${t}`]!,
        };
        const answer = await stepper.step({ images, masks, ...own });
        for (const name of ["logits", "phases"])
          expectClose(numbers(answer[name]), rowOf(whole[name], t), `${name} at ${t}`);
      }
    });
  });
});

describe("a KomplexNet that is watched", () => {
  const options: KomplexNetOptions = { ...SMALL, feedback: { size: 5 } };

  /** All timesteps in one graph, with the images, rate and desynchrony of each. */
  function unrolled(
    model: KomplexNet,
    shown: readonly string[],
    rates: readonly number[],
  ): Record<string, Tensor> {
    namedParameters(model);
    let phases = phasesOf(randomPhases(input("noise.phases", [BATCH, 8, 8, 8])));
    const logits: Tensor[] = [];
    let seen: Parameters<NonNullable<KomplexNet["feedback"]>["increments"]>[1] | undefined;
    shown.forEach((name, t) => {
      const amplitude = model.amplitude(input(name, [BATCH, 1, 8, 8]));
      const strength = { rate: rates[t]!, desynchrony: 20 * rates[t]! };
      const own = kuramoto(amplitude, model.coupling!, strength)(phases);
      phases = advance(phases, [own, ...(seen ? model.feedback!.increments(phases, seen) : [])]);
      const stages = model.reader(amplitude)(phases);
      logits.push(stages.logits);
      seen = stages;
    });
    return { logits: overTime(logits), phases: phases.radians };
  }

  it("sees another image and other strengths half way, as the unrolled graph with both does", async () => {
    const model = new KomplexNet(options);
    const task = new KomplexNetTask(model, { phases: true });
    const values = valuesOf(model);
    const rates = [0.006, 0.006, 0.006, 0.012, 0.012, 0.012];
    const names = ["one", "one", "one", "two", "two", "two"];
    const draws = uniform("draws", [BATCH, 8, 8, 8]);
    const feeds = { "noise.phases": draws };
    // Inputs of one name are one input: the graph is traced with a leaf for each timestep.
    const each = names.map((name, t) => `${name}.${t}`);
    const pictures = Object.fromEntries(each.map((name, t) => [name, t < 3 ? images : others]));
    const whole = await runGraph(
      unrolled(model, each, rates),
      { ...feeds, ...pictures },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      await stepper.reset({ state: { oscillators: startPhases(draws) } });
      const logits: number[] = [];
      let phases: TensorData | undefined;
      for (let t = 0; t < 6; t++) {
        const given: Record<string, StepValue> = { images: t < 3 ? images : others };
        const answer = await stepper.step({ ...given, rate: rates[t]!, desynchrony: 20 * rates[t]! });
        logits.push(...numbers(answer.logits));
        phases = answer.phases;
      }
      expectClose(logits, numbers(whole.logits), "logits");
      expectClose(numbers(phases), numbers(whole.phases), "phases");
    });
  });

  it("starts afresh from its seed, goes on from a saved state, and says which input is wrong", async () => {
    const task = new KomplexNetTask(new KomplexNet(options), { phases: true });
    await withStepper(task, valuesOf(task.model), async (stepper) => {
      const look = async () => numbers((await stepper.step({ images })).phases);
      const [first, second] = [await look(), await look()];
      const saved = await stepper.readState();
      const third = await look();
      await stepper.reset();
      expect(await look()).toEqual(first);
      await stepper.reset({ seed: 5 });
      expect(await look()).not.toEqual(first);
      await stepper.reset({ state: saved });
      expect(await look()).toEqual(third);
      await stepper.reset({ seed: 0 });
      // Calls that overlap run one after another.
      expect(await Promise.all([look(), look()])).toEqual([first, second]);
      await expect(stepper.step()).rejects.toThrow('the step needs the input "images", float32[2, 1, 8, 8]');
      await expect(stepper.step({ image: images })).rejects.toThrow('unknown input "image"');
      await expect(stepper.step({ images: [1, 2, 3] })).rejects.toThrow(
        'input "images": expected float32[2, 1, 8, 8], got 3 numbers',
      );
      await expect(stepper.step({ images: uniform("x", [1, 1, 8, 8]) })).rejects.toThrow(
        "got float32[1, 1, 8, 8]",
      );
      await expect(stepper.step({ images, "feedback.rates": [1, 2] })).rejects.toThrow(
        'input "feedback.rates": expected float32[3], got 2 numbers',
      );
      await expect(stepper.reset({ state: { phase: images } })).rejects.toThrow('unknown state "phase"');
      await expect(stepper.reset({ state: { oscillators: images } })).rejects.toThrow(
        'state "oscillators": expected float32[2, 8, 8, 8], got float32[2, 1, 8, 8]',
      );
    });
  });

  it("is one file, which says what feeds what and runs by itself for any batch", async () => {
    const task = new KomplexNetTask(new KomplexNet(options), { phases: true });
    const values = valuesOf(task.model);
    const { bytes } = exportStep(task, values, { system: "KomplexNet" });
    const description = describeModel(readOnnx(bytes).metadata, "step.onnx");
    expect(description.state).toEqual({
      oscillators: {
        output: "next:oscillators",
        start: { distribution: "uniform", range: [-Math.PI, Math.PI] },
      },
      "activity.convolution": { output: "next:activity.convolution", start: { value: 0 } },
      "activity.hidden": { output: "next:activity.hidden", start: { value: 0 } },
      "activity.readout": { output: "next:activity.readout", start: { value: 0 } },
    });
    expect(description).toMatchObject({ system: "KomplexNet", labels: "several" });
    expect(description.inputs?.desynchrony).toEqual([0.202]);
    const alone = await openStepper(nodeRuntime, bytes, { batch: BATCH });
    expect(alone.inputs.map(({ name }) => name).sort()).toEqual([
      "desynchrony",
      "feedback.desynchrony",
      "feedback.rates",
      "images",
      "rate",
    ]);
    expect(alone.readouts.map(({ name, shape }) => [name, shape])).toContainEqual(["phases", [2, 8, 8, 8]]);
    await withStepper(task, values, async (stepper) => {
      for (let t = 0; t < 4; t++) {
        const [a, b] = [await alone.step({ images }), await stepper.step({ images })];
        expectClose(numbers(a.logits), numbers(b.logits), `logits at ${t}`);
        expectClose(numbers(a.phases), numbers(b.phases), `phases at ${t}`);
      }
    });
    await alone.close();
  });
});
