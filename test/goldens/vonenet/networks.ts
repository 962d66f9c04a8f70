import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { cast, gradients, input, tensorData } from "../../../src/graph/index.js";
import { TrainingPass } from "../../../src/nn/layers/index.js";
import { crossEntropy } from "../../../src/nn/losses.js";
import type { NamedParameters, State } from "../../../src/nn/module.js";
import { namedParameters } from "../../../src/nn/module.js";
import { sgd } from "../../../src/nn/optimizers.js";
import { initialTrainingState, modelValues } from "../../../src/nn/training-state.js";
import { trainingStep } from "../../../src/nn/training-step.js";
import type { ForwardOptions, V1Noise } from "../../../src/systems/vonenet/index.js";
import {
  AlexNetBackEnd,
  CornetBackEnd,
  PlainNet,
  VOneNet,
  authorsFilters,
  authorsName,
  bankFromWeights,
  stateFromAuthors,
} from "../../../src/systems/vonenet/index.js";
import { ResNet } from "../../../src/systems/baselines/index.js";
import { check } from "../../../src/util/errors.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import { blockOf, imagesOf } from "./block.js";
import { judgeNetwork } from "./tolerance.js";

const V1 = "vone_block.simple_conv_q0.weight";

/** A network of a case, whatever stands in front. */
interface Built {
  readonly network: object;
  readonly parameters: NamedParameters;
  readonly values: State;
  forward(x: Tensor, pass?: TrainingPass, options?: ForwardOptions): Tensor;
  /** Images in [-1, 1], or features. */
  readonly data: TensorData;
}

/** Reads architecture and sizes off the shapes of a case's parameters. */
function built(golden: GoldenCase): Built {
  const tensors = withPrefix(golden, "param.");
  const data = golden.tensors.has("input.x") ? tensorOf(golden, "input.x") : imagesOf(golden);
  const withV1 = tensors.has(V1);
  const inside =
    tensors.has("bottleneck.weight") || [...tensors.keys()].every((name) => name.startsWith("model."));
  const prefix = inside ? "model." : "";
  const dims = (name: string): readonly number[] => {
    const value = tensors.get(prefix + name);
    check(value, () => `${golden.file}: there is no parameter "${prefix}${name}"`);
    return value.shape;
  };
  const model = backEnd(
    (name) => tensors.has(prefix + name),
    dims,
    withV1 ? tensors.get("bottleneck.weight")!.shape[0]! : undefined,
  );
  const network = withV1
    ? new VOneNet(blockOf(golden, noiseOf(golden)), model)
    : inside
      ? new PlainNet(model)
      : model;
  const parameters = namedParameters(network);
  if (withV1) {
    // Reading the filters back must give the bank that was drawn; the block's own kind compares their values.
    const { q0, q1 } = authorsFilters(tensors);
    const bank = bankFromWeights(q0, q1, (network as VOneNet).block.simple);
    check(
      bank.colour.join() === (network as VOneNet).block.bank.colour.join(),
      () => `${golden.file}: the filters see other colours than those drawn`,
    );
  }
  return {
    network,
    parameters,
    data,
    values: stateFromAuthors(parameters, tensors),
    forward: (x, pass, options) =>
      network instanceof VOneNet ? network.forward(x, pass, options) : network.forward(x, pass),
  };
}

function backEnd(
  has: (name: string) => boolean,
  dims: (name: string) => readonly number[],
  inputs: number | undefined,
): ResNet | AlexNetBackEnd | CornetBackEnd {
  if (has("V2.conv1.weight")) {
    const areas = ["V2", "V4", "IT"] as const;
    const [v2, v4, it] = areas.map((area) => dims(`${area}.conv3.weight`)[0]!) as [number, number, number];
    const times = areas.map((area) => {
      let t = 0;
      while (has(`${area}.norm1_${t}.weight`)) t++;
      return t;
    }) as [number, number, number];
    return new CornetBackEnd({
      classes: dims("decoder.linear.bias")[0]!,
      channels: [dims("V2.conv_input.weight")[1]!, v2, v4, it],
      times,
    });
  }
  if (has("classifier.6.weight")) {
    const [first, second, third, fourth] = [0, 3, 5, 7].map((i) => dims(`features.${i}.weight`)[0]!) as [
      number,
      number,
      number,
      number,
    ];
    return new AlexNetBackEnd({
      classes: dims("classifier.6.bias")[0]!,
      channels: [dims("features.0.weight")[1]!, first, second, third, fourth],
      hidden: dims("classifier.1.bias")[0]!,
    });
  }
  const channels = [1, 2, 3, 4].map((i) => dims(`layer${i}.0.conv1.weight`)[0]!);
  const stem = has("conv1.weight") ? "tiny-imagenet" : "none";
  return new ResNet({
    depth: has("layer1.0.conv3.weight") ? 50 : 18,
    classes: dims("fc.bias")[0]!,
    channels: channels as [number, number, number, number],
    stem,
    ...(inputs !== undefined && { inChannels: inputs }),
  });
}

/** "neuronal 0.35/0.07" */
function noiseOf({ config }: GoldenCase): V1Noise | undefined {
  const text = typeof config.noise === "string" ? config.noise : "";
  const found = /^(neuronal|gaussian) ([\d.]+)\/([\d.]+)$/.exec(text);
  if (found === null) return undefined;
  return { kind: found[1] as V1Noise["kind"], scale: Number(found[2]), level: Number(found[3]) };
}

interface Traced {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly logits: Tensor;
  readonly loss: Tensor;
  readonly pass: TrainingPass | undefined;
  readonly inputs: readonly Tensor[];
}

/** What is fed besides parameters. */
interface Fed {
  readonly images: Tensor;
  readonly labels: Tensor;
  readonly noise: Tensor | undefined;
}

