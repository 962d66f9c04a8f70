import { describe, expect, it } from "vitest";
import { PREPROCESSINGS } from "../../src/data/images/preprocessing.js";
import { add, concat, input, relu, unsqueeze } from "../../src/graph/index.js";
import type { ModelDescription } from "../../src/train/model-description.js";
import {
  describeModel,
  inputRoles,
  inputValue,
  modelMetadata,
  noiseInputs,
} from "../../src/train/model-description.js";
import { answerAt } from "../../src/train/stack-timesteps.js";

const whole: ModelDescription = {
  preprocessing: PREPROCESSINGS.symmetric,
  noise: { "v1:noise": { distribution: "normal", shape: ["batch", 4, 8, 8] } },
  inputs: { feedback: [0.3, 0.2] },
  timesteps: { output: "logits", count: 5 },
  state: {
    phases: { output: "next:phases", start: { distribution: "uniform", range: [-1, 1] } },
    timestep: { output: "next:timestep", start: { value: 0 } },
  },
  classes: ["cat", "dog"],
  labels: "several",
  system: "Predify",
  configuration: { seed: 1 },
};

describe("the inputs of a model", () => {
  const inputs = Object.fromEntries(
    ["x", "n", "k", "noise:Dropout"].map((name) => [name, input(name, ["batch", 4])]),
  );
  const model = { inputs, noise: { "noise:Dropout": "uniform" } } as const;
  const description: ModelDescription = { noise: { n: { distribution: "normal" } }, inputs: { k: [1] } };

  it("are drawn by the model, or as the file says; what the user states goes before", () => {
    expect(inputRoles(model, description, "f.onnx")).toEqual({
      noise: { "noise:Dropout": "uniform", n: "normal" },
      values: { k: [1] },
      others: ["x"],
    });
    const stated = { noise: { k: "uniform" }, inputs: { n: [0.5] } } as const;
    expect(inputRoles(model, description, "f.onnx", stated)).toEqual({
      noise: { "noise:Dropout": "uniform", k: "uniform" },
      values: { n: [0.5] },
      others: ["x"],
    });
  });

  it("must be there to be spoken of", () => {
    expect(() => inputRoles(model, {}, "f.onnx", { noise: { m: "normal" } })).toThrow(
      /f\.onnx: unknown input "m"/,
    );
    expect(() => inputRoles(model, {}, "f.onnx", { inputs: { xx: [1] } })).toThrow(/unknown input "xx"/);
    expect(() => inputRoles(model, { inputs: { y: [1] } }, "f.onnx")).toThrow(
      /metadata describe an unknown input "y"/,
    );
  });
});

describe("a model's description", () => {
  it("goes into metadata and comes back", () => {
    const metadata = modelMetadata(whole);
    expect(Object.keys(metadata)).toContain("striate.noise.v1:noise");
    expect(JSON.parse(metadata["striate.input.feedback"]!)).toEqual({ default: [0.3, 0.2] });
    expect(describeModel({ ...metadata, "other.tool": "{" }, "f.onnx")).toEqual(whole);
    expect(describeModel({}, "f.onnx")).toEqual({ noise: {}, inputs: {}, state: {} });
  });

  it.each([
    ["striate.timesteps", '{"output":"logits","count":0}'],
    ["striate.timesteps", "5"],
    ["striate.noise.x", '{"distribution":"gamma"}'],
    ["striate.input.x", '{"default":["1"]}'],
    ["striate.input.x", "[1"],
    ["striate.state.x", '{"output":"next:x"}'],
    ["striate.state.x", '{"output":"next:x","start":{"distribution":"uniform","range":[1,1]}}'],
    ["striate.classes", '["a",1]'],
    ["striate.labels", '"many"'],
  ])("is refused where %s is %s", (key, text) => {
    expect(() => describeModel({ [key]: text }, "f.onnx")).toThrow(`f.onnx: its metadata "${key}"`);
  });

  it("names the noise that outputs need, and no other", () => {
    const [x, noise] = [input("x", ["batch", 2]), input("noise", ["batch", 2])];
    const kinds = { noise: "normal", unused: "uniform" } as const;
    expect(noiseInputs({ y: add(x, noise) }, kinds)).toEqual({
      noise: { distribution: "normal", shape: ["batch", 2] },
    });
  });

  it("gives inputs their values: one for all elements, or one for each", () => {
    const beta = input("beta", [3]);
    const valuesOf = (values: number[]) => {
      const { leaf } = inputValue(beta, values, "beta").node;
      return leaf?.kind === "constant" ? [...leaf.data.data] : undefined;
    };
    expect(valuesOf([0.5])).toEqual([0.5, 0.5, 0.5]);
    expect(valuesOf([1, 2, 3])).toEqual([1, 2, 3]);
    expect(() => inputValue(beta, [1, 2], "beta")).toThrow("beta is float32[3]: expected 3 values, got 2");
    expect(() => inputValue(input("x", ["n"]), [1], "x")).toThrow("its shape [n] is not fixed");
  });
});

describe("an output over time", () => {
  const steps = [input("a", ["batch", 2]), relu(input("b", ["batch", 2]))];

  it("gives the answer at a timestep, without what comes later", () => {
    const logits = concat(
      steps.map((step) => unsqueeze(step, [0])),
      0,
    );
    const first = answerAt(logits, 0, "logits");
    expect(first.shape).toEqual(["batch", 2]);
    expect(first.node.inputs[0]?.node.inputs[0]).toBe(steps[0]);
    expect(() => answerAt(logits, 2, "logits")).toThrow(
      "logits: timestep: expected a whole number from 0 to 1, got 2",
    );
  });

  it("is cut where it came in one piece", () => {
    const whole = input("logits", [4, "batch", 3]);
    expect(answerAt(whole, 3, "logits").shape).toEqual(["batch", 3]);
    expect(() => answerAt(input("logits", ["t", "batch", 3]), 0, "logits")).toThrow(
      "a known number of timesteps",
    );
  });
});
