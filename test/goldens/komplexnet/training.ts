import type { TensorData } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import { namedParameters } from "../../../src/nn/module.js";
import { adam } from "../../../src/nn/optimizers.js";
import { initialTrainingState, modelValues } from "../../../src/nn/training-state.js";
import { trainingStep } from "../../../src/nn/training-step.js";
import { endToEndLoss, lastStepLoss, toAuthors } from "../../../src/systems/komplexnet/index.js";
import { check } from "../../../src/util/errors.js";
import { tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import { loadModel, optionsOf, stateDictionary } from "./model.js";

const number = (golden: GoldenCase, name: string, fallback: number) => {
  const value = golden.config[name] ?? fallback;
  check(typeof value === "number", () => `${golden.file}: config ${name} is ${JSON.stringify(value)}`);
  return value;
};

/** Element i along the first axis. */
function at({ dtype, shape, data }: TensorData, i: number): TensorData {
  const size = data.length / shape[0]!;
  return { dtype, shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) };
}

function stacked(parts: readonly TensorData[]): TensorData {
  const data = Float32Array.from(parts.flatMap((part) => Array.from(part.data, Number)));
  return tensorData(data, [parts.length, ...parts[0]!.shape]);
}

/** Some steps of Adam with clipping: losses, gradient norms and the parameters afterwards. */
export const training: GoldenKind = {
  name: "training",
  matches: (golden) => [...golden.tensors.keys()].some((name) => name.startsWith("output.param_after")),
  run: async (golden, evaluate) => {
    const [x, y, masks] = ["x", "y", "masks"].map((name) => tensorOf(golden, `input.${name}`)) as [
      TensorData,
      TensorData,
      TensorData,
    ];
    const dictionary = await stateDictionary(golden);
    const options = optionsOf(golden, dictionary, x.shape, masks.shape);
    const { model, state } = loadModel(options, dictionary);
    const [images, targets, maskInput] = [
      input("x", x.shape.slice(1)),
      input("y", y.shape.slice(1)),
      input("masks", masks.shape.slice(1)),
    ];
    const noise = model.noiseInputs(x.shape[1]!);
    const output = model.forward({ images, noise, masks: maskInput });
    const lossKind = golden.config.loss ?? (model.config.kuramotoMode === "endtoend" ? "endtoend" : "last");
    const loss =
      lossKind === "last"
        ? lastStepLoss(output, targets)
        : endToEndLoss(output, targets, maskInput, model.config, number(golden, "loss_coef", 1)).total;
    const betas = Array.isArray(golden.config.betas) ? golden.config.betas.map(Number) : [0.9, 0.999];
    const step = trainingStep({
      inputs: [images, targets, maskInput, ...Object.values(noise)],
      loss,
      metrics: { logits: output.logits.at(-1)! },
      parameters: namedParameters(model),
      optimizer: adam({ betas: [betas[0]!, betas[1]!], epsilon: number(golden, "adam_eps", 1e-8) }),
      clipNorm: number(golden, "clip_norm", 2),
    });

    let current = initialTrainingState(step, state);
    const draws = [...withPrefix(golden, "noise.")].sort(([a], [b]) => (a < b ? -1 : 1));
    const names = Object.keys(noise);
    const history: Record<"loss" | "gradientNorm" | "logits", TensorData[]> = {
      loss: [],
      gradientNorm: [],
      logits: [],
    };
    const steps = number(golden, "steps", x.shape[0]!);
    for (let i = 0; i < steps; i++) {
      const mine = draws.slice(i * names.length, (i + 1) * names.length).map(([, draw]) => draw);
      const results = await evaluate(step.outputs, {
        x: at(x, i),
        y: at(y, i),
        masks: at(masks, i),
        ...Object.fromEntries(names.map((name, n) => [name, mine[n]!])),
        learningRate: tensorData([number(golden, "lr", 0.01)], []),
        step: tensorData([i], []),
        ...Object.fromEntries(state),
        ...Object.fromEntries(current),
      });
      for (const name of ["loss", "gradientNorm", "logits"] as const) history[name].push(results[name]!);
      current = new Map(step.state.map((spec) => [spec.name, results[spec.output]!]));
    }
    const after = toAuthors("komplexnet", modelValues(step, current, state), dictionary);
    return new Map([
      ["output.loss", stacked(history.loss)],
      ["output.grad_norm_before_clip", stacked(history.gradientNorm)],
      ["output.logits_last_step", stacked(history.logits)],
      ...[...after].map(([name, value]) => [`output.param_after.${name}`, value] as const),
    ]);
  },
};
