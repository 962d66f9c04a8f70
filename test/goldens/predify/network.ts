import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TensorData } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import type { State } from "../../../src/nn/module.js";
import type {
  Decoder,
  DecoderStep,
  PredictiveNetwork,
  Unrolled,
} from "../../../src/systems/predify/index.js";
import {
  countWindow,
  optionsFromConfig,
  parsePredifyConfig,
  predify,
} from "../../../src/systems/predify/index.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";

interface GoldenPCoder {
  readonly module: string;
  readonly onnx_tensor: string;
}

/** The network of a case, from its own TOML: module names must lead to the tensors that the case names. */
export async function networkOf(golden: GoldenCase): Promise<PredictiveNetwork> {
  const { config } = golden;
  const file = String(config.backbone_onnx);
  const model = readOnnx(await readFile(join(golden.folder, file)), { what: file });
  const pcoders = config.pcoders as readonly (GoldenPCoder & { predictor: string })[];
  const more = {
    ...(config.random_init === true && { randomInit: true }),
    ...(config.last_pcoder_has_feedback === true && { topDownPrior: true }),
  };
  const options =
    typeof config.config_toml === "string" && config.config_toml !== ""
      ? optionsFromConfig(parsePredifyConfig(config.config_toml).config)
      : fromMetadata(config);
  const network = predify(model, { ...options, ...more });
  network.pcoders.forEach(({ cut, after }, i) => {
    const { onnx_tensor: tensor } = pcoders[i]!;
    check(cut.name === tensor, () => `${after} leads to "${cut.name}", the case says "${tensor}"`);
  });
  return network;
}

function fromMetadata(config: Readonly<Record<string, unknown>>) {
  const values = config.hyperparameters as readonly { feedforward: number; feedback: number; pc: number }[];
  const shared = config.shared_hyperparameters === true;
  return {
    gradientScaling: config.gradient_scaling === true,
    sharedHyperparameters: shared,
    pcoders: (config.pcoders as readonly (GoldenPCoder & { predictor: string })[]).map((pcoder, i) => {
      const { feedforward, feedback, pc } = values[shared ? 0 : i]!;
      return {
        after: pcoder.module,
        ...(pcoder.predictor !== "default" && { decoder: pcoder.predictor }),
        feedforward,
        feedback,
        error: pc,
      };
    }),
  };
}

/** Weights of the decoders; sqrt(C) of PCoderNs is measured with the recorded draws, or taken from the case. */
export async function valuesOf(
  golden: GoldenCase,
  network: PredictiveNetwork,
  evaluate: Evaluate,
  image: TensorData,
): Promise<State> {
  const values: State = new Map();
  for (const name of network.parameters.keys()) {
    if (name.endsWith(".C_sqrt")) continue;
    // The authors' code has no units: deviations of 1 must change nothing.
    const isUnit = name.endsWith("_std");
    values.set(name, isUnit ? tensorData([1], []) : tensorOf(golden, `param.${name}`));
  }
  const scaled = network.pcoders.filter(({ windowRoot }) => windowRoot !== undefined);
  if (scaled.length === 0) return values;
  const states = await firstStates(golden, network, evaluate, image);
  for (const { number, decoder } of scaled) {
    const draws = golden.tensors.get(`noise.pcoder${number}.randint`);
    const name = `pcoder${number}.C_sqrt`;
    const measured =
      draws &&
      tensorData([Math.sqrt(await measured10(decoder, values, states[number - 1]!, draws, evaluate))], []);
    values.set(name, measured ?? tensorOf(golden, `param.${name}`));
  }
  return values;
}

async function firstStates(
  golden: GoldenCase,
  network: PredictiveNetwork,
  evaluate: Evaluate,
  image: TensorData,
): Promise<TensorData[]> {
  if (network.options.randomInit === true) {
    return network.pcoders.map(({ number }) => tensorOf(golden, `noise.pcoder${number}.randn`));
  }
  const x = input("x", image.shape);
  const outputs = Object.fromEntries(network.feedforward(x).map((r, i) => [`r${i}`, r]));
  const results = await evaluate(outputs, { x: image });
  return network.pcoders.map((_, i) => results[`r${i}`]!);
}

/** C with recorded draws [repeats, batch]. */
export function measured10(
  decoder: Decoder,
  values: State,
  representation: TensorData,
  draws: TensorData,
  evaluate: Evaluate,
): Promise<number> {
  const [repeats, batch] = draws.shape as [number, number];
  const rows = Array.from({ length: repeats }, (_, r) =>
    Array.from({ length: batch }, (_, b) => Number(draws.data[r * batch + b])),
  );
  const prediction = decoder.forward(input("representation", representation.shape));
  const run = async (changed: TensorData) =>
    (await evaluate({ prediction }, { representation: changed, ...Object.fromEntries(values) })).prediction!;
  return countWindow(run, representation, rows);
}