function inputsOf(golden: GoldenCase, { data }: Built): Fed {
  const drawn = golden.tensors.get("noise.normal");
  return {
    images: input("images", data.shape),
    labels: input("labels", tensorOf(golden, "input.labels").shape),
    noise: drawn && input("v1", drawn.shape),
  };
}

function traced(own: Built, { images, labels, noise }: Fed, mode: "eval" | "train"): Traced {
  const pass = mode === "train" ? new TrainingPass() : undefined;
  const logits = own.forward(images, pass, { noise });
  const loss = crossEntropy(logits, cast(labels, "int64"));
  return { images, labels, logits, loss, pass, inputs: [images, labels, ...(noise ? [noise] : [])] };
}

function feedsOf(golden: GoldenCase, { data }: Built): Record<string, TensorData> {
  const drawn = golden.tensors.get("noise.normal");
  const labels = tensorOf(golden, "input.labels");
  return {
    images: data,
    labels: tensorData(Float32Array.from(labels.data as ArrayLike<bigint>, Number), labels.shape),
    ...(drawn && { v1: drawn }),
  };
}

/** Both passes with their gradients and the running statistics after the training pass. */
async function passes(golden: GoldenCase, own: Built, evaluate: Evaluate): Promise<Map<string, TensorData>> {
  const outputs: Record<string, Tensor> = {};
  const { parameters } = own;
  const names = new Map([...parameters.keys()].map((name) => [authorsName(name), name]));
  const fed = inputsOf(golden, own);
  const evaluated = traced(own, fed, "eval");
  outputs["output.eval.logits"] = evaluated.logits;
  outputs["output.eval.loss"] = evaluated.loss;
  const trains = golden.tensors.has("output.train.logits");
  const trained = trains ? traced(own, fed, "train") : undefined;
  if (trained) {
    outputs["output.train.logits"] = trained.logits;
    outputs["output.train.loss"] = trained.loss;
    for (const [buffer, next] of trained.pass!.updates) {
      const name = [...parameters].find(([, tensor]) => tensor === buffer)![0];
      outputs[`output.train.after.${authorsName(name)}`] = next;
    }
  }
  const wanted = [...golden.tensors.keys()];
  for (const [mode, graph] of [
    ["eval", evaluated],
    ["train", trained],
  ] as const) {
    if (graph && golden.tensors.has(`grad.input.${mode}.x`))
      outputs[`grad.input.${mode}.x`] = gradients(graph.loss, [graph.images])[0]!;
  }
  const slopes = wanted.filter((name) => name.startsWith("grad.param."));
  const tensors = slopes.map((name) => parameters.get(names.get(name.replace("grad.param.", ""))!)!);
  gradients((trained ?? evaluated).loss, tensors).forEach((slope, i) => (outputs[slopes[i]!] = slope));
  const found = await evaluate(
    Object.fromEntries(Object.entries(outputs).filter(([name]) => golden.tensors.has(name))),
    { ...feedsOf(golden, own), ...Object.fromEntries(own.values) },
  );
  return new Map([...Object.entries(found), ...counters(golden)]);
}

/** Batches counted by batch normalisations, which we do not keep: one more after one pass. */
function counters(golden: GoldenCase): [string, TensorData][] {
  const names = [...golden.tensors.keys()].filter((name) =>
    /^output\.train\.after\..*num_batches_tracked$/.test(name),
  );
  return names.map((name) => {
    const before = Number(tensorOf(golden, name.replace("output.train.after.", "param.")).data[0]);
    return [name, { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(before + 1)) }];
  });
}

/** Some steps of the authors' recipe on one batch: losses, parameters and running statistics. */
async function descent(golden: GoldenCase, own: Built, evaluate: Evaluate): Promise<Map<string, TensorData>> {
  const results = new Map<string, TensorData>();
  const losses = golden.tensors.get("output.sgd.losses");
  if (!losses) return results;
  const { parameters, values } = own;
  const graph = traced(own, inputsOf(golden, own), "train");
  const setting = (name: string): number => {
    const found = new RegExp(`\\b${name} ([\\d.e-]+)`).exec(golden.metadata.procedure ?? "");
    check(found, () => `${golden.file}: its procedure names no ${name}`);
    return Number(found[1]);
  };
  const optimizer = sgd({ momentum: setting("momentum"), weightDecay: setting("weight decay") });
  const step = trainingStep({
    inputs: graph.inputs,
    loss: graph.loss,
    parameters,
    updates: graph.pass!.updates,
    optimizer,
  });
  let state = initialTrainingState(step, values);
  const seen: number[] = [];
  for (let i = 0; i < losses.data.length; i++) {
    const found = await evaluate(step.outputs, {
      ...feedsOf(golden, own),
      ...Object.fromEntries(state),
      learningRate: tensorData([setting("lr")], []),
      step: tensorData([i], []),
    });
    seen.push(Number(found.loss!.data[0]));
    state = new Map(step.state.map((spec) => [spec.name, found[spec.output]!]));
  }
  results.set("output.sgd.losses", tensorData(seen));
  for (const [name, value] of modelValues(step, state, values))
    results.set(`output.sgd.param.${authorsName(name)}`, value);
  return results;
}

const network: GoldenKind = {
  name: "network",
  matches: ({ tensors }) =>
    tensors.has("output.eval.logits") &&
    tensors.has("input.labels") &&
    [...tensors.keys()].some((name) => name.startsWith("param.")),
  run: async (golden, evaluate): Promise<Results> => {
    const own = built(golden);
    return new Map([...(await passes(golden, own, evaluate)), ...(await descent(golden, own, evaluate))]);
  },
  judge: judgeNetwork,
};

export const networkKinds: readonly GoldenKind[] = [network];
