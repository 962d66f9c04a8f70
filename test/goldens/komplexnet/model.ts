import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, tensorData, unsqueeze, concat, reshape } from "../../../src/graph/index.js";
import { binaryAccuracy, microF1, topKSetAccuracy } from "../../../src/metrics/index.js";
import type { State } from "../../../src/nn/module.js";
import { namedParameters } from "../../../src/nn/module.js";
import type { EndToEndLoss, KomplexNetOptions } from "../../../src/systems/komplexnet/index.js";
import {
  KomplexNet,
  authorsName,
  authorsScalars,
  crossEntropyPerStep,
  endToEndLoss,
  fromAuthors,
  lastStepLoss,
} from "../../../src/systems/komplexnet/index.js";
import { overTime } from "../../../src/train/stack-timesteps.js";
import { check } from "../../../src/util/errors.js";
import type { Feeds } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { readGolden, tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";

/** The authors' state dictionary of a case: the shared parameters, overridden by the case's own. */
export async function stateDictionary(golden: GoldenCase): Promise<Map<string, TensorData>> {
  const { params_file: file } = golden.config;
  const own = withPrefix(golden, "param.");
  if (typeof file !== "string") return own;
  const entry = { file, what: "", config: {}, tolerance: undefined };
  const shared = withPrefix(await readGolden(golden.system, golden.folder, entry), "param.");
  return new Map([...shared, ...own]);
}

/** A model of ours with the values that a case gives it. */
interface LoadedModel {
  readonly model: KomplexNet;
  readonly state: State;
}

/** Options by the case's flags and by the shapes of its tensors. */
export function optionsOf(
  golden: GoldenCase,
  dictionary: ReadonlyMap<string, TensorData>,
  images: readonly number[],
  masks: readonly number[],
): KomplexNetOptions {
  const { config } = golden;
  const shapeOf = (name: string) => {
    const value = dictionary.get(name);
    check(value, () => `${golden.file}: there is no parameter "${name}"`);
    return value.shape;
  };
  const choice = (name: string, fallback: string) => {
    const value = config[name] ?? fallback;
    check(typeof value === "string", () => `${golden.file}: config ${name} is ${JSON.stringify(value)}`);
    return value;
  };
  const number = (name: string) => (typeof config[name] === "number" ? config[name] : undefined);
  const kuramotoMode = choice("kuramoto_mode", "endtoend") as "endtoend" | "channels" | "input";
  const phaseMode = choice("phase_mode", "kuramoto") as "kuramoto" | "random" | "ideal";
  const scalars = {
    desynchrony: number("epsilon"),
    rate: number("lr_kuramoto"),
    ...authorsScalars(dictionary),
  };
  const { desynchrony = 0.202, rate = 0.006 } = scalars;
  const objects = number("num_objects") ?? 2;
  const values = dictionary.get("kernel_kuramoto");
  const biases = config.biases ?? config.bias ?? dictionary.has("convA.kernel_conv.bias");
  const feedback = choice("model", "feedforward") === "feedback";
  const [classes, hidden] = shapeOf("classif2.weights.weight");
  return {
    classes: classes!,
    timesteps: number("timesteps") ?? 15,
    imageSize: images[images.length - 1]!,
    inChannels: images[images.length - 3]!,
    channels: shapeOf("convA.kernel_conv.weight")[0]!,
    hidden: hidden!,
    biases: biases !== false,
    frontEnd: kuramotoMode !== "input" && shapeOf("downsampling.weight")[2] === 3 ? "conv" : "gabor",
    kuramotoMode,
    phaseMode,
    ...(phaseMode === "kuramoto" && {
      coupling:
        kuramotoMode === "endtoend" || values === undefined
          ? { size: shapeOf("kernel_kuramoto")[2]! }
          : { kernel: "learnt" as const, values },
    }),
    desynchrony,
    rate,
    objects,
    background: config.bg_kernel === true,
    overlapChannel: masks[masks.length - 4] === objects + 2,
    ...(feedback && {
      feedback: {
        size: shapeOf("kernel_kuramoto_l2")[2]!,
        rates: scalars.feedbackRates ?? [
          number("lr_kuramoto_l2") ?? 0.006,
          number("lr_kuramoto_l3") ?? 0.006,
          number("lr_kuramoto_l4") ?? 0.006,
        ],
        desynchrony: scalars.feedbackDesynchrony ?? 0,
        frozenAfterFirstStep: config.random === true,
      },
    }),
    singularGradients: true,
  };
}

export function loadModel(
  options: KomplexNetOptions,
  dictionary: ReadonlyMap<string, TensorData>,
): LoadedModel {
  const model = new KomplexNet(options);
  return { model, state: fromAuthors("komplexnet", namedParameters(model), dictionary) };
}

/** The recorded draws in the order in which the model's noise inputs want them. */
function noiseFeeds(model: KomplexNet, golden: GoldenCase, batch: number): Feeds {
  const recorded = [...withPrefix(golden, "noise.")].sort(([a], [b]) => (a < b ? -1 : 1));
  // The authors draw starting phases in every mode, also where masks replace them.
  const used =
    model.config.phaseMode === "ideal" ? recorded.filter(([name]) => !name.endsWith("rand_like")) : recorded;
  const names = Object.keys(model.noiseInputs(batch));
  check(
    used.length === names.length,
    () => `${golden.file}: ${used.length} draws are recorded, the model wants ${names.length}`,
  );
  return Object.fromEntries(names.map((name, i) => [name, used[i]![1]]));
}

/** The gradients that a case wants, by its names; `tensors` gives what to differentiate for. */
export function wantedGradients(
  golden: GoldenCase,
  loss: Tensor,
  tensors: ReadonlyMap<string, Tensor>,
): Record<string, Tensor> {
  const names = new Set(
    [...golden.tensors.keys()].flatMap((name) => {
      const match = /^(?:grad|gradrows|gradrownorm)\.(.+)$/.exec(name);
      return match ? [match[1]!] : [];
    }),
  );
  const known = [...names].filter((name) => tensors.has(name));
  if (known.length === 0) return {};
  const results = gradients(
    loss,
    known.map((name) => tensors.get(name)!),
  );
  return Object.fromEntries(known.map((name, i) => [`grad.${name}`, results[i]!]));
}

/** Our parameters by the authors' names, prefixed with "param.". */
export function authorsParameters(
  model: Parameters<typeof authorsName>[0],
  parameters: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  return new Map([...parameters].map(([name, tensor]) => [`param.${authorsName(model, name)}`, tensor]));
}

/** One scalar for each timestep as a vector. */
function vector(scalars: readonly Tensor[]): Tensor {
  return concat(
    scalars.map((scalar) => unsqueeze(scalar, [0])),
    0,
  );
}

function losses(
  golden: GoldenCase,
  { model }: LoadedModel,
  output: ReturnType<KomplexNet["forward"]>,
  targets: Tensor,
  masks: Tensor,
): { total: Tensor; endToEnd: EndToEndLoss } {
  const coefficient = typeof golden.config.loss_coef === "number" ? golden.config.loss_coef : 1;
  const endToEnd = endToEndLoss(output, targets, masks, model.config, coefficient);
  const kind = golden.config.loss ?? (model.config.kuramotoMode === "endtoend" ? "endtoend" : "last");
  check(kind === "endtoend" || kind === "last", () => `${golden.file}: unknown loss ${JSON.stringify(kind)}`);
  return { total: kind === "last" ? lastStepLoss(output, targets) : endToEnd.total, endToEnd };
}

/** Both whole models: logits, phases, losses and gradients of one batch. */
export const wholeModel: GoldenKind = {
  name: "model",
  matches: (golden) =>
    golden.tensors.has("output.phases") &&
    golden.tensors.has("output.logits") &&
    golden.tensors.has("input.x"),
  run: async (golden, evaluate): Promise<Results> => {
    const [x, y, masks] = ["x", "y", "masks"].map((name) => tensorOf(golden, `input.${name}`)) as [
      TensorData,
      TensorData,
      TensorData,
    ];
    const dictionary = await stateDictionary(golden);
    const loaded = loadModel(optionsOf(golden, dictionary, x.shape, masks.shape), dictionary);
    const { model, state } = loaded;
    const batch = x.shape[0]!;
    const images = input("x", x.shape);
    const targets = input("y", y.shape);
    const maskInput = input("masks", masks.shape);
    const output = model.forward({ images, noise: model.noiseInputs(batch), masks: maskInput });
    const { total, endToEnd } = losses(golden, loaded, output, targets, maskInput);

    const kept = golden.config.phases_kept_at_steps;
    const steps = Array.isArray(kept) ? kept.map(Number) : output.phases.map((_, t) => t);
    const { convolution, hidden, readout } = output.final;
    const tensors = new Map([
      ["input.x", images],
      ...authorsParameters("komplexnet", namedParameters(model)),
    ]);
    const results = await evaluate(
      {
        "output.logits": overTime(output.logits),
        "output.bce_per_step": vector(crossEntropyPerStep(output.logits, targets)),
        "output.phases": overTime(steps.map((t) => output.phases[t]!)),
        "output.amp": output.amplitude,
        "output.loss_ce": endToEnd.crossEntropy,
        "output.loss_synch": endToEnd.synchrony.loss,
        "output.synch": endToEnd.synchrony.synchrony,
        "output.desynch": endToEnd.synchrony.desynchrony,
        "output.loss_total": total,
        "output.final_outA_re": convolution.real,
        "output.final_outA_im": convolution.imaginary,
        "output.final_pred1_re": hidden.real,
        "output.final_pred1_im": hidden.imaginary,
        "output.final_last_re": readout.real,
        "output.final_last_im": readout.imaginary,
        "last logits": reshape(output.logits.at(-1)!, [-1]),
        ...wantedGradients(golden, total, tensors),
      },
      { x, y, masks, ...noiseFeeds(model, golden, batch), ...Object.fromEntries(state) },
    );
    const last = results["last logits"]!.data as Float32Array;
    const target = y.data as Float32Array;
    const { classes, objects } = model.config;
    return new Map([
      ...Object.entries(results),
      ["output.acc_topk", tensorData([topKSetAccuracy(last, target, classes, objects)])],
      ["output.binary_acc", tensorData([binaryAccuracy(last, target)])],
      ["output.f1", tensorData([microF1(last, target)])],
    ]);
  },
};
