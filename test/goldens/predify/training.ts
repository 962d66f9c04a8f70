import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, tensorData } from "../../../src/graph/index.js";
import { crossEntropy } from "../../../src/nn/losses.js";
import type { Optimizer } from "../../../src/nn/optimizer.js";
import { rmsProp, sgd } from "../../../src/nn/optimizers.js";
import { initialTrainingState, modelValues } from "../../../src/nn/training-state.js";
import { trainingStep } from "../../../src/nn/training-step.js";
import {
  FeedbackTask,
  HyperparameterTask,
  attackStart,
  attackStep,
  traceAttack,
} from "../../../src/systems/predify/index.js";
import type { Normalisation } from "../../../src/systems/predify/index.js";
import { StriateError } from "../../../src/util/errors.js";
import type { Comparison } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import { lastTimestep, networkOf, stacked, valuesOf } from "./network.js";

function optimizerOf(golden: GoldenCase): { optimizer: Optimizer; rate: number } {
  const given = golden.config.optimizer as Readonly<Record<string, number | string>>;
  const number = (name: string, fallback: number) => Number(given[name] ?? fallback);
  const weightDecay = number("weight_decay", 0);
  const momentum = number("momentum", 0);
  const rate = number("lr", 0.001);
  if (given.name === "SGD") return { optimizer: sgd({ weightDecay, momentum }), rate };
  if (given.name === "RMSprop") {
    return {
      optimizer: rmsProp({
        weightDecay,
        momentum,
        alpha: number("alpha", 0.99),
        epsilon: number("eps", 1e-8),
      }),
      rate,
    };
  }
  throw new StriateError(`${golden.file}: unknown optimizer ${String(given.name)}`);
}

/** Some steps of feedback training, then the errors on other images. */
const feedbackTraining: GoldenKind = {
  name: "feedback training",
  matches: ({ tensors }) => tensors.has("output.train_loss"),
  run: async (golden, evaluate): Promise<Results> => {
    const network = await networkOf(golden);
    const first = tensorOf(golden, "input.x.step0");
    const task = new FeedbackTask(network);
    const graph = task.loss(first.shape[0]!);
    const { optimizer, rate } = optimizerOf(golden);
    const step = trainingStep({ ...graph, parameters: task.parameters, optimizer });
    const start = new Map(
      [...network.parameters.keys()].map((name) => [name, tensorOf(golden, `param.${name}`)] as const),
    );
    const trained = [...network.parameters].filter(
      ([, tensor]) => tensor.node.leaf?.kind === "parameter" && tensor.node.leaf.trainable,
    );
    const slopes = gradients(
      graph.loss,
      trained.map(([, tensor]) => tensor),
    );
    const results = new Map<string, TensorData>();
    const atStart = await evaluate(
      Object.fromEntries(trained.map(([name], i) => [`grad.param.${name}`, slopes[i]!])),
      { images: first, ...Object.fromEntries(start) },
    );
    for (const [name, value] of Object.entries(atStart)) results.set(name, value);

    const errors = (found: Readonly<Record<string, TensorData>>) =>
      stacked(network.pcoders.map(({ number }) => found[`error.pcoder${number}`]!));
    let state = initialTrainingState(step, start);
    const losses: TensorData[] = [];
    for (let i = 0; golden.tensors.has(`input.x.step${i}`); i++) {
      const found = await evaluate(step.outputs, {
        images: tensorOf(golden, `input.x.step${i}`),
        learningRate: tensorData([rate], []),
        step: tensorData([i], []),
        ...Object.fromEntries([...start, ...state]),
      });
      losses.push(errors(found));
      state = new Map(step.state.map((spec) => [spec.name, found[spec.output]!]));
    }
    results.set("output.train_loss", stacked(losses));
    const after = modelValues(step, state, start);
    for (const [name, value] of after) results.set(`output.param_after.${name}`, value);
    const evaluations: TensorData[] = [];
    for (let i = 0; golden.tensors.has(`input.eval_x.${i}`); i++) {
      evaluations.push(
        errors(
          await evaluate(
            { ...graph.metrics },
            { images: tensorOf(golden, `input.eval_x.${i}`), ...Object.fromEntries(after) },
          ),
        ),
      );
    }
    results.set("output.eval_loss", stacked(evaluations));
    return results;
  },
};