/** A decoder as the cases without a network describe it: "bilinear x2 + ConvTranspose2d k3 p1 + ReLU". */
export function describedDecoder(text: string, from: TensorData, weight: TensorData): DecoderStep[] {
  const parts = text.split("+").map((part) => part.trim());
  let [outChannels, inChannels] = [0, from.shape[1]!];
  return parts.map((part, position): DecoderStep => {
    const placed = parts.length === 1 ? {} : { position };
    if (part === "ReLU") return { type: "relu", ...placed };
    const scale = /^bilinear (?:x([\d.]+)|by \(([^)]*)\))$/.exec(part);
    if (scale !== null) {
      const ratio = (factor: string) => {
        const [a, b = 1] = factor.split("/").map(Number) as [number, number?];
        return a / b;
      };
      return {
        type: "upsample",
        mode: "linear",
        scale:
          scale[1] === undefined
            ? scale[2]!.split(",").map((factor) => ratio(factor.trim()))
            : Number(scale[1]),
        ...placed,
      };
    }
    const numbers = /^ConvTranspose2d((?: [a-z]+\d+)+)$/.exec(part);
    check(numbers !== null, () => `unknown decoder "${part}"`);
    const given = Object.fromEntries(
      Array.from(numbers[1]!.matchAll(/([a-z]+)(\d+)/g), ([, letter, value]) => [letter!, Number(value)]),
    );
    const unknown = Object.keys(given).filter((letter) => !["k", "s", "p", "d", "g", "op"].includes(letter));
    check(unknown.length === 0, () => `unknown decoder "${part}"`);
    const { k = 1, s = 1, p = 0, d = 1, g = 1, op = 0 } = given;
    outChannels = weight.shape[1]! * g;
    const step = {
      type: "convTranspose" as const,
      inChannels,
      outChannels,
      kernel: [k, k],
      stride: [s, s],
      padding: [p, p],
      dilation: [d, d],
      outputPadding: [op, op],
      groups: g,
      bias: true,
      ...placed,
    };
    inChannels = outChannels;
    return step;
  });
}

/** The last timestep of "0..4". */
export function lastTimestep(golden: GoldenCase): number {
  return Number(String(golden.config.timesteps).split("..").at(-1));
}

export function stacked(parts: readonly TensorData[]): TensorData {
  const data = Float32Array.from(parts.flatMap((part) => Array.from(part.data, Number)));
  return tensorData(data, [parts.length, ...parts[0]!.shape]);
}

/** Everything a case asks of an unrolled network. */
function wantedOutputs(golden: GoldenCase, network: PredictiveNetwork, { passes }: Unrolled) {
  const outputs: Record<string, ReturnType<typeof input>> = {};
  passes.forEach(({ logits }, t) => (outputs[`logits.t${t}`] = logits));
  for (const name of golden.tensors.keys()) {
    const one = /^output\.(rep|prd|grd)\.pcoder(\d+)\.t(\d+)$/.exec(name);
    if (one !== null) {
      const [, what, number, t] = one;
      const [i, pass] = [Number(number) - 1, passes[Number(t)]!];
      if (what === "rep") outputs[name] = pass.representations[i]!;
      else if (what === "prd") outputs[name] = pass.predictions[i]!.prediction;
      else outputs[name] = network.pcoders[i]!.gradient(pass.predictions[i]!);
    }
    const errors = /^output\.prediction_error\.pcoder(\d+)$/.exec(name);
    if (errors !== null) {
      passes.forEach(
        (pass, t) => (outputs[`${name}.t${t}`] = pass.predictions[Number(errors[1]) - 1]!.error),
      );
    }
  }
  return outputs;
}

/** A whole network over its timesteps. Batch sizes are left open, as in an exported file. */
export const wholeNetwork: GoldenKind = {
  name: "network",
  matches: ({ tensors, config }) =>
    isJsonObject(config) &&
    tensors.has("output.logits") &&
    tensors.has("input.x") &&
    !tensors.has("input.labels"),
  run: async (golden, evaluate): Promise<Results> => {
    const network = await networkOf(golden);
    const image = tensorOf(golden, "input.x");
    const values = await valuesOf(golden, network, evaluate, image);
    const unrolled = network.unroll(lastTimestep(golden), { batch: "batch" });
    const outputs = wantedOutputs(golden, network, unrolled);
    const states = network.pcoders.flatMap(({ number }) => {
      const drawn = golden.tensors.get(`noise.pcoder${number}.randn`);
      return drawn ? [[`representation.pcoder${number}`, drawn] as const] : [];
    });
    const prior = golden.tensors.get("input.top_prior");
    const results = await evaluate(outputs, {
      [network.backbone.inputName]: image,
      ...hyperparameterFeeds(network),
      ...Object.fromEntries([...states, ...values]),
      ...(prior && { prior }),
    });
    const found = new Map(Object.entries(results));
    const times = unrolled.passes.map((_, t) => t);
    found.set("output.logits", stacked(times.map((t) => results[`logits.t${t}`]!)));
    for (const { number } of network.pcoders) {
      const error = `output.prediction_error.pcoder${number}`;
      if (golden.tensors.has(error)) found.set(error, stacked(times.map((t) => results[`${error}.t${t}`]!)));
      const root = values.get(`pcoder${number}.C_sqrt`);
      if (root) found.set(`output.C_sqrt.pcoder${number}`, root);
    }
    return found;
  },
};

export function hyperparameterFeeds(network: PredictiveNetwork): Record<string, TensorData> {
  const keys = ["feedforward", "feedback", "error"] as const;
  return Object.fromEntries(
    keys.map((key) => [key, tensorData(network.pcoders.map(({ hyperparameters }) => hyperparameters[key]))]),
  );
}