/** Gradients through all passes: hyper-parameters in their sigmoid form, decoders, the image. */
const hyperparameterGradients: GoldenKind = {
  name: "gradients through time",
  matches: ({ tensors }) => tensors.has("output.loss_per_t"),
  run: async (golden, evaluate): Promise<Results> => {
    const network = await networkOf(golden);
    const [image, labels] = [tensorOf(golden, "input.x"), tensorOf(golden, "input.labels")];
    const values = await valuesOf(golden, network, evaluate, image);
    const task = new HyperparameterTask(network, { timesteps: lastTimestep(golden) });
    for (const name of task.parameters.keys()) {
      if (!values.has(name)) values.set(name, tensorOf(golden, `param.${name}`));
    }
    const x = input("x", image.shape);
    const classes = input("labels", labels.shape, "int64");
    const { passes } = network.unroll(lastTimestep(golden), { image: x, hyperparameters: task.weights });
    const each = passes.map(({ logits }) => crossEntropy(logits, classes));
    const loss = each.at(-1)!;
    const wanted = [...golden.tensors.keys()].filter((name) => name.startsWith("grad."));
    const wrt = wanted.map((name): Tensor => {
      const found = name === "grad.input.x" ? x : task.parameters.get(name.replace("grad.param.", ""));
      if (found === undefined) throw new StriateError(`there is no parameter for ${name}`);
      return found;
    });
    const slopes = gradients(loss, wrt);
    const found = await evaluate(
      {
        ...Object.fromEntries(wanted.map((name, i) => [name, slopes[i]!])),
        ...Object.fromEntries(each.map((value, t) => [`loss${t}`, value])),
        ...Object.fromEntries(passes.map(({ logits }, t) => [`logits${t}`, logits])),
      },
      { x: image, labels, ...Object.fromEntries(values) },
    );
    const times = passes.map((_, t) => t);
    return new Map([
      ...wanted.map((name) => [name, found[name]!] as const),
      ["output.logits", stacked(times.map((t) => found[`logits${t}`]!))],
      ["output.loss_per_t", stacked(times.map((t) => found[`loss${t}`]!))],
      ["output.loss", found[`loss${times.at(-1)!}`]!],
    ]);
  },
};

/** The attack, each step from the image that the case stored: a sign that flips must not spoil what follows. */
const attack: GoldenKind = {
  name: "attack",
  matches: ({ tensors }) => tensors.has("output.x_adv.step0"),
  run: async (golden, evaluate): Promise<Results> => {
    const { config } = golden;
    const network = await networkOf(golden);
    const images = tensorOf(golden, "input.x");
    const original = images.data as Float32Array;
    const normalisation = config.normalise as Normalisation;
    const graph = traceAttack(network, Number(config.backbone_passes) - 1, {
      batch: images.shape[0]!,
      normalisation,
    });
    const options = {
      epsilon: Number(config.eps),
      relativeStep: Number(config.rel_stepsize),
      bounds: config.bounds as [number, number],
    };
    const results = new Map<string, TensorData>();
    let x = attackStart(original, tensorOf(golden, "noise.random_start").data as Float32Array, options);
    // sqrt(C) was measured on the first image that the attacked network saw.
    const seen = x.map((value, i) => {
      const perChannel = original.length / images.shape[0]! / images.shape[1]!;
      const channel = Math.floor(i / perChannel) % images.shape[1]!;
      return (value - normalisation.mean[channel]!) / normalisation.std[channel]!;
    });
    const values = await valuesOf(golden, network, evaluate, { ...images, data: seen });
    for (let i = 0; golden.tensors.has(`output.x_adv.step${i}`); i++) {
      const { loss, gradient } = await evaluate(
        { loss: graph.loss, gradient: graph.gradient },
        {
          image: { ...images, data: x },
          targets: tensorOf(golden, "input.target_class"),
          ...Object.fromEntries(values),
        },
      );
      results.set(`output.loss.step${i}`, loss!);
      results.set(`grad.input.x.step${i}`, gradient!);
      const moved = attackStep(x, original, gradient!.data as Float32Array, options);
      results.set(`output.x_adv.step${i}`, { ...images, data: moved });
      x = tensorOf(golden, `output.x_adv.step${i}`).data as Float32Array;
    }
    return results;
  },
  judge: (_golden, name, expected, results): Comparison | undefined => {
    const actual = results.get(name);
    if (!name.startsWith("output.x_adv.") || actual === undefined) return undefined;
    const far = Array.from(
      expected.data as ArrayLike<number>,
      (e, i) => Math.abs(e - Number(actual.data[i])) > 1e-6,
    );
    const differing = far.filter(Boolean).length;
    const [share, allowed] = [differing / expected.data.length, 0.001];
    const failure = share > allowed ? { failure: `${name}: ${differing} pixels differ` } : {};
    return { name, difference: share, allowed, ...failure };
  },
};

export const trainingKinds: readonly GoldenKind[] = [feedbackTraining, hyperparameterGradients, attack];
